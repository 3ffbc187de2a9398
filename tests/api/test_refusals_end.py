"""A refusal that has been told is gone, without waiting for the collector of circles: it looks rarely, and a refusal's way
leads to the desk with all that the lane remembers."""

import gc
from collections.abc import Iterator

import pytest
from api.practice import VISITS, Practice, at

from holdfast.commands.desk import Desk
from holdfast.errors import Refused


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


REFUSED = 5
"""So many more refusals would leave so many more of each; the lane's last batch may be there or just gone."""


def _alive() -> list[int]:
    kinds = [type(each) for each in gc.get_objects()]
    return [kinds.count(Refused), kinds.count(Desk)]


def _none_stayed(before: list[int]) -> bool:
    return all(now - then < REFUSED // 2 for now, then in zip(_alive(), before, strict=True))


@pytest.mark.usefixtures("no_collector")
async def test_a_refused_booking_leaves_nothing(practice: Practice) -> None:
    await practice.book(at(9))
    for _ in range(3):
        await practice.refused(at(9))
    before = _alive()
    for _ in range(REFUSED):
        await practice.refused(at(9))
    assert _none_stayed(before)


@pytest.mark.usefixtures("no_collector")
async def test_a_refused_move_leaves_nothing(practice: Practice) -> None:
    visit = await practice.book(at(9))
    await practice.book(at(11))

    async def refused() -> None:
        answer = await practice.admin.patch(
            f"{VISITS}/{visit['id']}", json={"start": at(11)}, headers={"If-Match": f'"{visit["version"]}"'}
        )
        practice.problem(answer, 409)

    for _ in range(3):
        await refused()
    before = _alive()
    for _ in range(REFUSED):
        await refused()
    assert _none_stayed(before)

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


def _alive(kind: type) -> int:
    return sum(type(each) is kind for each in gc.get_objects())


@pytest.mark.usefixtures("no_collector")
async def test_a_refused_booking_leaves_nothing(practice: Practice) -> None:
    await practice.book(at(9))
    # The lane's last batch is always there.
    for _ in range(3):
        await practice.refused(at(9))
    before = _alive(Refused), _alive(Desk)
    for _ in range(5):
        await practice.refused(at(9))
    assert (_alive(Refused), _alive(Desk)) == before


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
    before = _alive(Refused), _alive(Desk)
    for _ in range(5):
        await refused()
    assert (_alive(Refused), _alive(Desk)) == before

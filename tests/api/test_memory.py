"""A lane decides on what it remembers. What it remembers is what is stored, and what it cannot know it asks for."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx2
import pytest
from api.practice import VISITS, Practice, at

from holdfast.app import Application
from holdfast.commands import memory as remembering
from holdfast.commands.gather import Need
from holdfast.commands.memory import Memory
from holdfast.commands.transaction import Transaction
from holdfast.rules.facts import Facts
from holdfast.rules.timetable import Timetable
from holdfast.settings import Settings
from holdfast.slot import DAY

UNITS = "select id::text, version, scheduled_units, used_units, total_units from authorizations where organization_id = $1"
COUNTS = "select patient_id::text, on_date, payer_id::text, code, units from unit_counts where organization_id = $1"
CLAIMS = """
select resource_id::text, seat, date_part('epoch', starts_at)::bigint as starts, date_part('epoch', ends_at)::bigint as ends,
       appointment_id::text
from claims where organization_id = $1"""


def transaction(application: Application, practice: Practice) -> Transaction:
    """The carrier of the practice's lane, which has not been idle for long."""
    assert application.house is not None
    return cast("Transaction", application.house.lanes._lanes[practice.organization.id]._carrier)


@pytest.fixture
async def elsewhere(settings: Settings, practice: Practice) -> AsyncIterator[Application]:
    """Another process on the same database."""
    application = Application(settings)
    async with application.running():
        yield application


def asking(application: Application, practice: Practice) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(cast("Any", application), client=("127.0.0.1", 1))
    headers = {"Authorization": practice.admin.headers["Authorization"]}
    return httpx2.AsyncClient(transport=transport, base_url="http://holdfast.test", headers=headers)


@contextmanager
def counting() -> Iterator[list[Facts]]:
    """What lanes decide on without reading."""
    found: list[Facts] = []
    recall = Memory.facts

    def counted(self: Memory, need: Need) -> Facts | None:
        facts = recall(self, need)
        found.extend([facts] if facts is not None else [])
        return facts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Memory, "facts", counted)
        yield found


async def assert_true(memory: Memory, practice: Practice) -> int:
    """Every unit, count, claim and free day that is remembered is as the tables have it; how many days there are."""
    units = {row[0]: tuple(row)[1:] for row in await practice.stored(UNITS)}
    for each in [a for mine in memory._authorizations.values() for a in mine.values()]:
        assert units[each.id] == (each.version, each.scheduled_units, each.used_units, each.total_units)
    counts = {tuple(row)[:4]: row[4] for row in await practice.stored(COUNTS)}
    counted = {key: n for mine in memory._counts.values() for key, n in mine.items()}
    assert all(counts.get(key, 0) == n for key, n in counted.items())
    assert all(
        key in counted
        for key in counts
        if any(who == key[0] and first <= key[1] <= last for who, first, last in memory._counted_dates)
    )
    claims = await practice.stored(CLAIMS)
    days = 0
    for resource, known in memory.timetable._known.items():
        for day in (
            64 * number + bit for number, bits in known.items() for bit in range(64) if bits >> bit & 1
        ):
            days += 1
            stored = {
                (c["starts"], c["ends"], c["seat"], c["appointment_id"])
                for c in claims
                if c["resource_id"] == resource and c["starts"] < (day + 1) * DAY and day * DAY < c["ends"]
            }
            assert {
                (c.start, c.end, c.seat, c.owner) for c in memory.timetable._read(resource, day)
            } == stored
    return days


@pytest.mark.parametrize("most", [None, 40], ids=["roomy", "crowded"])
async def test_what_is_remembered_is_what_is_stored(
    application: Application, practice: Practice, monkeypatch: pytest.MonkeyPatch, most: int | None
) -> None:
    """Bookings with and without units, moves and cancellations, many at once, hour after hour; also by a lane that must
    forget all the time."""
    forget, forgotten = Timetable.forget_unasked, list[int]()

    def counted(self: Timetable) -> None:
        held = self.held
        forget(self)
        forgotten.append(held - self.held)

    monkeypatch.setattr(Timetable, "forget_unasked", counted)
    if most is not None:
        monkeypatch.setattr(remembering, "_CLAIMS_MAX", most)
        monkeypatch.setattr(remembering, "_CLAIMS_LEFT_MAX", most // 2)
    chance = random.Random(3)
    kept: list[str] = []
    days: list[int] = []
    with counting() as remembered:
        for number in range(12):
            wishes = [
                practice.booking(
                    at(chance.randrange(8, 17), chance.randrange(5)),
                    practitioner_id=chance.choice(["ana", "ben"]), patient_id=chance.choice(["pat", "quin"]),
                    service_id=chance.choice(["talk", "funded"]),
                )
                for _ in range(30)
            ]  # fmt: skip
            keyed = [{"Idempotency-Key": f"{n} {chance.random()}".replace(" ", "-")} for n in range(30)]
            calls = [
                practice.admin.post(VISITS, json=w, headers=k) for w, k in zip(wishes, keyed, strict=True)
            ]
            calls += [practice.admin.post(f"{VISITS}/{visit}/cancel", json={"cancelled_by": "clinic"})
                      for visit in chance.sample(kept, min(4, len(kept)) * (number % 2))]  # fmt: skip
            answers = await asyncio.gather(*calls)
            assert {answer.status_code for answer in answers} <= {200, 201, 409}
            kept += [answer.json()["id"] for answer in answers if answer.status_code == 201]
            days.append(await assert_true(transaction(application, practice)._memory, practice))
    if most is None:
        assert len(remembered) > 3 and max(days) > 20 and not forgotten
    else:
        assert any(forgotten)


async def test_a_hot_authorization_is_not_read_ahead(
    application: Application, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Units by hand name no patient: whoever asks for them while the lane is busy costs no read."""
    path = f"/api/v1/authorizations/{practice.made['authorization']}"
    assert (await practice.admin.patch(path, json={"total_units": 200})).status_code == 200
    gathered, reads = Transaction._gathered, list[bool]()

    async def noted(self: Transaction, *read: Any, is_ahead: bool = False) -> Any:
        reads.append(is_ahead)
        return await gathered(self, *read, is_ahead=is_ahead)

    monkeypatch.setattr(Transaction, "_gathered", noted)
    with counting() as remembered:
        for calls in (["reserve"] * 60, ["consume", "release", "reserve"] * 20):
            bodies = [practice.admin.post(f"{path}/{call}", json={"units": 1}) for call in calls]
            answers = await asyncio.gather(*bodies)
            assert [answer.status_code for answer in answers] == [200] * 60
            await assert_true(transaction(application, practice)._memory, practice)
    assert len(remembered) > 1
    assert True not in reads, "the lane was busy and knew it"
    assert len(reads) <= 12, "in the turn, a tenth of the requests"


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_key_used_elsewhere_is_answered_from_storage(
    application: Application, elsewhere: Application, practice: Practice, is_cancelled: bool
) -> None:
    """Whether the time looks taken (by the visit itself) or free again, the stored answer is the answer."""
    wanted, key = practice.booking(at(8)), {"Idempotency-Key": "used-elsewhere"}
    async with asking(elsewhere, practice) as other:
        first = await other.post(VISITS, json=wanted, headers=key)
        assert first.status_code == 201
        if is_cancelled:
            cancelled = await other.post(
                f"{VISITS}/{first.json()['id']}/cancel", json={"cancelled_by": "clinic"}
            )
            assert cancelled.status_code == 200
    # The lane here has read the patient, the practitioner and the rooms while it was busy, and is busy again.
    hours = [practice.booking(at(hour, 1)) for hour in range(8, 17)]
    assert {a.status_code for a in await asyncio.gather(*(
        practice.admin.post(VISITS, json=hour) for hour in hours))} == {201}  # fmt: skip
    crowd = [practice.booking(at(hour)) for hour in range(9, 17)]
    with counting() as remembered:
        answers = await asyncio.gather(
            *(practice.admin.post(VISITS, json=each) for each in crowd),
            practice.admin.post(VISITS, json=wanted, headers=key),
        )
    assert remembered
    assert [answer.status_code for answer in answers] == [201] * 9
    assert answers[-1].headers.get("idempotency-replayed") == "true"
    assert answers[-1].content == first.content
    await assert_true(transaction(application, practice)._memory, practice)


async def test_what_is_refused_from_memory_is_not_older_than_an_answer(
    application: Application, elsewhere: Application, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process gives all units back, and says so, before the lane here hears that its own write is done."""
    path = f"/api/v1/authorizations/{practice.made['authorization']}"
    assert (await practice.admin.post(f"{path}/reserve", json={"units": 20})).status_code == 200
    lane, write = transaction(application, practice), Transaction._write
    is_stored, may_land = asyncio.Event(), asyncio.Event()

    async def written(self: Transaction, *batch: Any, **how: Any) -> None:
        await write(self, *batch, **how)
        if self is lane:
            is_stored.set()
            await may_land.wait()

    monkeypatch.setattr(Transaction, "_write", written)
    async with asking(elsewhere, practice) as other:
        booked = asyncio.create_task(practice.book(at(9)))
        await is_stored.wait()
        assert (await other.post(f"{path}/release", json={"units": 20})).status_code == 200
        with counting() as remembered:
            asked = asyncio.create_task(practice.admin.post(f"{path}/reserve", json={"units": 20}))
            while not remembered:
                await asyncio.sleep(0.01)
        may_land.set()
        answer, _ = await asyncio.gather(asked, booked)
    assert answer.status_code == 200, answer.text

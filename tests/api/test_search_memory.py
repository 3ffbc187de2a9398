"""Who looks for free time remembers what was read. What is remembered is what is stored, whoever has written since; and a
booking elsewhere does not make all of it be read again.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import httpx2
import pytest
from api.practice import API, VISITS, Practice, at, monday

from holdfast import events
from holdfast.app import Application
from holdfast.commands.search import _ABOUT_TIME, _NOT_ABOUT_TIME, SearchReader
from holdfast.rules.timetable import Timetable
from holdfast.settings import Settings
from holdfast.slot import DAY, instant, rfc3339

CLAIMS = """
select resource_id::text, seat, date_part('epoch', starts_at)::bigint as starts, date_part('epoch', ends_at)::bigint as ends,
       kind, coalesce(appointment_id, hold_id, block_id, closure_id, time_off_id)::text as owner
from claims where organization_id = $1"""


@pytest.fixture
async def elsewhere(settings: Settings, practice: Practice) -> AsyncIterator[httpx2.AsyncClient]:
    """The admin, asking another process on the same database."""
    application = Application(settings)
    async with application.running():
        transport = httpx2.ASGITransport(cast("Any", application), client=("127.0.0.1", 1))
        headers = {"Authorization": practice.admin.headers["Authorization"]}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://holdfast.test", headers=headers
        ) as client:
            yield client


async def timetable(application: Application, practice: Practice) -> Timetable:
    """What the reader remembers, once it has put it back: it answers before that."""
    assert application.house is not None
    reader = cast("SearchReader", application.house.search_lanes._lanes[practice.organization.id]._carrier)
    async with asyncio.timeout(5):
        while reader._timetable.seq < 0:
            await asyncio.sleep(0)
    return reader._timetable


async def searched(practice: Practice, **more: Any) -> Any:
    params: dict[str, Any] = {
        "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"], "start_date": str(monday()),
        "end_date": str(monday() + timedelta(days=4)), "limit": 500, "patient_id": practice.made["pat"],
    }  # fmt: skip
    answer = await practice.admin.get(f"{API}/availability", params=params | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def assert_true(known: Timetable, practice: Practice) -> int:
    """Every day that is remembered is as the tables have it; how many days there are."""
    claims = await practice.stored(CLAIMS)
    days = 0
    for resource, bits in known._known.items():
        for day in (
            64 * number + bit for number, word in bits.items() for bit in range(64) if word >> bit & 1
        ):
            days += 1
            stored = {
                (c["starts"], c["ends"], c["seat"], c["kind"], c["owner"])
                for c in claims
                if c["resource_id"] == resource and c["starts"] < (day + 1) * DAY and day * DAY < c["ends"]
            }
            assert set(known._read(resource, day)) == stored, (resource, day)
    assert known.held == sum(len(held) for held_days in known._days.values() for held in held_days.values())
    return days


class Writer:
    """Does something at random that has to do with time, as a front desk would."""

    def __init__(self, practice: Practice, seed: int) -> None:
        self.practice, self.chance = practice, random.Random(seed)
        self.visits: list[str] = []
        self.holds: list[str] = []
        self.blocks: list[str] = []
        self.done: set[str] = set()

    async def step(self, client: httpx2.AsyncClient) -> None:
        chance = self.chance
        verb = chance.choice((
            "book", "book", "book", "book", "gym", "gym", "gym", "gym", "move", "move", "cancel", "cancel", "hold", "hold", "release", "block", "block",
            "unblock", "away", "close", "seats", "rename",
        ))  # fmt: skip
        answer = await getattr(self, verb)(client)
        if answer is not None:
            assert answer.status_code in (200, 201, 204, 409, 410), answer.text
            if answer.status_code < 300:
                self.done.add(verb)

    def wish(self, **more: Any) -> dict[str, Any]:
        chance = self.chance
        return self.practice.booking(
            at(chance.randrange(16, 34) / 2, chance.randrange(5)), practitioner_id=chance.choice(["ana", "ben", "gil"]),
            patient_id=chance.choice(["pat", "quin"]), **more,
        )  # fmt: skip

    async def book(self, client: httpx2.AsyncClient, **more: Any) -> httpx2.Response:
        answer = await client.post(VISITS, json=self.wish(**more))
        if answer.status_code == 201:
            self.visits.append(answer.json()["id"])
        return answer

    async def gym(self, client: httpx2.AsyncClient) -> httpx2.Response:
        """Visits of several lengths in a room of two seats, so that some change seats for others."""
        minutes = self.chance.choice((30, 60, 90, 150))
        return await self.book(client, room_id="gym", duration_minutes=minutes)

    async def move(self, client: httpx2.AsyncClient) -> httpx2.Response | None:
        if not self.visits:
            return None
        start = self.wish()["start"]
        return await client.patch(f"{VISITS}/{self.chance.choice(self.visits)}", json={"start": start})

    async def cancel(self, client: httpx2.AsyncClient) -> httpx2.Response | None:
        if not self.visits:
            return None
        visit = self.visits.pop(self.chance.randrange(len(self.visits)))
        return await client.post(f"{VISITS}/{visit}/cancel", json={"cancelled_by": "clinic"})

    async def hold(self, client: httpx2.AsyncClient) -> httpx2.Response:
        answer = await client.post(f"{API}/holds", json=self.wish())
        if answer.status_code == 201:
            self.holds.append(answer.json()["hold_id"])
        return answer

    async def release(self, client: httpx2.AsyncClient) -> httpx2.Response | None:
        return await client.delete(f"{API}/holds/{self.holds.pop()}") if self.holds else None

    async def block(self, client: httpx2.AsyncClient) -> httpx2.Response:
        wish = self.wish()
        answer = await client.post(f"{API}/blocks", json={
            "kind": "meeting", "practitioner_ids": [wish["practitioner_id"]], "start": wish["start"],
            "end": _later(wish["start"]), "room_id": self.chance.choice((None, self.practice.made["gym"])),
        })  # fmt: skip
        if answer.status_code == 201:
            self.blocks.append(answer.json()["id"])
        return answer

    async def unblock(self, client: httpx2.AsyncClient) -> httpx2.Response | None:
        return await client.delete(f"{API}/blocks/{self.blocks.pop()}") if self.blocks else None

    async def away(self, client: httpx2.AsyncClient) -> httpx2.Response:
        start = self.wish()["start"]
        path = f"practitioners/{self.practice.made['ben']}/time-off"
        return await client.post(f"{API}/{path}", json={"start": start, "end": _later(start)})

    async def close(self, client: httpx2.AsyncClient) -> httpx2.Response:
        start = self.wish()["start"]
        path = f"rooms/{self.practice.made['room 1']}/closures"
        return await client.post(f"{API}/{path}", json={"start": start, "end": _later(start)})

    async def seats(self, client: httpx2.AsyncClient) -> httpx2.Response:
        body = {"concurrent_visits_max": self.chance.choice((2, 3))}
        return await client.patch(f"{API}/practitioners/{self.practice.made['gil']}", json=body)

    async def rename(self, client: httpx2.AsyncClient) -> httpx2.Response:
        return await client.patch(f"{API}/patients/{self.practice.made['pat']}", json={"given_name": "Pat"})


def _later(start: str) -> str:
    return rfc3339(instant(start) + 3600)


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_remembered_is_what_is_stored(
    application: Application, elsewhere: httpx2.AsyncClient, practice: Practice, seed: int
) -> None:
    clinic = practice.made["clinic"]
    await practice.make(
        "rooms", "gym", clinic_id=clinic, number="3", room_type="talk", cleaning_minutes=0, concurrent_visits_max=2,
        display_order=9,
    )  # fmt: skip
    await practice.make("practitioners", "gil", name="Gil", concurrent_visits_max=2)
    writer, days, followed = Writer(practice, seed), [], 0
    for number in range(60):
        before = await timetable(application, practice) if number else None
        for _ in range(writer.chance.randrange(3)):
            await writer.step(writer.chance.choice((practice.admin, elsewhere)))
        await searched(practice)
        followed += (await timetable(application, practice)) is before
        days.append(await assert_true(await timetable(application, practice), practice))
    assert {"book", "gym", "cancel"} < writer.done and len(writer.done) >= 7
    assert followed > 20 and max(days) > 50


async def test_a_booking_makes_only_its_own_days_be_read_again(
    application: Application, elsewhere: httpx2.AsyncClient, practice: Practice
) -> None:
    await searched(practice)
    known = await timetable(application, practice)
    before = len(known)
    answer = await elsewhere.post(VISITS, json=practice.booking(at(9)))
    assert answer.status_code == 201, answer.text
    seen = await searched(practice, limit=1, practitioner_id=practice.made["ben"])
    assert seen["as_of_seq"] == (await timetable(application, practice)).seq
    assert (await timetable(application, practice)) is known
    # Ana's days around the booking are not asked for again; Ben's and the other rooms' were never forgotten.
    assert before - 5 <= len(known) < before
    everything = await searched(practice)
    assert (at(9), practice.made["ana"]) not in [
        (s["start"], s["practitioner_id"]) for s in everything["slots"]
    ]


async def test_what_is_not_in_force_makes_nothing_be_read_again(
    application: Application, practice: Practice
) -> None:
    """A policy that is saved changes nothing yet; one that is put into force is a change of the directory."""
    await searched(practice)
    known = await timetable(application, practice)
    days = len(known)
    rules = [{"name": "noon", "kind": "hard", "type": "time_range", "time_from": "08:00", "time_to": "12:00"}]
    saved = await practice.admin.post(f"{API}/policies", json={"scope": "organization", "rules": rules})
    assert saved.status_code == 201, saved.text
    await searched(practice)
    assert await timetable(application, practice) is known
    assert len(known) == days
    answer = await practice.admin.post(f"{API}/policies/{saved.json()['id']}/activate")
    assert answer.status_code == 200, answer.text
    found = await searched(practice)
    assert {slot["start"][11:13] for slot in found["slots"]} <= {f"{hour + 7:02}" for hour in range(8, 12)}


async def test_a_hold_that_is_over_is_nobodys_though_it_is_remembered(
    application: Application, practice: Practice
) -> None:
    """Time passes without an event: what a hold kept is offered again once it is over."""
    wanted = practice.booking(at(9), ttl_seconds=3600)
    held = await practice.admin.post(f"{API}/holds", json=wanted)
    assert held.status_code == 201, held.text

    async def offered() -> bool:
        found = await searched(practice)
        return (at(9), practice.made["ana"]) in [(s["start"], s["practitioner_id"]) for s in found["slots"]]

    assert not await offered()
    known = await timetable(application, practice)
    await practice.stored(
        "update holds set created_at = created_at - interval '1 day', expires_at = now() - interval '1 second'"
        " where organization_id = $1"
    )
    for hold in known.holds.values():  # the clock has gone on; nothing that was stored has changed
        hold.expires_at -= 86_400
    assert await offered()
    assert (await timetable(application, practice)) is known
    assert await offered()


def test_every_event_is_known_to_be_about_time_or_not() -> None:
    """One that is not makes everything be read again."""
    assert not _ABOUT_TIME & _NOT_ABOUT_TIME
    assert _ABOUT_TIME | _NOT_ABOUT_TIME == events.KINDS

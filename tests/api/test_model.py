"""Some thousand random bookings, moves and status calls against a model of a page: model, API and SQL agree.

The model knows no rooms' rules and no hours (everything is always open): it knows which minutes of which resource
are taken by whom, how many units are promised, and the table of statuses.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest
from api.people import Client, make_organization
from api.practice import VISITS, Practice
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sizes import size

from holdfast.app import Application
from holdfast.settings import Settings
from holdfast.slot import instant, rfc3339
from holdfast.states import MOVABLE, TRANSITIONS

ROOMS = {"room 1": 10, "room 2": 0}
PEOPLE = {"ana": 0, "ben": 15}
PATIENTS = ("pat", "quin")
UNITS = 24
RUNS = size(60, 500)
MINUTE = 60
BASE = int(
    (datetime.now(UTC) + timedelta(days=30)).replace(hour=9, minute=0, second=0, microsecond=0).timestamp()
)
Run = Callable[[Awaitable[Any]], Any]


@dataclass
class Held:
    """A visit as the model knows it; `at` counts minutes from BASE."""

    id: str
    patient: str
    person: str
    room: str
    at: int
    minutes: int
    funded: bool
    status: str = "scheduled"
    version: int = 1
    pinned: bool = False
    units: int = 0
    is_replaced: bool = False

    def taken(self) -> dict[str, tuple[int, int]]:
        """Whose minutes it takes: the buffer after the practitioner's, the turnover after the room's."""
        if self.status in ("cancelled", "no_show"):
            return {}
        end = self.at + self.minutes
        return {
            self.patient: (self.at, end), self.person: (self.at, end + PEOPLE[self.person]),
            self.room: (self.at, end + ROOMS[self.room]),
        }  # fmt: skip


@dataclass
class World:
    """One practice for all runs; a run begins when every visit of the one before is cancelled."""

    practice: Practice
    database: Any
    run: Run
    visits: list[str] = field(default_factory=list)


def clashes(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


class Machine(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.visits: list[Held] = []

    def promised(self) -> int:
        return sum(visit.units for visit in self.visits)

    def free(self, wanted: Held, resource: str) -> bool:
        mine = wanted.taken()[resource]
        return not any(
            clashes(mine, other.taken()[resource])
            for other in self.visits
            if other.id != wanted.id and resource in other.taken()
        )

    def fits(self, wanted: Held, rooms: tuple[str, ...]) -> bool:
        """Whether the wish can be granted; its room is then the first of those that is free."""
        wanted.units = -(-wanted.minutes // 15) if wanted.funded else 0
        others = sum(visit.units for visit in self.visits if visit.id != wanted.id and visit.patient == "pat")
        enough = not wanted.funded or (wanted.patient == "pat" and others + wanted.units <= UNITS)
        for room in rooms:
            wanted.room = room
            if self.free(wanted, room):
                return enough and self.free(wanted, wanted.patient) and self.free(wanted, wanted.person)
        return False

    def check(self, answer: httpx2.Response, wanted: Held, *, granted: bool) -> bool:
        assert (answer.status_code in (200, 201)) == granted, (wanted, answer.text)
        if not granted:
            assert answer.status_code == 409, answer.text
            return False
        shown = answer.json()
        number = {"room 1": "1", "room 2": "2"}
        if wanted.pinned or shown["assignment"]["method"] == "manual":
            assert shown["room_number"] == number[wanted.room], wanted
        wanted.room = next(room for room in ROOMS if number[room] == shown["room_number"])
        assert wanted.status in ("cancelled", "no_show") or self.free(wanted, wanted.room)
        assert (shown["status"], shown["units_reserved"], shown["version"]) == (
            wanted.status, wanted.units, wanted.version,
        )  # fmt: skip
        assert (instant(shown["start"]) - BASE, instant(shown["end"]) - BASE) == (
            wanted.at * MINUTE, (wanted.at + wanted.minutes) * MINUTE,
        )  # fmt: skip
        return True

    def ask(self, method: str, path: str, body: dict[str, Any]) -> httpx2.Response:
        answer: httpx2.Response = self.world.run(
            self.world.practice.admin.request(method, VISITS + path, json=body)
        )
        return answer

    def pick(self, number: int) -> Held:
        return self.visits[number % len(self.visits)]

    def replace(self, visit: Held) -> None:
        self.visits = [visit if each.id == visit.id else each for each in self.visits]

    @initialize()
    def begin(self) -> None:
        for visit in self.world.visits:
            self.ask("POST", f"/{visit}/reopen", {})
            self.ask("POST", f"/{visit}/reopen", {})
            self.ask("POST", f"/{visit}/cancel", {})
        self.world.visits.clear()

    @rule(
        patient=st.sampled_from(PATIENTS), person=st.sampled_from(sorted(PEOPLE)),
        room=st.sampled_from((None, *ROOMS)), at=st.integers(0, 12), minutes=st.sampled_from((15, 30, 50, 60, 90)),
        funded=st.booleans(), makes_up=st.none() | st.integers(0, 99),
    )  # fmt: skip
    def book(
        self, patient: str, person: str, room: str | None, at: int, minutes: int, funded: bool,
        makes_up: int | None,
    ) -> None:  # fmt: skip
        wanted = Held("", patient, person, room or "room 1", at * 15, minutes, funded)
        granted = self.fits(wanted, (room,) if room else tuple(ROOMS))
        missed = self.pick(makes_up) if makes_up is not None and self.visits else None
        if missed is not None and missed.patient != patient:
            missed = None
        if missed is not None and (missed.taken() or missed.is_replaced):
            granted = False
        body = self.world.practice.booking(
            rfc3339(BASE + at * 15 * MINUTE), patient_id=patient, practitioner_id=person, room_id=room,
            duration_minutes=minutes, service_id="funded" if funded else "talk",
            replaces_appointment_id=missed.id if missed is not None else None,
        )  # fmt: skip
        answer = self.ask("POST", "", body)
        if self.check(answer, wanted, granted=granted):
            wanted.id = answer.json()["id"]
            if missed is not None:
                missed.is_replaced = True
            self.visits.append(wanted)
            self.world.visits.append(wanted.id)

    @precondition(lambda self: self.visits)
    @rule(
        number=st.integers(0, 99), at=st.none() | st.integers(0, 12), minutes=st.none() | st.sampled_from((15, 60, 75)),
        person=st.none() | st.sampled_from(sorted(PEOPLE)), room=st.none() | st.sampled_from(sorted(ROOMS)),
    )  # fmt: skip
    def move(
        self, number: int, at: int | None, minutes: int | None, person: str | None, room: str | None
    ) -> None:
        before = self.pick(number)
        start = before.at if at is None else at * 15
        given = {"start": at, "end": minutes, "practitioner_id": person, "room_id": room}
        fields = {name for name, value in given.items() if value is not None}
        if not fields:
            return
        wanted = Held(**{
            **before.__dict__, "at": start, "minutes": minutes or before.minutes, "person": person or before.person,
            "version": before.version + 1,
        })  # fmt: skip
        moved = (wanted.at, wanted.minutes) != (before.at, before.minutes)
        if moved and before.status == "confirmed":
            wanted.status = "scheduled"
        legal = fields <= MOVABLE[before.status]
        rooms = (room,) if room else (before.room,) if before.pinned else (before.room, *ROOMS)
        body = self.world.practice.booking("", patient_id=None, practitioner_id=person, room_id=room, clinic_id=None,
                                           service_id=None)  # fmt: skip
        del body["start"]
        if at is not None:
            body["start"] = rfc3339(BASE + wanted.at * MINUTE)
        if minutes is not None:
            body["end"] = rfc3339(BASE + (wanted.at + minutes) * MINUTE)
        if self.check(
            self.ask("PATCH", f"/{before.id}", body), wanted, granted=legal and self.fits(wanted, rooms)
        ):
            self.replace(wanted)

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 99), room=st.sampled_from(sorted(ROOMS)))
    def override(self, number: int, room: str) -> None:
        before = self.pick(number)
        wanted = Held(**{**before.__dict__, "version": before.version + 1, "pinned": True})
        granted = "room_id" in MOVABLE[before.status] and self.fits(wanted, (room,))
        body = {"room_id": self.world.practice.made[room], "reason": "the model wants it so"}
        if self.check(self.ask("PATCH", f"/{before.id}/room", body), wanted, granted=granted):
            self.replace(wanted)

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 99), call=st.sampled_from(
        ("confirm", "check-in", "start", "complete", "cancel", "no-show", "reinstate", "reinstate", "reopen")
    ))  # fmt: skip
    def transition(self, number: int, call: str) -> None:
        before = self.pick(number)
        wanted = Held(**{**before.__dict__, "version": before.version + 1})
        status = TRANSITIONS[before.status].get(call)
        granted = status is not None
        if status is not None:
            wanted.status = status
            if status in ("cancelled", "no_show"):
                wanted.units = 0
            elif before.status in ("cancelled", "no_show"):
                granted = self.fits(wanted, (before.room,) if before.pinned else (before.room, *ROOMS))
        answer = self.ask("POST", f"/{before.id}/{call}", {})
        if self.check(answer, wanted, granted=granted):
            self.replace(wanted)

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        world, made = self.world, self.world.practice.made
        expected = sorted(
            (made[resource], BASE + start * MINUTE, BASE + end * MINUTE)
            for visit in self.visits
            for resource, (start, end) in visit.taken().items()
        )
        rows = world.run(world.database.fetch(
            # The room's turnover is a claim of its own after the visit's.
            "select resource_id::text, extract(epoch from min(starts_at))::bigint, extract(epoch from max(ends_at))::bigint"
            " from claims group by resource_id, appointment_id"
        ))  # fmt: skip
        assert sorted(map(tuple, rows)) == expected
        units = world.run(world.database.fetch(
            "select scheduled_units, (select coalesce(sum(case e.kind when 'reserve' then e.units else -e.units end), 0)"
            " from authorization_entries e where e.authorization_id = a.id)"
            " from authorizations a"
        ))  # fmt: skip
        assert [tuple(row) for row in units] == [(self.promised(), self.promised())]

    def teardown(self) -> None:
        shown = self.world.run(self.world.practice.admin.get(VISITS, params={"page_size": 100, "status": [
            "scheduled", "confirmed", "checked_in", "in_progress", "completed"]}))  # fmt: skip
        alive = {(visit.id, visit.status, visit.version) for visit in self.visits if visit.taken()}
        assert {(each["id"], each["status"], each["version"]) for each in shown.json()["items"]} == alive


@pytest.fixture(name="settings")
def unlimited(settings: Settings) -> Settings:
    """So many requests a minute are nobody's."""
    return msgspec.structs.replace(
        settings, requests_per_minute_user=10**7, requests_per_minute_organization=10**7
    )


@asynccontextmanager
async def open_practice(application: Application, client: Client) -> AsyncIterator[Practice]:
    """Open day and night, with rooms of the two turnovers and people of the two buffers."""
    organization = await make_organization(application, client, "Model")
    async with client(organization.tokens["admin"]) as admin:
        practice = Practice(application, organization, admin)
        clinic = await practice.make("clinics", "clinic", name="North", time_zone="America/Phoenix")
        for number, (name, cleaning) in enumerate(ROOMS.items(), 1):
            await practice.make(
                "rooms",
                name,
                clinic_id=clinic,
                number=str(number),
                room_type="talk",
                cleaning_minutes=cleaning,
            )
        for name, buffer in PEOPLE.items():
            await practice.make("practitioners", name, name=name, buffer_minutes=buffer, clinic_ids=[clinic])
        for name in PATIENTS:
            await practice.make("patients", name, given_name=name, family_name="P", birth_date="2015-05-05")
        await practice.make("services", "talk", name="Talk", code="TALK", duration_minutes=60)
        await practice.make(
            "services", "funded", name="F", code="97153", duration_minutes=60, authorization_required=True
        )
        await practice.make("payers", "payer", name="Payer")
        await practice.make(
            "authorizations", "authorization", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
            service_codes=["97153"], total_units=UNITS, start_date="2020-01-01", end_date="2060-01-01",
        )  # fmt: skip
        yield practice


async def test_model_api_and_sql_agree(application: Application, client: Client) -> None:
    loop = asyncio.get_running_loop()
    house = application.house
    assert house is not None
    database = await asyncpg.connect(house.settings.database_admin_url)
    async with open_practice(application, client) as practice:

        def run(work: Awaitable[Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(_awaited(work), loop).result(30)

        world = World(practice, database, run)
        machine = type("OneWorldMachine", (Machine,), {"world": world})
        bounds = settings(
            max_examples=RUNS, stateful_step_count=20, deadline=None, print_blob=True, database=None,
            suppress_health_check=tuple(HealthCheck),
        )  # fmt: skip
        # The machine is synchronous and has a thread of its own; the application stays on this loop.
        await asyncio.to_thread(run_state_machine_as_test, machine, settings=bounds)
    await database.close()


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work

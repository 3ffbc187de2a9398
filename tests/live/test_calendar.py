"""GET /calendar: one clinic's time as one snapshot, each role seeing what it may; events lead on from there."""

import asyncio
import random
from datetime import date
from typing import Any

import msgspec
import pytest
from api.people import Client, make_organization
from live.listening import (
    HOUR,
    MONDAY,
    Process,
    Stream,
    World,
    alter,
    asking,
    book,
    insert,
    make_world,
    seq_of,
    visit,
)

from holdfast import ids, slot
from holdfast.rules.facts import Line, Visit
from holdfast.settings import Settings
from holdfast.states import ROLES

Owner = Any
DAY = 24 * HOUR
MIDNIGHT = MONDAY - 9 * HOUR


def path(world: World, start: str = "2027-05-10", end: str = "2027-05-10", **more: str) -> str:
    more = {"clinic_id": world.clinic, "start_date": start, "end_date": end, **more}
    return "/api/v1/calendar?" + "&".join(f"{name}={value}" for name, value in more.items())


async def read(client: Client, world: World, role: str = "scheduler", *dates: str) -> dict[str, Any]:
    async with client(world.organization.tokens[role]) as user:
        answer = await user.get(path(world, *dates))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["as-of-seq"] == str(found["as_of_seq"])
    return found


async def test_it_holds_every_visit_that_touches_the_days(
    process: Process, world: World, client: Client
) -> None:
    """Dates are the clinic's: Phoenix, seven hours behind."""
    before = visit(world, start=MIDNIGHT - HOUR)
    into = visit(world, start=MIDNIGHT - 23 * HOUR, hours=24)
    first = visit(world, start=MIDNIGHT)
    late = visit(world, start=MIDNIGHT + 23 * HOUR, hours=24)
    after = visit(world, start=MIDNIGHT + DAY)
    longest_before = visit(world, start=MIDNIGHT - DAY, hours=24)
    gone = visit(world, start=MIDNIGHT + 2 * HOUR)
    await book(process, world, after, late, first, before, into, longest_before, gone)
    await alter(process, world, "appointment.cancelled", gone, status="cancelled")
    found = await read(client, world)
    assert [each["id"] for each in found["appointments"]] == [into.id, first.id, gone.id, late.id]
    assert [each["status"] for each in found["appointments"]][2] == "cancelled"
    assert found["as_of_seq"] == await seq_of(process, world)
    assert found["blocks"] == []
    found = await read(client, world, "scheduler", "2027-05-09", "2027-05-11")
    assert len(found["appointments"]) == 7


async def test_equal_starts_come_in_the_order_of_ids(process: Process, world: World, client: Client) -> None:
    visits = [visit(world) for _ in range(20)]
    await book(process, world, *random.sample(visits, 20))
    found = await read(client, world)
    assert [each["id"] for each in found["appointments"]] == sorted(each.id for each in visits)


async def test_a_visit_looks_as_the_contract_says(process: Process, world: World, client: Client) -> None:
    both = visit(
        world, turnover_minutes=10, needs_action="room_closed", method="auto", policy_version=3, score=7
    )
    both.lines.append(Line(2, world.other_practitioner, world.service, MONDAY, MONDAY + HOUR))
    await book(process, world, both)
    (seen,) = (await read(client, world))["appointments"]
    assert seen == {
        "id": both.id, "clinic_id": world.clinic, "patient_id": world.patient,
        "practitioner_id": world.practitioner, "service_id": world.service, "room_id": world.room,
        "authorization_id": None, "location": "on_site", "start": "2027-05-10T16:00:00Z",
        "end": "2027-05-10T17:00:00Z", "status": "scheduled", "needs_action": "room_closed", "pinned": False,
        "units_reserved": 0, "version": 1, "series_id": None, "group_id": None, "turnover_minutes": 10,
        "assignment": {"method": "auto", "policy_version": 3, "score": 7, "rules_applied": []},
        "patient_name": "Juniper Person", "practitioner_name": "Juniper Therapist", "room_number": "7",
        "service_code": "CANARY97153", "created_at": seen["created_at"], "updated_at": seen["created_at"],
        "lines": [
            {
                "line_no": number, "practitioner_id": practitioner, "service_id": world.service,
                "start": "2027-05-10T16:00:00Z", "end": "2027-05-10T17:00:00Z", "patient_present": True,
                "authorization_id": None, "billable": True, "units_reserved": 0, "unfunded_units": 0,
                "minutes_actual": None, "line_status": "planned", "travel_before_minutes": 0, "buffer_minutes": 0,
                "caregiver_id": None, "units_used": None, "funding": None,
            }
            for number, practitioner in ((1, world.practitioner), (2, world.other_practitioner))
        ],
    }  # fmt: skip


async def test_closures_and_absences(world: World, client: Client, owner: Owner) -> None:
    def row(start: int, days: int, **more: Any) -> dict[str, Any]:
        times = {"starts_at": slot.rfc3339(start), "ends_at": slot.rfc3339(start + days * DAY)}
        return {"id": ids.new(), "created_at": times["starts_at"], **times, **more}

    def closure(start: int, days: int, **more: Any) -> dict[str, Any]:
        return row(start, days, clinic_id=world.clinic, reason="CANARY flood", **more)

    long, room, over = (
        closure(MIDNIGHT - 364 * DAY, 365),
        closure(MONDAY, 1, room_id=world.room),
        closure(0, 1),
    )
    own = row(MIDNIGHT - 300 * DAY, 366, practitioner_id=world.practitioner, kind="sick")
    other = row(MONDAY, 1, practitioner_id=world.other_practitioner, kind="training")
    later = row(MIDNIGHT + DAY, 1, practitioner_id=world.practitioner, kind="sick")
    for table, rows in (("closures", (long, room, over)), ("time_off", (own, other, later))):
        for each in rows:
            await insert(owner, table, world, **each)
    found = await read(client, world)
    assert [(each["id"], each["room_id"]) for each in found["closures"]] == [
        (long["id"], None),
        (room["id"], world.room),
    ]
    assert found["closures"][1]["reason"] == "CANARY flood"
    assert found["closures"][1]["end"] == room["ends_at"]
    assert [(each["id"], each["kind"]) for each in found["time_off"]] == [
        (own["id"], "sick"),
        (other["id"], "training"),
    ]
    found = await read(client, world, "practitioner")
    assert [(each["id"], each["kind"]) for each in found["time_off"]] == [
        (own["id"], "sick"),
        (other["id"], None),
    ]
    found = await read(client, world, "patient")
    assert found["time_off"] == []
    assert [each["reason"] for each in found["closures"]] == [None, None]


async def test_each_role_sees_what_it_may(process: Process, port: int, world: World, client: Client) -> None:
    """In the snapshot and in the events alike. The others' patient and every service are called CANARY."""
    tokens = world.organization.tokens
    streams = {role: await Stream.open(port, tokens[role]) for role in ROLES}
    own, others = (
        visit(world),
        visit(world, own=False, start=MONDAY + HOUR, method="auto", rules_applied=["CANARY"]),
    )
    await book(process, world, own, others)
    last = await book_more(process, world)
    for role in ROLES:
        told = {event.data["id"]: event.data for event in await streams[role].until(last)}
        shown = {each["id"]: each for each in (await read(client, world, role))["appointments"]}
        assert {visit_id: told[visit_id] for visit_id in shown} == shown
        if role == "patient":
            assert sorted(told) == sorted(shown)
            assert others.id not in told
            assert own.id in told
        else:
            assert shown[own.id]["patient_name"] == "Juniper Person"
        if role == "practitioner":
            masked = shown[others.id]
            assert "CANARY" not in msgspec.json.encode(masked).decode()
            assert world.other_patient not in msgspec.json.encode(masked).decode()
            assert world.service not in msgspec.json.encode(masked).decode()
            assert [
                masked[name] for name in ("patient_id", "patient_name", "service_id", "service_code")
            ] == [None] * 4
            assert masked["status"] == "scheduled"
            assert masked["practitioner_name"] == "Another Therapist"
            assert (masked["start"], masked["room_number"]) == ("2027-05-10T17:00:00Z", "7")
        elif role != "patient":
            assert shown[others.id]["patient_name"] == "CANARY CANARY"


async def book_more(process: Process, world: World) -> int:
    """A last visit that everyone hears of; its sequence."""
    await book(process, world, visit(world, start=MONDAY + 5 * HOUR))
    return await seq_of(process, world)


async def test_a_colleague_on_the_second_line_sees_the_visit(
    process: Process, world: World, client: Client
) -> None:
    theirs = visit(world, own=False)
    theirs.lines.append(Line(2, world.practitioner, world.service, MONDAY, MONDAY + HOUR))
    await book(process, world, theirs)
    (seen,) = (await read(client, world, "practitioner"))["appointments"]
    assert seen["patient_name"] == "CANARY CANARY"


async def test_what_is_refused(process: Process, world: World, client: Client, settings: Settings) -> None:
    stranger = await make_world(
        settings.database_admin_url, await make_organization(process, client, "CANARY")
    )
    async with client(world.organization.tokens["admin"]) as user:
        for dates, field in (
            (("2027-05-11", "2027-05-10"), "end_date"),
            (("2027-01-01", "2028-01-02"), "end_date"),
            (("2027-05-10", "tomorrow"), "end_date"),
            (("2027-02-30", "2027-05-10"), "start_date"),
            (("0001-01-01", "0001-01-01"), "start_date"),
            (("9999-12-31", "9999-12-31"), "start_date"),
        ):
            answer = await user.get(path(world, *dates))
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), dates
        assert (await user.get(path(world, "2027-01-01", "2028-01-01"))).status_code == 200
        for clinic in (stranger.clinic, ids.new()):
            answer = await user.get(path(world, clinic_id=clinic))
            assert (answer.status_code, answer.json()["field"]) == (404, "clinic_id")
        answer = await user.get("/api/v1/calendar?clinic_id=x&page=2")
        errors = answer.json()["errors"]
        assert {(error["field"], error["code"]) for error in errors} == {
            ("clinic_id", "invalid_value"), ("page", "unknown_field"), ("start_date", "missing"), ("end_date", "missing"),
        }  # fmt: skip


async def test_more_than_fits_is_refused_and_others_visits_do_not_count(
    settings: Settings, process: Process, world: World
) -> None:
    await book(process, world, *(visit(world, own=False) for _ in range(3)), visit(world))
    small = Process(msgspec.structs.replace(settings, calendar_appointments_max=2))
    async with small.running():
        async with asking(small)(world.organization.tokens["admin"]) as user:
            answer = await user.get(path(world))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "end_date")
        assert len((await read(asking(small), world, "patient"))["appointments"]) == 1


@pytest.mark.parametrize("role", ["scheduler", "practitioner", "patient"])
async def test_a_snapshot_and_the_events_after_it_are_the_next_snapshot(
    settings: Settings, process: Process, port: int, world: World, client: Client, role: str
) -> None:
    """While two processes write. Every so often someone opens a calendar, listens, and compares."""
    other = Process(settings)
    chance = random.Random(7)
    async with other.running():

        async def write(server: Process) -> None:
            mine: list[Visit] = []
            for _ in range(40):
                if mine and chance.random() < 0.6:
                    at = chance.randrange(len(mine))
                    start = MIDNIGHT + chance.randrange(-12, 36) * HOUR
                    possible: list[tuple[str, dict[str, Any]]] = [
                        ("appointment.moved", {"start": start, "end": start + HOUR}),
                        ("appointment.checked_in", {"status": "checked_in"}),
                        ("appointment.cancelled", {"status": "cancelled"}),
                    ]
                    kind, changes = chance.choice(possible)
                    if mine[at].status != "cancelled":
                        mine[at] = await alter(server, world, kind, mine[at], **changes)
                else:
                    new = visit(
                        world, own=chance.random() < 0.5, start=MIDNIGHT + chance.randrange(24) * HOUR
                    )
                    await book(server, world, new)
                    mine.append(new)

        async def watch() -> tuple[dict[str, Any], Stream]:
            await asyncio.sleep(chance.random())
            shown = await read(client, world, role)
            return shown, await Stream.open(port, world.organization.tokens[role], after=shown["as_of_seq"])

        watching = [asyncio.create_task(watch()) for _ in range(5)]
        await asyncio.gather(write(process), write(other))
        watched = await asyncio.gather(*watching)
        last = await book_more(process, world)
        refetched = await read(client, world, role)
        for shown, stream in watched:
            state = {each["id"]: each for each in shown["appointments"]}
            for event in await stream.until(last):
                state[event.data["id"]] = event.data
            touching = [each for each in state.values() if touches_the_day(each)]
            assert sorted(touching, key=lambda each: (each["start"], each["id"])) == refetched["appointments"]


def touches_the_day(seen: dict[str, Any]) -> bool:
    start, end = slot.day_span(date(2027, 5, 10), "America/Phoenix")
    return slot.instant(seen["start"]) < end and slot.instant(seen["end"]) > start

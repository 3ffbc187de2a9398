"""What the status calls ask and keep, beside the table: when something happened, which time may be taken again, why a
visit was cancelled, and what makes up for it.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from api.people import Client, Organization
from api.practice import API, VISITS, Practice, at

from holdfast import ids

NOW = datetime.now(UTC).replace(second=0, microsecond=0)


def when(minutes: float) -> str:
    """The instant so many minutes from the minute in which the tests began."""
    return (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
async def open_always(practice: Practice) -> Practice:
    await practice.change("clinics", "clinic", opening_hours=[])
    for name in ("ana", "ben"):
        await practice.change("practitioners", name, working_hours=[])
    return practice


async def times(practice: Practice, visit: Any) -> dict[str, Any]:
    rows = await practice.stored(
        "select checked_in_at, started_at, completed_at, cancelled_at from appointments"
        " where organization_id = $1 and id = $2", visit["id"],
    )  # fmt: skip
    return {name: each.strftime("%Y-%m-%dT%H:%M:%SZ") for name, each in dict(rows[0]).items() if each}


def fields(problem: Any) -> list[str]:
    return [error["field"] for error in problem["errors"]]


async def test_when_it_happened_is_neither_ahead_nor_long_before(open_always: Practice) -> None:
    practice = open_always
    visit = await practice.book(when(-60), end=when(60))
    for call in ("check-in", "start", "complete", "cancel", "no-show"):
        problem = practice.problem(await practice.call(visit, call, at=when(30)), 422)
        assert fields(problem) == ["at"], call
    for call in ("check-in", "start", "complete"):
        problem = practice.problem(await practice.call(visit, call, at=when(-61 - 24 * 60)), 422)
        assert fields(problem) == ["at"], call
    await practice.done(await practice.call(visit, "check-in", at=when(-75)))
    await practice.done(await practice.call(visit, "start", at=when(-50)))
    assert await times(practice, visit) == {"checked_in_at": when(-75), "started_at": when(-50)}
    # It cannot be over before it began.
    problem = practice.problem(await practice.call(visit, "complete", at=when(-51)), 422)
    assert fields(problem) == ["at"]
    done = await practice.done(await practice.call(visit, "complete", at=when(-20)))
    assert (done["end"], done["lines"][0]["minutes_actual"]) == (when(-20), 30)


async def test_nothing_is_over_before_its_time_unless_it_began_before(open_always: Practice) -> None:
    practice = open_always
    visit = await practice.book(when(-30), end=when(30))
    for early in (when(-30), when(-45)):
        problem = practice.problem(await practice.call(visit, "complete", at=early), 422)
        assert fields(problem) == ["at"]
    await practice.done(await practice.call(visit, "start", at=when(-60)))
    done = await practice.done(await practice.call(visit, "complete", at=when(-31)))
    assert (done["start"], done["end"]) == (when(-30), when(-29))


async def test_ending_now_counts_the_minute_that_has_begun(open_always: Practice) -> None:
    """Time is claimed by whole minutes: the one in which a visit ends is not somebody else's."""
    practice = open_always
    visit = await practice.book(when(-30), end=when(90), practitioner_id="ben", room_id="room 1")
    before = datetime.now(UTC).replace(microsecond=0)
    done = await practice.done(await practice.call(visit, "complete"))
    ended = datetime.fromisoformat(done["end"])
    assert before <= ended < datetime.now(UTC) + timedelta(minutes=1)
    assert ended.second == 0
    rows = await practice.stored(
        "select resource_id, kind, ends_at from claims where organization_id = $1 and appointment_id = $2", visit["id"]
    )  # fmt: skip
    tails = {(str(row["resource_id"]), row["kind"], (row["ends_at"] - ended).seconds // 60) for row in rows}
    assert tails == {
        (practice.made["pat"], "visit", 0), (practice.made["room 1"], "visit", 0),
        (practice.made["room 1"], "turnover", 10), (practice.made["ben"], "visit", 15),
    }  # fmt: skip


async def test_ending_late_fixes_minutes_and_claims_no_more(open_always: Practice) -> None:
    practice = open_always
    for lines, minutes in (((), 30), (({"line_no": 1, "minutes_actual": 42},), 42)):
        visit = await practice.book(when(-60), end=when(-30), practitioner_id="ben", room_id="room 1")
        held = await practice.claims(visit)
        done = await practice.done(await practice.call(visit, "complete", at=when(-10), lines=list(lines)))
        assert (done["end"], done["lines"][0]["minutes_actual"]) == (when(-30), minutes)
        assert await practice.claims(visit) == held
        assert (await times(practice, visit))["completed_at"] == when(-10)
        for call in ("reopen", "reopen", "cancel"):
            await practice.done(await practice.call(visit, call))


async def test_only_another_time_takes_the_confirmation_back(practice: Practice) -> None:
    moves: tuple[tuple[dict[str, Any], str], ...] = (
        ({"notes": "bring the folder"}, "confirmed"), ({"room_id": "room 2"}, "confirmed"),
        ({"practitioner_id": "ben"}, "confirmed"), ({"start": at(9)}, "confirmed"), ({"end": at(10.5)}, "scheduled"),
        ({"start": at(11)}, "scheduled"),
    )  # fmt: skip
    visit = await practice.book(at(9))
    for move, status in moves:
        if (await practice.get(visit))["status"] == "scheduled":
            await practice.done(await practice.call(visit, "confirm"))
        moved = await practice.done(await practice.move(visit, **move))
        assert moved["status"] == status, move
    await practice.done(await practice.call(visit, "confirm"))
    path = f"{VISITS}/{visit['id']}/room"
    body = {"room_id": practice.made["room 1"], "reason": "the window of room 1"}
    assert (await practice.done(await practice.admin.patch(path, json=body)))["status"] == "confirmed"


async def test_which_fields_each_status_lets_change(practice: Practice) -> None:
    """Cell by cell. Notes are no move: they stay open until the visit is over."""
    every = {
        "start": at(9), "end": at(10), "practitioner_id": "ana", "room_id": "room 1", "location": "on_site", "notes": "x",
    }  # fmt: skip
    allowed = {
        (): set(every), ("confirm",): set(every),
        ("check-in",): {"end", "practitioner_id", "room_id", "notes"},
        ("start",): {"end", "practitioner_id", "room_id", "notes"},
        ("complete",): set(), ("cancel",): set(), ("no-show",): set(),
    }  # fmt: skip
    for calls, may in allowed.items():
        visit = await practice.book(at(9), room_id="room 1")
        for call in calls:
            visit = await practice.done(await practice.call(visit, call))
        for name, value in every.items():
            answer = await practice.move(visit, **{name: value})
            if name in may:
                assert answer.status_code == 200, (calls, name, answer.text)
                continue
            problem = practice.problem(answer, 409)
            assert (problem["code"], problem["movable"]) == ("illegal_transition", sorted(may)), (calls, name)
        path = f"{VISITS}/{visit['id']}/room"
        body = {"room_id": practice.made["room 1"], "reason": "a reason of some length"}
        overridden = await practice.admin.patch(path, json=body)
        assert overridden.status_code == (200 if "room_id" in may else 409), calls
        for call in ("reopen", "reopen", "reopen", "cancel"):
            await practice.call(visit, call)


async def test_a_signed_visit_is_not_reopened(practice: Practice) -> None:
    visit = await practice.book(at(9))
    visit = await practice.done(await practice.call(visit, "complete"))
    await practice.stored(
        "update appointment_lines set line_status = 'signed' where organization_id = $1 and appointment_id = $2",
        visit["id"],
    )
    problem = practice.problem(await practice.call(visit, "reopen"), 409)
    assert (problem["code"], problem["allowed"]) == ("illegal_transition", [])
    assert (await practice.get(visit))["status"] == "completed"


async def test_who_comes_back_has_not_arrived_yet(open_always: Practice) -> None:
    practice = open_always
    for gone in ("cancel", "no-show"):
        visit = await practice.book(when(60))
        await practice.done(await practice.call(visit, "check-in", at=when(-5)))
        await practice.done(await practice.call(visit, gone))
        await practice.done(await practice.call(visit, "reinstate"))
        assert await times(practice, visit) == {}
        await practice.done(await practice.call(visit, "cancel"))


@pytest.fixture
async def ana(
    open_always: Practice, client: Client, organization: Organization
) -> Callable[[], httpx2.AsyncClient]:
    """Makes clients of Ana, who writes her own visits and may not book in the past."""
    password = "a password that the tests know"
    answer = await open_always.admin.post(f"{API}/users", json={
        "email": "ana@juniper.example", "name": "Ana", "password": password, "role": "practitioner",
        "practitioner_id": open_always.made["ana"],
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    async with client() as nobody:
        pair = await nobody.post(
            f"{API}/auth/login", json={"email": "ana@juniper.example", "password": password}
        )
    token = pair.json()["access_token"]
    return lambda: client(token)


async def test_time_that_has_passed_is_taken_again_by_permission(
    open_always: Practice, ana: Callable[[], httpx2.AsyncClient]
) -> None:
    practice = open_always
    over = await practice.book(when(-90), end=when(-30))
    running = await practice.book(when(-20), end=when(40), patient_id="quin")
    for visit in (over, running):
        await practice.done(await practice.call(visit, "no-show"))
    async with ana() as user:
        # Who comes late comes while the visit is not over.
        refused = [(over, "check-in"), (over, "reinstate"), (running, "reinstate")]
        for visit, call in refused:
            problem = practice.problem(await user.post(f"{VISITS}/{visit['id']}/{call}"), 409)
            assert [reason["code"] for reason in problem["reasons"]] == ["start_in_past"], call
        other = await practice.book(when(-90), end=when(-30), practitioner_id="ben")
        problem = practice.problem(await user.post(f"{VISITS}/{over['id']}/reinstate"), 409)
        assert [reason["code"] for reason in problem["reasons"]] == ["start_in_past", "patient_conflict"]
        await practice.done(await practice.call(other, "cancel"))
        late = await practice.done(await user.post(f"{VISITS}/{running['id']}/check-in"))
        assert late["status"] == "checked_in"
    assert (await practice.done(await practice.call(over, "reinstate")))["status"] == "scheduled"


async def test_no_permission_reaches_back_further_than_the_setting(open_always: Practice) -> None:
    practice = open_always
    visit = await practice.book(when(-60))
    await practice.done(await practice.call(visit, "no-show"))
    for table, name in (("appointments", "id"), ("appointment_lines", "appointment_id")):
        await practice.stored(
            f"update {table} set starts_at = starts_at - interval '8 days', ends_at = ends_at - interval '8 days'"
            f" where organization_id = $1 and {name} = $2", visit["id"],
        )  # fmt: skip
    for call in ("reinstate", "check-in"):
        problem = practice.problem(await practice.call(visit, call), 409)
        assert problem["code"] == "start_in_past", call


async def test_reasons_are_the_organizations_own(practice: Practice) -> None:
    path = f"{API}/organization"
    visit = await practice.book(at(9))
    await practice.done(await practice.call(visit, "cancel", reason_code="whatever"))
    await practice.admin.patch(path, json={"settings": {"cancellation_reason_codes": ["ill", "transport"]}})
    visit = await practice.book(at(9))
    problem = practice.problem(await practice.call(visit, "cancel", reason_code="whatever"), 422)
    assert fields(problem) == ["reason_code"]
    assert "ill, transport" in problem["errors"][0]["message"]
    assert (await practice.get(visit))["status"] == "scheduled"
    await practice.done(await practice.call(visit, "cancel", reason_code="transport"))
    await practice.done(await practice.call(visit, "reinstate"))
    await practice.done(await practice.call(visit, "cancel", cancelled_by="patient"))


async def test_each_party_can_cancel_and_only_an_error_is_never_late(open_always: Practice) -> None:
    practice = open_always
    for party in ("patient", "caregiver", "practitioner", "clinic", "payer", "weather", "error", None):
        visit = await practice.book(when(60))
        body = {"cancelled_by": party} if party else {}
        await practice.done(await practice.call(visit, "cancel", at=when(-5), **body))
        row = (await practice.stored(
            "select cancelled_by, cancelled_late, notice_minutes from appointments"
            " where organization_id = $1 and id = $2", visit["id"],
        ))[0]  # fmt: skip
        assert tuple(row) == (party, party != "error", 65)


async def test_what_makes_up_for_a_visit(practice: Practice, stranger: Organization) -> None:
    visit = await practice.book(at(9))
    refused = practice.booking(at(11), replaces_appointment_id=visit["id"])
    problem = practice.problem(await practice.admin.post(VISITS, json=refused), 409)
    assert (problem["code"], problem["status_now"]) == ("not_replaceable", "scheduled")
    await practice.done(await practice.call(visit, "cancel", cancelled_by="patient"))
    others = practice.booking(at(11), replaces_appointment_id=visit["id"], patient_id="quin")
    assert fields(practice.problem(await practice.admin.post(VISITS, json=others), 422)) == [
        "replaces_appointment_id"
    ]
    nobodys = practice.booking(at(11), replaces_appointment_id=ids.new())
    missing = practice.problem(await practice.admin.post(VISITS, json=nobodys), 404)
    assert missing["field"] == "replaces_appointment_id"
    make_up = await practice.book(at(11), replaces_appointment_id=visit["id"])
    twice = practice.booking(at(13), replaces_appointment_id=visit["id"])
    assert practice.problem(await practice.admin.post(VISITS, json=twice), 409)["code"] == "already_replaced"
    # One that was an error has made up for nothing; one that was missed can be made up for itself.
    await practice.done(await practice.call(make_up, "cancel", cancelled_by="error"))
    again = await practice.book(at(13), replaces_appointment_id=visit["id"])
    await practice.done(await practice.call(again, "no-show"))
    await practice.book(at(15), replaces_appointment_id=again["id"])


async def test_of_many_make_ups_at_once_one_is_booked(practice: Practice) -> None:
    visit = await practice.book(at(9))
    await practice.done(await practice.call(visit, "no-show"))
    answers = await asyncio.gather(*(
        practice.admin.post(VISITS, json=practice.booking(at(9 + n), replaces_appointment_id=visit["id"]))
        for n in range(8)
    ))  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_replaced"}


async def test_what_happened_can_be_read_back(open_always: Practice, client: Client) -> None:
    """On the visit itself, by whoever sees all of it; a colleague learns no more than that the time is taken."""
    practice = open_always
    visit = await practice.book(when(-60), end=when(-30))
    path = f"{VISITS}/{visit['id']}"
    told = ("checked_in_at", "started_at", "completed_at", "cancellation", "replaces_appointment_id")
    assert [(await practice.get(visit))[name] for name in told] == [None] * 5
    for call, minutes in (("check-in", -65), ("start", -55), ("complete", -35)):
        await practice.done(await practice.call(visit, call, at=when(minutes)))
    assert [(await practice.get(visit))[name] for name in told] == [
        when(-65), when(-55), when(-35), None, None,
    ]  # fmt: skip
    missed = await practice.book(when(-90), end=when(-80))
    await practice.done(await practice.call(
        missed, "cancel", at=when(-95), cancelled_by="caregiver", reason_code="ill", reason="Pat has a fever."))  # fmt: skip
    assert (await practice.get(missed))["cancellation"] == {
        "cancelled_at": when(-95), "cancelled_by": "caregiver", "reason_code": "ill", "reason": "Pat has a fever.",
        "notice_minutes": 5, "late": True,
    }  # fmt: skip
    instead = await practice.book(at(9), replaces_appointment_id=missed["id"])
    assert (await practice.get(instead))["replaces_appointment_id"] == missed["id"]
    await practice.done(await practice.call(missed, "reinstate"))
    assert (await practice.get(missed))["cancellation"] is None
    async with client(practice.organization.tokens["practitioner"]) as colleague:
        busy = (await colleague.get(path)).json()
    assert busy["id"] == visit["id"]
    assert not busy.keys() & {*told, "notes"}


async def test_a_word_that_is_not_known_is_answered_with_those_that_are(practice: Practice) -> None:
    visit = await practice.book(at(9))
    problem = practice.problem(await practice.call(visit, "cancel", cancelled_by="mother"), 422)
    assert problem["errors"] == [{
        "field": "cancelled_by", "code": "invalid_value",
        "message": "must be one of patient, caregiver, practitioner, clinic, payer, weather, error",
    }]  # fmt: skip
    for query, field in (("status=late", "status[0]"), ("status=scheduled&status=late", "status[1]")):
        problem = practice.problem(await practice.admin.get(f"{VISITS}?{query}"), 422)
        (told,) = problem["errors"]
        assert told["field"] == field
        assert told["message"].startswith("must be one of scheduled, confirmed, ")

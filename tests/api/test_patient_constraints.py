"""A patient's exclusions, windows, language and alerts at booking: what is refused, what is not offered, what is told."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from api.people import Client, Organization
from api.practice import API, VISITS, Practice, at, monday
from api.test_memory import asking, counting, elsewhere

from holdfast.app import Application

__all__ = ["elsewhere"]
EXCLUDED = "practitioner_excluded"


async def offered(practice: Practice, days: int = 1, **more: str) -> list[tuple[str, str]]:
    """Start and practitioner of each free hour of a service (talk) for Pat."""
    params: dict[str, Any] = {
        "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"], "patient_id": practice.made["pat"],
        "start_date": str(monday()), "end_date": str(monday() + timedelta(days=days - 1)), "step_minutes": 60,
        "limit": 500,
    } | more  # fmt: skip
    answer = await practice.admin.get(f"{API}/availability", params=params)
    assert answer.status_code == 200, answer.text
    return [(slot["start"], slot["practitioner_id"]) for slot in answer.json()["slots"]]


def codes(visit: Any) -> list[str]:
    return [notice["code"] for notice in visit["notices"]]


def assert_excluded(problem: Any, practitioner: str) -> None:
    assert problem["code"] == "rule_violation"
    (reason,) = problem["reasons"]
    assert (reason["rule"], reason["practitioner_id"]) == (EXCLUDED, practitioner)
    assert reason["detail"].endswith("is excluded for this patient.")
    assert problem["alternatives"] == {"rooms": [], "slots": []}


async def test_an_excluded_practitioner_is_refused_everywhere(practice: Practice) -> None:
    """A booking, a move to them or with them in time, a room override, a reinstatement; and nobody else."""
    ana = practice.made["ana"]
    standing, cancelled = await practice.book(at(9)), await practice.book(at(10))
    await practice.done(await practice.call(cancelled, "cancel"))
    with_ben = await practice.book(at(11), practitioner_id="ben")
    await practice.change("patients", "pat", excluded_practitioner_ids=[ana])
    assert_excluded(await practice.refused(at(13)), ana)
    assert_excluded(await practice.refused(at(13), room_id="room 1"), ana)
    for answer in (
        await practice.move(standing, start=at(14)),
        await practice.move(with_ben, practitioner_id="ana"),
        await practice.admin.patch(
            f"{VISITS}/{standing['id']}/room",
            json={"room_id": practice.made["room 2"], "reason": "a quieter room"},
        ),
        await practice.call(cancelled, "reinstate"),
    ):
        assert_excluded(practice.problem(answer, 409), ana)
    await practice.book(at(15), patient_id="quin")
    moved = await practice.done(await practice.move(standing, practitioner_id="ben", start=at(15)))
    assert (moved["practitioner_id"], moved["start"]) == (practice.made["ben"], at(15))
    await practice.change("patients", "pat", excluded_practitioner_ids=[])
    await practice.done(await practice.call(cancelled, "reinstate"))


async def test_an_excluded_practitioner_is_not_offered(practice: Practice) -> None:
    ana, ben = practice.made["ana"], practice.made["ben"]
    assert {who for _, who in await offered(practice)} >= {ana, ben}
    await practice.change("patients", "pat", excluded_practitioner_ids=[ana])
    mine = await offered(practice)
    assert {who for _, who in mine} & {ana, ben} == {ben}
    assert await offered(practice, practitioner_id=ana) == []
    await practice.book(at(9), patient_id="quin")
    asked = {
        "start": at(9), "end": at(10), "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"],
        "practitioner_id": ana,
    }  # fmt: skip
    for patient, has_slots in ((practice.made["pat"], False), (practice.made["quin"], True)):
        answer = await practice.admin.get(f"{VISITS}/conflicts", params=asked | {"patient_id": patient})
        assert bool(answer.json()["alternatives"]["slots"]) == has_slots


async def test_a_lane_forgets_a_patient_who_was_changed(
    application: Application, elsewhere: Application, practice: Practice
) -> None:
    """Whether the change came through this process or another, the next booking knows of it."""
    ana = practice.made["ana"]
    path = f"{API}/patients/{practice.made['pat']}"

    async def crowd(day: int) -> set[int]:
        wishes = [practice.booking(at(hour, day)) for hour in range(8, 17)]
        return {
            a.status_code
            for a in await asyncio.gather(*(practice.admin.post(VISITS, json=w) for w in wishes))
        }

    with counting() as remembered:
        assert await crowd(0) == {201}
        assert await crowd(1) == {201}
        assert (
            await practice.admin.patch(path, json={"excluded_practitioner_ids": [ana]})
        ).status_code == 200
        assert await crowd(2) == {409}
        assert (await practice.admin.patch(path, json={"excluded_practitioner_ids": []})).status_code == 200
        assert await crowd(3) == {201}
        async with asking(elsewhere, practice) as other:
            assert (await other.patch(path, json={"excluded_practitioner_ids": [ana]})).status_code == 200
        assert await crowd(4) == {409}
    assert remembered


async def test_windows_bound_what_is_offered_and_not_what_the_desk_books(practice: Practice) -> None:
    """Mondays from one to four, in the clinic's time: all of the visit lies inside."""
    quiet = await practice.book(at(9), practitioner_id="ben")
    assert (quiet["notices"], quiet["has_alerts"]) == ([], False)
    await practice.change("patients", "pat", availability=[{"weekday": 0, "start": "13:00", "end": "16:00"}])
    ana = practice.made["ana"]
    assert [start for start, who in await offered(practice, 7) if who == ana] == [at(h) for h in (13, 14, 15)]
    outside = await practice.book(at(15.5))
    assert codes(outside) == ["outside_patient_availability"]
    inside = await practice.done(await practice.move(outside, start=at(14)))
    assert inside["notices"] == []
    late = await practice.done(await practice.move(outside, start=at(14, 1)))
    assert codes(late) == ["outside_patient_availability"]
    assert not {"notices", "has_alerts"} & set(await practice.get(late))
    await practice.make(
        "services", "report", name="Report", code="REPORT", duration_minutes=60, attendance="none"
    )
    assert len(await offered(practice, service_id=practice.made["report"])) > 3, "nobody has to come to it"
    report = await practice.book(at(17), service_id="report")
    assert report["notices"] == []


async def test_alternatives_prefer_when_the_patient_can_come(practice: Practice) -> None:
    """Those first, however far; each can be booked as it is offered."""
    await practice.change("patients", "pat", availability=[{"weekday": 2, "start": "08:00", "end": "18:00"}])
    await practice.book(at(9), patient_id="quin")
    refused = await practice.refused(at(9))
    slots = refused["alternatives"]["slots"]
    assert slots
    for slot in slots:
        visit = await practice.book(slot["start"], practitioner_id=slot["practitioner_id"])
        assert visit["notices"] == [], slot
        await practice.done(await practice.call(visit, "cancel"))


async def test_language_preference_and_alerts_are_told(
    practice: Practice, client: Client, organization: Organization
) -> None:
    await practice.change("practitioners", "ana", languages=["en", "es"])
    await practice.change("practitioners", "ben", languages=["en"])
    await practice.change(
        "patients", "pat", language="es-MX", needs_interpreter=True, alerts="Nut allergy.",
        preferred_practitioner_ids=[practice.made["ana"]],
    )  # fmt: skip
    with_ana = await practice.book(at(9))
    assert (codes(with_ana), with_ana["has_alerts"]) == ([], True)
    moved = await practice.done(await practice.move(with_ana, practitioner_id="ben"))
    assert codes(moved) == ["interpreter_needed", "language_differs", "not_preferred_practitioner"]
    assert moved["has_alerts"] is True
    await practice.done(await practice.call(moved, "cancel"))
    again = await practice.done(await practice.call(moved, "reinstate"))
    assert codes(again) == codes(moved)
    confirmed = await practice.done(await practice.call(again, "confirm"))
    assert "notices" not in confirmed, "only who gives a visit its time is told"
    stored = await practice.stored(
        "select string_agg(e.body::text, '') || (select string_agg(a::text, '') from audit a"
        " where a.organization_id = $1) from events e where e.organization_id = $1 and e.kind like 'appointment.%'"
    )
    for word in ("Nut", "es-MX", "notices", "has_alerts"):
        assert word not in stored[0][0]


async def test_a_replayed_answer_says_the_same(practice: Practice) -> None:
    await practice.change("patients", "pat", needs_interpreter=True)
    wish, key = practice.booking(at(9)), {"Idempotency-Key": "told-once"}
    first = await practice.admin.post(VISITS, json=wish, headers=key)
    await practice.change("patients", "pat", needs_interpreter=False)
    second = await practice.admin.post(VISITS, json=wish, headers=key)
    assert (second.status_code, second.content) == (201, first.content)
    assert codes(second.json()) == ["interpreter_needed"]


async def test_the_row_carries_what_the_tables_say(practice: Practice) -> None:
    """Null for who has nothing; and again when everything was taken away."""
    carried = (
        "select booking_constraints::text, patient_constraints($1, id)::text from patients"
        " where organization_id = $1 and id = $2"
    )
    assert [tuple(row) for row in await practice.stored(carried, practice.made["quin"])] == [(None, None)]
    await practice.change(
        "patients", "quin", excluded_practitioner_ids=[practice.made["ana"]],
        availability=[{"weekday": 6, "start": "22:00", "end": "24:00"}], coverages=[
            {"payer_id": practice.made["payer"], "rank": 2, "valid_from": "2026-01-01"},
            {"payer_id": practice.made["payer"], "rank": 1, "valid_to": "2026-06-30"},
        ],
    )  # fmt: skip
    ((row, derived),) = await practice.stored(carried, practice.made["quin"])
    assert row == derived
    assert msgspec.json.decode(row) == {
        "excluded": [practice.made["ana"]], "availability": [[6, 1320, 1440]],
        "coverages": [
            [practice.made["payer"], 1, None, "2026-06-30"], [practice.made["payer"], 2, "2026-01-01", None],
        ],
    }  # fmt: skip
    await practice.change("patients", "quin", excluded_practitioner_ids=[], availability=[], coverages=[])
    assert [tuple(row) for row in await practice.stored(carried, practice.made["quin"])] == [(None, None)]


async def test_a_credential_is_asked_for_on_the_date_of_service(practice: Practice) -> None:
    """What ends tomorrow is good for today's visit only: neither booked nor offered beyond."""
    until = str(monday() + timedelta(days=1))
    await practice.change("practitioners", "ana", credentials=[{"code": "RBT", "valid_to": until}])
    await practice.change("practitioners", "ben", credentials=[{"code": "BCBA", "valid_from": until}])
    await practice.make(
        "services",
        "care",
        name="Care",
        code="CARE",
        duration_minutes=60,
        required_credentials=["RBT", "BCBA"],
    )
    slots = await offered(practice, 4, service_id=practice.made["care"])
    days = {
        name: {
            n for n in range(4) for start, who in slots
            if who == practice.made[name] and at(0, n) <= start < at(0, n + 1)
        }
        for name in ("ana", "ben")
    }  # fmt: skip
    assert days == {"ana": {0, 1}, "ben": {1, 2, 3}}
    assert (await practice.refused(at(12, 2), service_id="care"))["code"] == "credential_expired"
    assert (await practice.refused(at(12), service_id="care", practitioner_id="ben"))[
        "code"
    ] == "credential_expired"
    await practice.book(at(12, 1), service_id="care")
    await practice.change("practitioners", "ben", credentials=[{"code": "PT"}])
    refused = await practice.refused(at(12, 2), service_id="care", practitioner_id="ben")
    assert refused["code"] == "credential_missing"


@pytest.mark.parametrize("languages", [["english of England"], ["e"], ["en"] * 21])
async def test_languages_are_tags(practice: Practice, languages: list[str]) -> None:
    path = f"{API}/practitioners/{practice.made['ana']}"
    assert (await practice.admin.get(path)).json()["languages"] == []
    answer = await practice.admin.patch(path, json={"languages": languages})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("languages")

"""GET /appointments/conflicts: what is in the way of a time, told before anything is booked."""

from datetime import UTC, datetime, timedelta
from typing import Any

from api.people import Client
from api.practice import API, VISITS, Practice, at

from holdfast import ids
from holdfast.slot import instant

CONFLICTS = f"{VISITS}/conflicts"


async def asked(practice: Practice, start: str, end: str, **whose: str) -> Any:
    params = {"start": start, "end": end} | {
        name: practice.made.get(value, value) for name, value in whose.items()
    }
    answer = await practice.admin.get(CONFLICTS, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["as-of-seq"] == str(answer.json()["as_of_seq"])
    return answer.json()


def told(found: Any) -> list[tuple[str, str, str, str]]:
    return sorted((c["kind"], c["start"], c["end"], c["status"]) for c in found["conflicts"])


async def test_what_is_in_the_way_of_whom(practice: Practice) -> None:
    visit = await practice.book(at(9), practitioner_id="ben", room_id="room 1")
    await practice.done(await practice.call(visit, "confirm"))
    for whose, expected in (
        ({"practitioner_id": "ben"}, [("practitioner", at(9), at(10.25), "confirmed")]),
        ({"patient_id": "pat"}, [("patient", at(9), at(10), "confirmed")]),
        ({"room_id": "room 1"}, [
            ("room", at(9), at(10), "confirmed"), ("room", at(10), at(10 + 1 / 6), "confirmed"),
        ]),
        ({"practitioner_id": "ana", "patient_id": "quin", "room_id": "room 2"}, []), ({}, []),
    ):  # fmt: skip
        found = await asked(practice, at(9.5), at(10.5), **whose)
        assert told(found) == expected
        assert found["has_conflict"] == bool(expected)
        assert all(c["appointment_id"] == visit["id"] for c in found["conflicts"])
    assert not (
        await asked(practice, at(8), at(9), practitioner_id="ben", patient_id="pat", room_id="room 1")
    )["has_conflict"]
    assert not (await asked(practice, at(10), at(11), patient_id="pat"))["has_conflict"]
    own = await asked(practice, at(9), at(10), patient_id="pat", exclude_appointment_id=visit["id"])
    assert not own["has_conflict"]
    await practice.done(await practice.call(visit, "cancel"))
    assert not (await asked(practice, at(9), at(10), practitioner_id="ben", room_id="room 1"))["has_conflict"]


async def test_a_patient_learns_nothing_of_other_peoples_visits(practice: Practice, client: Client) -> None:
    await practice.book(at(9), practitioner_id="ben", room_id="room 1")
    whose = {"practitioner_id": practice.made["ben"], "room_id": practice.made["room 1"]}
    async with client(practice.organization.tokens["patient"]) as patient:
        answer = await patient.get(CONFLICTS, params={"start": at(9), "end": at(10), **whose})
    found = answer.json()["conflicts"]
    assert {each["kind"] for each in found} == {"practitioner", "room"}
    assert all((each["appointment_id"], each["status"]) == (None, "busy") for each in found)


async def test_seats_are_counted(practice: Practice) -> None:
    await practice.change("rooms", "room 2", concurrent_visits_max=2)
    await practice.book(at(9), room_id="room 2")
    assert not (await asked(practice, at(9), at(10), room_id="room 2"))["has_conflict"]
    await practice.book(at(9.5), practitioner_id="ben", patient_id="quin", room_id="room 2")
    assert len((await asked(practice, at(9), at(10), room_id="room 2"))["conflicts"]) == 2
    assert not (await asked(practice, at(8.5), at(9.5), room_id="room 2"))["has_conflict"]


async def test_absences_are_in_the_way_too(practice: Practice) -> None:
    path = f"{API}/practitioners/{practice.made['ana']}/time-off"
    assert (await practice.admin.post(path, json={"start": at(9), "end": at(12)})).status_code == 201
    found = await asked(practice, at(11), at(12), practitioner_id="ana")
    assert [(c["status"], c["appointment_id"]) for c in found["conflicts"]] == [("time_off", None)]


async def test_alternatives_can_be_booked_in_the_state_they_are_of(practice: Practice) -> None:
    await practice.book(at(9), room_id="room 1")
    whose = {"practitioner_id": "ana", "clinic_id": "clinic", "service_id": "talk"}
    found = await asked(practice, at(9), at(10), patient_id="quin", **whose)
    assert [slot["start"] for slot in found["alternatives"]["slots"]] == [at(8), at(10), at(10.25)]
    assert found["alternatives"]["rooms"] == []
    for slot in found["alternatives"]["slots"][:2]:
        await practice.book(slot["start"], patient_id="quin", room_id=slot["room_id"])
    rooms = await asked(
        practice,
        at(9),
        at(10),
        **whose | {"practitioner_id": "ben", "room_id": "room 1", "patient_id": "quin"},
    )
    assert [room["room_id"] for room in rooms["alternatives"]["rooms"]] == [practice.made["room 2"]]


async def test_alternatives_near_now_and_near_midnight_are_found(practice: Practice) -> None:
    """Neither time that is over nor the last turnover after the last day asked about is missing."""
    paris = await practice.make("clinics", "paris", name="Paris", time_zone="Europe/Paris", opening_hours=[])
    await practice.make("rooms", "long", clinic_id=paris, number="1", room_type="talk", cleaning_minutes=120)
    await practice.make("practitioners", "cleo", name="Cleo", clinic_ids=[paris])
    whose = {"practitioner_id": "cleo", "clinic_id": "paris", "service_id": "talk"}
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    midnight = now.replace(hour=23)
    for start in (now + timedelta(hours=1), now + timedelta(hours=30), midnight + timedelta(days=2)):
        text = [(start + timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in (0, 1)]
        await practice.book(text[0], clinic_id="paris", practitioner_id="cleo")
        found = await asked(practice, *text, **whose)
        assert len(found["alternatives"]["slots"]) == 3
        assert all(instant(slot["start"]) >= now.timestamp() for slot in found["alternatives"]["slots"])


async def test_ids_of_nobody_are_in_nobodys_way(practice: Practice, stranger: Any) -> None:
    await practice.book(at(9))
    for unknown in (ids.new(), stranger.patient_id, stranger.practitioner_id):
        found = await asked(
            practice, at(9), at(10), patient_id=unknown, practitioner_id=unknown, room_id=unknown
        )
        assert (found["has_conflict"], found["conflicts"]) == (False, [])


async def test_a_patient_learns_of_own_time_only(practice: Practice, client: Client) -> None:
    await practice.book(at(9))
    async with client(practice.organization.tokens["patient"]) as patient:
        params = {"start": at(9), "end": at(10), "patient_id": practice.made["pat"]}
        assert (await patient.get(CONFLICTS, params=params)).json()["has_conflict"] is False
        # Nor from what is free: Pat, who is with Ana then and may not be with Ben, is as nobody.
        await practice.book(at(9), practitioner_id="ben", patient_id="quin")
        excluded = {"excluded_practitioner_ids": [practice.made["ben"]]}
        await practice.change("patients", "pat", **excluded)
        params |= {name: practice.made[each] for name, each in (
            ("practitioner_id", "ben"), ("clinic_id", "clinic"), ("service_id", "talk"))}  # fmt: skip
        of_pat = (await patient.get(CONFLICTS, params=params)).json()
        of_nobody = (await patient.get(CONFLICTS, params=params | {"patient_id": ids.new()})).json()
        assert of_pat == of_nobody and of_pat["alternatives"]["slots"]


async def test_what_is_no_time_is_not_understood(practice: Practice) -> None:
    cases = [
        ({"end": at(9)}, "end"), ({"end": at(8)}, "end"), ({"end": at(33.5)}, "end"), ({"start": "x"}, "start"),
        ({"start": at(9)[:-1] + "+25:00"}, "start"), ({"patient_id": "x"}, "patient_id"), ({"x": "1"}, "x"),
    ]  # fmt: skip
    for change, field in cases:
        answer = await practice.admin.get(CONFLICTS, params={"start": at(9), "end": at(10)} | change)
        assert [error["field"] for error in practice.problem(answer, 422)["errors"]] == [field]
    answer = await practice.admin.get(CONFLICTS)
    assert [error["field"] for error in practice.problem(answer, 422)["errors"]] == ["start", "end"]

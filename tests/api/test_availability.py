"""GET /availability: every time offered can be booked, and none of the grid that could be is missing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api.people import Client
from api.practice import API, VISITS, Practice, at, monday

from holdfast import ids
from holdfast.slot import instant

FREE = f"{API}/availability"


async def asked(practice: Practice, **more: Any) -> Any:
    days = more.pop("days", 1)
    params: dict[str, Any] = {
        "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"], "start_date": str(monday()),
        "end_date": str(monday() + timedelta(days=days - 1)), "limit": 500,
    } | more  # fmt: skip
    answer = await practice.admin.get(FREE, params=params)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert answer.headers["as-of-seq"] == str(found["as_of_seq"])
    keys = [(slot["start"], -slot["score"], slot["practitioner_id"]) for slot in found["slots"]]
    assert keys == sorted(keys) and len(set(keys)) == len(keys)
    return found


def starts(found: Any, practitioner: str | None = None) -> list[str]:
    return [slot["start"] for slot in found["slots"] if practitioner in (None, slot["practitioner_id"])]


async def busy_day(practice: Practice) -> None:
    await practice.book(at(9), practitioner_id="ana", room_id="room 1")
    await practice.book(at(10.5), practitioner_id="ben", patient_id="quin", room_id="room 2")
    for path, start, end in (
        (f"practitioners/{practice.made['ana']}/time-off", 14, 15), (f"rooms/{practice.made['room 1']}/closures", 11, 17),
        (f"clinics/{practice.made['clinic']}/closures", 17, 18),
    ):  # fmt: skip
        answer = await practice.admin.post(f"{API}/{path}", json={"start": at(start), "end": at(end)})
        assert answer.status_code == 201, answer.text


async def test_what_is_offered_is_exactly_what_can_be_booked(practice: Practice) -> None:
    """Every half hour of the day with everyone is tried for real: booked, and cancelled again."""
    await busy_day(practice)
    quin = practice.made["quin"]
    offered = {
        (slot["start"], slot["practitioner_id"]): slot["room_id"]
        for slot in (await asked(practice, step_minutes=30, patient_id=quin))["slots"]
    }
    tried = 0
    for name in ("ana", "ben"):
        for half in range(14, 38):
            start = at(half / 2)
            answer = await practice.admin.post(
                VISITS, json=practice.booking(start, practitioner_id=name, patient_id="quin")
            )
            assert (answer.status_code == 201) == ((start, practice.made[name]) in offered), (
                name,
                start,
                answer.text,
            )
            if answer.status_code == 201:
                tried += 1
                assert answer.json()["room_id"] == offered[start, practice.made[name]]
                await practice.done(await practice.call(answer.json(), "cancel"))
    assert tried == sum(each in (practice.made["ana"], practice.made["ben"]) for _, each in offered)
    assert tried > 10


async def test_the_limit_says_when_it_cut(practice: Practice) -> None:
    everything = await asked(practice)
    assert everything["truncated"] is False
    count = len(everything["slots"])
    assert (await asked(practice, limit=count))["truncated"] is False
    for limit in (1, 7, count - 1):
        some = await asked(practice, limit=limit)
        assert some["slots"] == everything["slots"][:limit]
        assert some["truncated"] is True


async def test_filters_take_away_and_add_nothing(practice: Practice) -> None:
    everything = await asked(practice, days=7, step_minutes=60)
    ana = practice.made["ana"]
    only = await asked(practice, days=7, step_minutes=60, practitioner_id=ana)
    assert only["slots"] == [slot for slot in everything["slots"] if slot["practitioner_id"] == ana]
    two = await asked(practice, days=7, step_minutes=60, weekdays="0,2")
    days = [(at(0, day=day), at(24, day=day)) for day in (0, 2)]
    assert two["slots"] == [
        s for s in everything["slots"] if any(low <= s["start"] < high for low, high in days)
    ]
    assert all(any(low <= start < high for start in starts(two)) for low, high in days)
    assert (await asked(practice, days=7, step_minutes=60, weekdays=["0", "2"]))["slots"] == two["slots"]
    part = await asked(practice, time_from="10:00", time_to="12:30", step_minutes=30, practitioner_id=ana)
    assert starts(part) == [at(10), at(10.5), at(11), at(11.5)]
    long = await asked(practice, duration_minutes=570, step_minutes=30, practitioner_id=ana)
    assert starts(long) == [at(8), at(8.5)]
    assert all(instant(slot["end"]) - instant(slot["start"]) == 570 * 60 for slot in long["slots"])
    fine = await asked(practice, step_minutes=5, duration_minutes=590, practitioner_id=ana)
    assert starts(fine) == [at(8), at(8 + 5 / 60), at(8 + 10 / 60)]


async def test_sundays_needs_and_units_leave_nothing(practice: Practice) -> None:
    sunday = str(monday() + timedelta(days=6))
    own = practice.organization.practitioner_id
    assert {
        slot["practitioner_id"]
        for slot in (await asked(practice, start_date=sunday, end_date=sunday))["slots"]
    } <= {own}
    ana = {"practitioner_id": practice.made["ana"]}
    funded = {"service_id": practice.made["funded"], **ana}
    assert (await asked(practice, patient_id=practice.made["pat"], **funded))["slots"]
    assert (await asked(practice, patient_id=practice.made["quin"], **funded))["slots"] == []
    assert (await asked(practice, **funded))["slots"]
    await practice.book(at(8), service_id="funded", end=at(12.75))
    assert (await asked(practice, patient_id=practice.made["pat"], **funded))["slots"] == []
    await practice.change("patients", "quin", needs=["step_free"])
    assert (await asked(practice, patient_id=practice.made["quin"], **ana))["slots"] == []
    await practice.change("services", "talk", required_credentials=["BCBA"])
    assert (await asked(practice, **ana))["slots"] == []


async def test_what_is_past_is_never_offered(practice: Practice) -> None:
    await practice.change("clinics", "clinic", opening_hours=[])
    await practice.change("practitioners", "ana", working_hours=[])
    now = datetime.now(UTC)
    dates = {
        "start_date": str((now - timedelta(days=9)).date()),
        "end_date": str((now + timedelta(days=1)).date()),
    }
    found = await asked(practice, practitioner_id=practice.made["ana"], **dates)
    assert found["slots"] and all(instant(start) >= now.timestamp() - 1 for start in starts(found))
    assert instant(starts(found)[0]) <= now.timestamp() + 16 * 60
    dates["end_date"] = str((now - timedelta(days=2)).date())
    assert (await asked(practice, **dates))["slots"] == []


async def test_visits_may_be_offered_over_midnight_and_bookings_agree(practice: Practice) -> None:
    always = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7)]
    await practice.change("clinics", "clinic", opening_hours=always)
    hours = [each | {"clinic_id": practice.made["clinic"]} for each in always]
    await practice.change("practitioners", "ana", working_hours=hours)
    found = await asked(practice, practitioner_id=practice.made["ana"], time_from="23:00", step_minutes=30)
    assert starts(found) == [at(23), at(23.5)]
    await practice.book(found["slots"][1]["start"])


@pytest.mark.parametrize(("month", "hours"), [(3, 23), (11, 25)])
async def test_a_day_of_23_or_25_hours_has_that_many(practice: Practice, month: int, hours: int) -> None:
    denver = await practice.make(
        "clinics", "denver", name="Denver", time_zone="America/Denver", opening_hours=[]
    )
    await practice.make("rooms", "night", clinic_id=denver, number="1", room_type="talk", cleaning_minutes=0)
    await practice.make("practitioners", "cleo", name="Cleo", clinic_ids=[denver])
    first = datetime(monday().year + 1, month, 1, tzinfo=UTC)
    sunday = first + timedelta(days=(6 - first.weekday()) % 7 + (7 if month == 3 else 0))
    found = await asked(
        practice, clinic_id=denver, practitioner_id=practice.made["cleo"], step_minutes=60,
        start_date=str(sunday.date()), end_date=str(sunday.date()),
    )  # fmt: skip
    assert len(found["slots"]) == hours
    at_two = int(sunday.timestamp()) + 9 * 3600
    for slot in found["slots"]:
        if abs(instant(slot["start"]) - at_two) <= 7200:
            await practice.book(slot["start"], clinic_id="denver", practitioner_id="cleo")


IDS = ("clinic_id", "service_id", "practitioner_id", "patient_id")


async def test_an_id_of_nobody_or_of_others_is_not_found(practice: Practice, stranger: Any) -> None:
    theirs = {"practitioner_id": stranger.practitioner_id, "patient_id": stranger.patient_id}
    for field in IDS:
        for unknown in (ids.new(), theirs.get(field, ids.new())):
            params = {
                "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"],
                "start_date": str(monday()), "end_date": str(monday()), field: unknown,
            }  # fmt: skip
            problem = practice.problem(await practice.admin.get(FREE, params=params), 404)
            assert (problem["code"], problem["field"]) == ("not_found", field)


NO_QUESTIONS: tuple[Any, ...] = (
    ({"end_date": str(monday() - timedelta(days=1))}, "end_date"), ({"end_date": str(monday() + timedelta(days=31))}, "end_date"),
    ({"start_date": "0000-01-01"}, "start_date"), ({"start_date": "infinity"}, "start_date"), ({"end_date": "9999-12-31"}, "end_date"),
    ({"limit": 0}, "limit"), ({"limit": 501}, "limit"), ({"limit": "many"}, "limit"), ({"step_minutes": 4}, "step_minutes"),
    ({"step_minutes": 241}, "step_minutes"), ({"duration_minutes": 0}, "duration_minutes"),
    ({"duration_minutes": 1441}, "duration_minutes"), ({"weekdays": "7"}, "weekdays"), ({"weekdays": "mon"}, "weekdays"),
    ({"weekdays": "12"}, "weekdays"), ({"weekdays": ""}, "weekdays"), ({"time_from": "8"}, "time_from"), ({"time_from": "24:30"}, "time_from"),
    ({"time_to": "08:00", "time_from": "09:00"}, "time_to"), ({"time_to": "09:60"}, "time_to"), ({"days": 3}, "days"),
)  # fmt: skip


async def test_what_is_no_question_is_not_understood(practice: Practice) -> None:
    for change, field in NO_QUESTIONS:
        params = {
            "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"],
            "start_date": str(monday()), "end_date": str(monday()),
        } | change  # fmt: skip
        problem = practice.problem(await practice.admin.get(FREE, params=params), 422)
        assert field in [error["field"] for error in problem["errors"]], change


async def test_a_patient_asks_for_oneself_only(practice: Practice, client: Client) -> None:
    params = {
        "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"], "start_date": str(monday()),
        "end_date": str(monday()),
    }  # fmt: skip
    async with client(practice.organization.tokens["patient"]) as patient:
        assert (
            await patient.get(FREE, params=params | {"patient_id": practice.made["pat"]})
        ).status_code == 404
        own = await patient.get(FREE, params=params | {"patient_id": practice.organization.patient_id})
        assert own.status_code == 200 and own.json()["slots"]

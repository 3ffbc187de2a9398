"""GET /availability/patterns: what is offered for many weeks can be booked on every date that is said to be free, and is
refused on the others for the reasons that are given.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from api.people import Client
from api.practice import API, VISITS, Practice, at, monday

from holdfast import ids
from holdfast.slot import instant

PATTERNS = f"{API}/availability/patterns"


def params(practice: Practice, **more: Any) -> dict[str, Any]:
    wanted = {
        "clinic_id": "clinic", "service_id": "talk", "start_date": str(monday()), "weekdays": "1,3", "weeks": 4,
        "time": "15:30",
    } | more  # fmt: skip
    return {
        name: practice.made.get(value, value) if isinstance(value, str) else value
        for name, value in wanted.items()
        if value is not None
    }


async def asked(practice: Practice, **more: Any) -> Any:
    answer = await practice.admin.get(PATTERNS, params=params(practice, **more))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert answer.headers["as-of-seq"] == str(found["as_of_seq"])
    for each in found["patterns"]:
        assert each["free_count"] == sum(one["is_free"] for one in each["dates"]) > 0
        assert len(each["dates"]) == found["date_count"]
        assert all(one["is_free"] == (not one["reasons"]) for one in each["dates"])
    return found


def of(found: Any, practitioner: str, time: str = "15:30") -> Any:
    return next(
        each for each in found["patterns"] if (each["practitioner_id"], each["time"]) == (practitioner, time)
    )


async def test_who_has_the_most_free_dates_comes_first_with_reasons_for_the_others(
    practice: Practice,
) -> None:
    ana, ben = practice.made["ana"], practice.made["ben"]
    await practice.book(at(15, 1))  # Ana, over the first Tuesday's half past three
    off = {"start": at(0, 3), "end": at(24, 3)}
    assert (await practice.admin.post(f"{API}/practitioners/{ana}/time-off", json=off)).status_code == 201
    found = await asked(practice)
    assert found["date_count"] == 8 and not found["truncated"]
    firsts = [each["practitioner_id"] for each in found["patterns"]]
    assert firsts.index(ben) < firsts.index(ana)
    dates = of(found, ana)["dates"]
    assert [each["date"] for each in dates] == [
        str(monday() + timedelta(days=7 * week + day)) for week in range(4) for day in (1, 3)
    ]
    assert [reason["code"] for reason in dates[0]["reasons"]] == ["practitioner_conflict"]
    assert dates[1]["reasons"][0]["code"] == "practitioner_unavailable"
    assert all(each["is_free"] and each["room_id"] for each in dates[2:])
    assert [each["start"] for each in dates] == [
        at(15.5, 7 * week + day) for week in range(4) for day in (1, 3)
    ]


async def test_what_is_free_can_be_booked_and_the_rest_is_refused_so(practice: Practice) -> None:
    quin = practice.made["quin"]
    await practice.book(at(15, 1), patient_id="quin", practitioner_id="ben")
    await practice.book(at(16, 10), patient_id="pat", practitioner_id="ana")
    only = {"patient_id": quin, "practitioner_id": practice.made["ana"]}
    for one in of(await asked(practice, **only), practice.made["ana"])["dates"]:
        wish = practice.booking(one["start"], patient_id="quin")
        answer = await practice.admin.post(VISITS, json=wish)
        if one["is_free"]:
            assert answer.status_code == 201, answer.text
            assert answer.json()["room_id"] == one["room_id"]
        else:
            refused = practice.problem(answer, 409)
            assert [each["code"] for each in refused["reasons"]] == [each["code"] for each in one["reasons"]]
    assert (await asked(practice, **only))["patterns"] == []


async def test_units_are_spent_from_date_to_date(practice: Practice) -> None:
    """Twenty units pay for five hours: the sixth date finds none."""
    found = await asked(
        practice, service_id="funded", patient_id="pat", practitioner_id=practice.made["ana"], weekdays="0,1,2,3",
        weeks=2,
    )  # fmt: skip
    (pattern,) = found["patterns"]
    assert [each["is_free"] for each in pattern["dates"]] == [True] * 5 + [False] * 3
    assert [each["code"] for each in pattern["dates"][5]["reasons"]] == ["insufficient_units"]


async def test_a_part_of_the_day_is_searched_and_the_best_times_come_first(practice: Practice) -> None:
    ana = practice.made["ana"]
    await practice.book(at(14, 1))
    found = await asked(
        practice, time=None, time_from="14:00", time_to="16:00", step_minutes=30, practitioner_id=ana
    )
    assert [(each["time"], each["free_count"]) for each in found["patterns"]] == [
        ("15:00", 8), ("14:00", 7), ("14:30", 7),
    ]  # fmt: skip
    some = await asked(
        practice, time=None, time_from="14:00", time_to="16:00", step_minutes=30, practitioner_id=ana, limit=2
    )
    assert some["patterns"] == found["patterns"][:2] and some["truncated"]
    several = await asked(practice, practitioner_ids=[ana, practice.made["ben"]])
    assert {each["practitioner_id"] for each in several["patterns"]} == {ana, practice.made["ben"]}


async def test_the_time_on_the_wall_stays_when_the_clock_changes(practice: Practice) -> None:
    zone = "America/Denver"
    await practice.make("clinics", "denver", name="Denver", time_zone=zone, opening_hours=[])
    await practice.make("rooms", "snow", clinic_id=practice.made["denver"], number="1", room_type="talk")
    await practice.make("practitioners", "cleo", name="Cleo", clinic_ids=[practice.made["denver"]])
    # Four weeks across the first Sunday of November.
    first = date(monday().year + 1, 10, 20)
    found = await asked(practice, clinic_id="denver", start_date=str(first), weekdays="6", until=str(first + timedelta(days=28)),
                        weeks=None, practitioner_id=practice.made["cleo"])  # fmt: skip
    (pattern,) = found["patterns"]
    clocks = [datetime.fromtimestamp(instant(each["start"]), ZoneInfo(zone)) for each in pattern["dates"]]
    assert [f"{clock:%H:%M}" for clock in clocks] == ["15:30"] * len(clocks) and len(clocks) >= 4
    assert len({clock.utcoffset() for clock in clocks}) == 2


async def test_what_is_over_is_no_date_of_a_pattern(practice: Practice) -> None:
    today = datetime.now(UTC).date()
    found = await asked(
        practice, start_date=str(today - timedelta(days=14)), until=str(today + timedelta(days=14)), weeks=None,
        weekdays="0,1,2,3,4",
    )  # fmt: skip
    assert 9 <= found["date_count"] <= 12
    over = await asked(
        practice, start_date=str(today - timedelta(days=30)), until=str(today - timedelta(days=3)), weeks=None
    )
    assert over["date_count"] == 0 and over["patterns"] == []


NO_QUESTIONS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"weeks": 0}, "weeks"), ({"weeks": 27}, "weeks"), ({"weeks": None}, "weeks"), ({"until": str(monday())}, "weeks"),
    ({"weeks": None, "until": str(monday() - timedelta(days=1))}, "until"),
    ({"weeks": None, "until": str(monday() + timedelta(days=182))}, "until"),
    ({"weeks": None, "until": str(monday())}, "weekdays"),
    ({"weekdays": "7"}, "weekdays"), ({"weekdays": None}, "weekdays"), ({"time": None}, "time"), ({"time": "24:00"}, "time"),
    ({"time": "3pm"}, "time"), ({"time_from": "08:00"}, "time"), ({"time": None, "time_from": "12:00", "time_to": "12:00"}, "time_to"),
    ({"limit": 0}, "limit"), ({"limit": 51}, "limit"), ({"start_date": "9999-12-30"}, "start_date"), ({"day": 1}, "day"),
)  # fmt: skip


async def test_what_is_no_question_is_not_understood(practice: Practice) -> None:
    for change, field in NO_QUESTIONS:
        answer = await practice.admin.get(PATTERNS, params=params(practice, **change))
        problem = practice.problem(answer, 422)
        assert field in [error["field"] for error in problem["errors"]], (change, problem)


async def test_more_than_can_be_looked_at_is_said_and_not_cut(practice: Practice) -> None:
    every = {
        "time": None,
        "time_from": "00:00",
        "time_to": "24:00",
        "step_minutes": 5,
        "weekdays": "0,1,2,3,4,5,6",
    }
    problem = practice.problem(
        await practice.admin.get(PATTERNS, params=params(practice, weeks=26, **every)), 422
    )
    assert [error["field"] for error in problem["errors"]] == ["practitioner_ids"]


IDS = ("clinic_id", "service_id", "practitioner_id", "practitioner_ids", "patient_id")


@pytest.mark.parametrize("path", ["availability", "availability/patterns"])
async def test_an_id_of_nobody_or_of_others_is_not_found(
    practice: Practice, stranger: Any, path: str
) -> None:
    theirs = {
        "practitioner_id": stranger.practitioner_id, "practitioner_ids": stranger.practitioner_id,
        "patient_id": stranger.patient_id,
    }  # fmt: skip
    wanted = params(practice)
    if path == "availability":
        wanted = {name: wanted[name] for name in ("clinic_id", "service_id", "start_date")} | {
            "end_date": wanted["start_date"]
        }
    for field in IDS:
        for unknown in {ids.new(), theirs.get(field, ids.new())}:
            problem = practice.problem(
                await practice.admin.get(f"{API}/{path}", params=wanted | {field: unknown}), 404
            )
            assert (problem["code"], problem["field"]) == ("not_found", field)


async def test_a_patient_asks_for_oneself_only(practice: Practice, client: Client) -> None:
    async with client(practice.organization.tokens["patient"]) as patient:
        others = await patient.get(PATTERNS, params=params(practice, patient_id="pat"))
        assert others.status_code == 404
        own = await patient.get(
            PATTERNS, params=params(practice, patient_id=practice.organization.patient_id)
        )
        assert own.status_code == 200 and own.json()["patterns"]

"""Series: every date of a rule or none, beside each other and beside what is booked; this and the following together."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from api.people import Client
from api.practice import API, VISITS, Practice, at, monday

SERIES = f"{VISITS}/series"
WEEKLY = "FREQ=WEEKLY;COUNT=4"


async def ask(practice: Practice, hour: float = 9, **more: Any) -> httpx2.Response:
    key = more.pop("key", None)
    body = practice.booking(at(hour), **{"rrule": WEEKLY} | more)
    return await practice.admin.post(SERIES, json=body, headers={"Idempotency-Key": key} if key else {})


async def series(practice: Practice, hour: float = 9, **more: Any) -> Any:
    answer = await ask(practice, hour, **more)
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    return answer.json()


async def conflict(practice: Practice, answer: httpx2.Response) -> Any:
    problem = practice.problem(answer, 409)
    assert problem["code"] == "series_conflict"
    assert (problem["alternatives"], isinstance(problem["as_of_seq"], int)) == (
        {"rooms": [], "slots": []},
        True,
    )
    for each in problem["dates"]:
        assert each["code"] == each["reasons"][0]["code"]
    assert problem["conflicts"] == [met for each in problem["dates"] for met in each["conflicts"]]
    return problem["dates"]


async def got(practice: Practice, made: Any) -> Any:
    answer = await practice.admin.get(f"{API}/series/{made['series_id']}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    return answer.json()


async def starts(practice: Practice, made: Any) -> list[tuple[str, str]]:
    return [(each["start"], each["status"]) for each in (await got(practice, made))["appointments"]]


async def follow(practice: Practice, made: Any, since: str | None = None, **fields: Any) -> httpx2.Response:
    given = {
        name: practice.made.get(value, value) if name.endswith("_id") else value
        for name, value in fields.items()
    }
    path, body = f"{API}/series/{made['series_id']}", given | ({"from": since} if since else {})
    return await practice.admin.patch(path, json=body)


async def cancel(practice: Practice, made: Any, since: str | None = None, **fields: Any) -> httpx2.Response:
    path = f"{API}/series/{made['series_id']}/cancel"
    return await practice.admin.post(path, json=fields | ({"from": since} if since else {}))


async def counted(practice: Practice) -> tuple[int, int]:
    """Series and visits that are stored."""
    rows = await practice.stored(
        "select (select count(*) from series s where s.organization_id = $1) as series,"
        " (select count(*) from appointments a where a.organization_id = $1) as visits"
    )
    return rows[0]["series"], rows[0]["visits"]


async def test_each_date_is_a_visit_of_its_own(practice: Practice) -> None:
    made = await series(practice, notes="Bring the splint.")
    assert [each["start"] for each in made["booked"]] == [at(9, day) for day in (0, 7, 14, 21)]
    assert (made["skipped"], {each["series_id"] for each in made["booked"]}) == ([], {made["series_id"]})
    for each in made["booked"]:
        visit = await practice.get(each)
        assert {name: each[name] for name in visit.keys() & each.keys()} == {
            name: visit[name] for name in visit.keys() & each.keys()
        }
        assert (visit["notes"], visit["room_number"], visit["version"]) == ("Bring the splint.", "1", 1)
    assert (await practice.refused(at(9, 14)))["code"] == "practitioner_conflict"
    shown = await got(practice, made)
    assert [each["id"] for each in shown["appointments"]] == [each["id"] for each in made["booked"]]
    assert (shown["rrule"], shown["exdates"], shown["skipped"], shown["version"]) == (WEEKLY, [], [], 1)
    assert (shown["clinic_id"], shown["patient_id"]) == (practice.made["clinic"], practice.made["pat"])
    assert (await practice.book(at(12)))["series_id"] is None


async def test_every_bad_date_is_named_and_none_is_written(practice: Practice) -> None:
    taken = [await practice.book(at(9, 7)), await practice.book(at(9, 21), patient_id="quin")]
    dates = await conflict(practice, await ask(practice))
    assert [(each["start"], each["code"]) for each in dates] == [
        (at(9, 7), "practitioner_conflict"), (at(9, 21), "practitioner_conflict"),
    ]  # fmt: skip
    assert [[each["code"] for each in bad["reasons"]] for bad in dates] == [
        ["practitioner_conflict", "patient_conflict"], ["practitioner_conflict"],
    ]  # fmt: skip
    met = [{each["appointment_id"] for each in bad["conflicts"]} for bad in dates]
    assert met == [{visit["id"]} for visit in taken]
    assert await counted(practice) == (0, 2)


async def test_what_cannot_be_had_is_skipped_if_that_is_asked_for(practice: Practice) -> None:
    await practice.book(at(9, 7), patient_id="quin")
    made = await series(practice, skip_conflicts=True)
    assert [each["start"] for each in made["booked"]] == [at(9), at(9, 14), at(9, 21)]
    assert [(each["start"], each["code"]) for each in made["skipped"]] == [
        (at(9, 7), "practitioner_conflict")
    ]
    assert made["skipped"][0]["reasons"][0]["code"] == "practitioner_conflict"
    assert (await got(practice, made))["skipped"] == [{"start": at(9, 7), "code": "practitioner_conflict"}]
    dates = await conflict(practice, await ask(practice, 19, skip_conflicts=True))
    assert [each["code"] for each in dates] == ["clinic_closed"] * 4, (
        "where nothing can be had there is no series"
    )
    assert await counted(practice) == (1, 4)


async def test_each_date_is_checked_beside_the_dates_before_it(practice: Practice) -> None:
    """An authorization of twenty units pays for five visits of four."""
    daily: dict[str, Any] = {"rrule": "FREQ=DAILY;COUNT=6", "service_id": "funded"}
    dates = await conflict(practice, await ask(practice, **daily))
    assert [(each["start"], each["code"]) for each in dates] == [(at(9, 5), "insufficient_units")]
    assert (dates[0]["reasons"][0]["available"], dates[0]["reasons"][0]["requested"]) == (0, 4)
    assert await practice.units() == (0, 20)
    made = await series(practice, **daily, skip_conflicts=True)
    assert [each["units_reserved"] for each in made["booked"]] == [4] * 5
    assert {each["authorization_id"] for each in made["booked"]} == {practice.made["authorization"]}
    assert await practice.units() == (20, 0)
    assert [units for _, units in await practice.entries()] == [4] * 5


async def test_each_date_takes_the_authorization_that_is_valid_then(practice: Practice) -> None:
    later = await practice.make(
        "authorizations", "later", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
        service_codes=["97153"], total_units=20, start_date=str(monday() + timedelta(days=31)),
        end_date=str(monday() + timedelta(days=40)),
    )  # fmt: skip
    dates = await conflict(practice, await ask(practice, service_id="funded", rrule="FREQ=WEEKLY;COUNT=7"))
    assert [(each["start"], each["code"]) for each in dates] == [(at(9, 42), "authorization_expired")]
    made = await series(practice, service_id="funded", rrule="FREQ=WEEKLY;COUNT=6")
    first = practice.made["authorization"]
    assert [each["authorization_id"] for each in made["booked"]] == [first] * 5 + [later]
    assert all(line["funding"] is None for each in made["booked"] for line in each["lines"])


async def test_the_rule_leaves_out_dates(practice: Practice) -> None:
    second, third = (monday() + timedelta(days=day) for day in (7, 14))
    for rule, exdates in (
        (WEEKLY, [str(second), str(third)]), (f"{WEEKLY};EXDATE={second:%Y%m%d}", [str(third)]),
        (f"RRULE:{WEEKLY}\nEXDATE;TZID=America/Phoenix:{second:%Y%m%d}T090000,{third:%Y%m%d}T090000", []),
        (f"{WEEKLY}\nEXDATE:{second:%Y%m%d}T160000Z\nEXDATE;VALUE=DATE:{third:%Y%m%d}", []),
    ):  # fmt: skip
        made = await series(practice, rrule=rule, exdates=exdates)
        assert [each["start"] for each in made["booked"]] == [at(9), at(9, 21)]
        shown = await got(practice, made)
        assert (shown["rrule"], shown["exdates"]) == (rule, exdates)
        await practice.done(await cancel(practice, made))


async def test_it_recurs_on_the_wall_of_its_clinic(practice: Practice) -> None:
    """The organization's clock never changes; this clinic's does. Every visit is as long as the first."""
    zone = "America/Denver"
    clinic = await practice.make("clinics", "denver", name="Denver", time_zone=zone)
    await practice.make("rooms", "far", clinic_id=clinic, number="9", room_type="talk")
    await practice.make("practitioners", "cleo", name="Cleo")
    answer = await practice.admin.post(SERIES, json=practice.booking(
        at(9, zone=zone), clinic_id="denver", practitioner_id="cleo", rrule="FREQ=WEEKLY;COUNT=52", end=at(10, zone=zone),
    ))  # fmt: skip
    assert answer.status_code == 201, answer.text
    found = [(each["start"], each["end"]) for each in answer.json()["booked"]]
    assert found == [(at(9, 7 * n, zone), at(10, 7 * n, zone)) for n in range(52)]
    assert len({start[11:] for start, _ in found}) == 2


async def test_lines_come_along(practice: Practice) -> None:
    line = {
        "practitioner_id": practice.made["ben"],
        "service_id": practice.made["talk"],
        "start": at(9.5),
        "end": at(10),
    }
    made = await series(practice, lines=[line])
    spans = [[(each["start"], each["end"]) for each in visit["lines"]] for visit in made["booked"]]
    assert spans == [[(at(9, day), at(10, day)), (at(9.5, day), at(10, day))] for day in (0, 7, 14, 21)]


async def test_an_equal_key_has_one_effect(practice: Practice) -> None:
    answers = [await ask(practice, key="one") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert await counted(practice) == (1, 4)
    refused = [await ask(practice, key="two") for _ in range(2)]
    assert [answer.status_code for answer in refused] == [409, 409]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"rrule": "FREQ=WEEKLY"}, "rrule"), ({"rrule": None}, "rrule"), ({"rrule": "every Monday"}, "rrule"),
        ({"rrule": "FREQ=WEEKLY;COUNT=105"}, "rrule"), ({"rrule": "FREQ=WEEKLY;COUNT=2\nDTSTART:20270101"}, "rrule"),
        ({"rrule": f"{WEEKLY};EXDATE=20270101"}, "rrule"), ({"exdates": ["2027-01-01"]}, "exdates"),
        ({"hold_id": "clinic"}, "hold_id"), ({"replaces_appointment_id": "clinic"}, "replaces_appointment_id"),
        ({"skip": True}, "skip"), ({"duration_minutes": 0}, "duration_minutes"), ({"location": "home"}, "location"),
    ],
)  # fmt: skip
async def test_what_cannot_be_understood_names_the_field(
    practice: Practice, more: dict[str, Any], field: str
) -> None:
    answer = await ask(practice, **more)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text


async def test_this_and_the_following_move_on_the_wall(practice: Practice) -> None:
    made = await series(practice)
    second = made["booked"][1]
    changed = await practice.done(
        await follow(practice, made, second["id"], start=at(10.5, 8), practitioner_id="ben")
    )
    assert [each["start"] for each in changed["changed"]] == [at(10.5, day) for day in (8, 15, 22)]
    assert {each["practitioner_name"] for each in changed["changed"]} == {"Ben"}
    assert (changed["left"], changed["version"]) == ([], 2)
    assert [each[0] for each in await starts(practice, made)] == [
        at(9),
        *(at(10.5, day) for day in (8, 15, 22)),
    ]
    longer = await practice.done(
        await follow(practice, made, str(monday() + timedelta(days=15)), duration_minutes=90)
    )
    assert [(each["start"], each["end"]) for each in longer["changed"]] == [
        (at(10.5, day), at(12, day)) for day in (15, 22)
    ]
    roomed = await practice.done(await follow(practice, made, room_id="room 2"))
    assert [each["room_number"] for each in roomed["changed"]] == ["2"] * 4
    assert {each["assignment"]["method"] for each in roomed["changed"]} == {"manual"}
    await practice.book(at(9, 7))


async def test_what_follows_moves_on_the_wall_when_the_clock_changes(practice: Practice) -> None:
    zone = "America/Denver"
    clinic = await practice.make("clinics", "denver", name="Denver", time_zone=zone)
    await practice.make("rooms", "far", clinic_id=clinic, number="9", room_type="talk")
    await practice.make("practitioners", "cleo", name="Cleo")
    there = {"clinic_id": "denver", "practitioner_id": "cleo", "rrule": "FREQ=WEEKLY;COUNT=52"}
    made = (await practice.admin.post(SERIES, json=practice.booking(at(9, zone=zone), **there))).json()
    changed = await practice.done(await follow(practice, made, start=at(14, 1, zone)))
    assert [each["start"] for each in changed["changed"]] == [at(14, 1 + 7 * n, zone) for n in range(52)]


async def test_dates_do_not_meet_themselves_and_change_all_or_none(practice: Practice) -> None:
    made = await series(practice, rrule="FREQ=DAILY;COUNT=4")
    moved = await practice.done(await follow(practice, made, start=at(9, 1)))
    assert [each["start"] for each in moved["changed"]] == [at(9, day) for day in (1, 2, 3, 4)]
    taken = await practice.book(at(12, 3))
    before = await got(practice, made)
    dates = await conflict(practice, await follow(practice, made, start=at(12, 1)))
    assert [(each["start"], each["code"], each["appointment_id"]) for each in dates] == [
        (at(12, 3), "practitioner_conflict", made["booked"][2]["id"])
    ]
    assert {each["appointment_id"] for each in dates[0]["conflicts"]} == {taken["id"]}
    assert await got(practice, made) == before


async def test_what_is_over_or_was_moved_by_hand_is_left_and_told(practice: Practice) -> None:
    made = await series(practice, rrule="FREQ=DAILY;COUNT=5")
    first, second, third, fourth, _ = made["booked"]
    await practice.done(await practice.move(second, start=at(15, 1)))
    await practice.done(await practice.call(third, "cancel"))
    await practice.done(await practice.call(fourth, "no-show"))
    changed = await practice.done(await follow(practice, made, first["id"], start=at(10)))
    assert [each["start"] for each in changed["changed"]] == [at(10), at(10, 4)]
    assert changed["left"] == [
        {
            "appointment_id": second["id"],
            "start": at(15, 1),
            "status": "scheduled",
            "reason": "moved_by_hand",
        },
        {"appointment_id": third["id"], "start": at(9, 2), "status": "cancelled", "reason": "cancelled"},
        {"appointment_id": fourth["id"], "start": at(9, 3), "status": "no_show", "reason": "no_show"},
    ]
    unmoved = await practice.done(await follow(practice, made, first["id"], practitioner_id="ben"))
    assert [each["start"] for each in unmoved["changed"]] == [at(10), at(15, 1), at(10, 4)], (
        "whoever gives them"
    )
    gone = await practice.done(await cancel(practice, made, first["id"]))
    assert [each["reason"] for each in gone["left"]] == ["cancelled", "no_show"], (
        "by hand or not, it is the series'"
    )
    none = await practice.done(await cancel(practice, made))
    assert (none["changed"], none["version"]) == ([], gone["version"])
    assert len(none["left"]) == 5


async def test_a_new_start_is_that_of_the_first_that_changes(practice: Practice) -> None:
    made = await series(practice, rrule="FREQ=DAILY;COUNT=4")
    first = made["booked"][0]
    await practice.done(await practice.call(first, "cancel"))
    moved = await practice.done(await follow(practice, made, str(monday()), start=at(11, 1)))
    assert [each["start"] for each in moved["changed"]] == [at(11, day) for day in (1, 2, 3)]
    for fields in ({"start": at(12)}, {"duration_minutes": 30}):
        answer = await follow(practice, made, first["id"], **fields)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "from"), answer.text


async def test_a_visit_that_was_moved_here_is_cancelled_from_now_on(practice: Practice) -> None:
    made = await series(practice)
    await practice.stored(
        "update series set dates = jsonb_set(dates, '{0,start}', '60') where organization_id = $1 returning id"
    )
    gone = await practice.done(await cancel(practice, made))
    assert (len(gone["changed"]), gone["left"]) == (4, [])


async def test_what_has_begun_is_left(practice: Practice) -> None:
    made = await series(practice)
    await practice.stored(
        "update series set dates = jsonb_set(dates, '{0,start}', '60') where organization_id = $1 returning id"
    )
    await practice.stored(
        "update appointments set starts_at = to_timestamp(60), ends_at = to_timestamp(3660) where organization_id = $1"
        " and id = $2 returning id", made["booked"][0]["id"],
    )  # fmt: skip
    gone = await practice.done(await cancel(practice, made, made["booked"][0]["id"]))
    assert [(each["appointment_id"], each["reason"]) for each in gone["left"]] == [
        (made["booked"][0]["id"], "begun")
    ]
    assert len(gone["changed"]) == 3


async def test_this_and_the_following_are_cancelled_with_their_units(practice: Practice) -> None:
    made = await series(practice, service_id="funded")
    assert await practice.units() == (16, 4)
    gone = await practice.done(await cancel(
        practice, made, str(monday() + timedelta(days=7)), reason="Moved away.", cancelled_by="caregiver",
    ))  # fmt: skip
    assert [each["status"] for each in gone["changed"]] == ["cancelled"] * 3
    assert await practice.units() == (4, 16)
    assert await starts(practice, made) == [
        (at(9), "scheduled"), *((at(9, day), "cancelled") for day in (7, 14, 21)),
    ]  # fmt: skip
    told = (await practice.get(made["booked"][3]))["cancellation"]
    assert (told["reason"], told["cancelled_by"], told["late"]) == ("Moved away.", "caregiver", False)
    await practice.book(at(9, 21))
    assert "Moved" not in str(await practice.stored("select body from events where organization_id = $1"))


async def test_requests_about_a_series_name_what_is_wrong(practice: Practice) -> None:
    made = await series(practice)
    path = f"{API}/series/{made['series_id']}"
    stranger = practice.made["clinic"]
    for answer, status, field in (
        (await follow(practice, made), 422, "body"),
        (await follow(practice, made, "yesterday", start=at(10)), 422, "from"),
        (await follow(practice, made, "0001-01-01", start=at(10)), 422, "from"),
        (await follow(practice, made, f"{monday():%Y%m%d}", start=at(10)), 422, "from"),
        (await follow(practice, made, f"{monday():%G-W%V-%u}", start=at(10)), 422, "from"),
        (await follow(practice, made, str(monday() + timedelta(days=99)), start=at(10)), 422, "from"),
        (await cancel(practice, made, reason_code="x" * 101), 422, "reason_code"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field), answer.text
    for answer, field in (
        (await follow(practice, made, stranger, start=at(10)), "from"),
        (await follow(practice, made, practitioner_id=stranger), "practitioner_id"),
        (await follow(practice, made, room_id=stranger), "room_id"),
        (await practice.admin.get(f"{API}/series/{stranger}"), "id"),
        (await practice.admin.post(f"{API}/series/{stranger}/cancel"), "id"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["field"]) == (404, field), answer.text
    late = await practice.admin.patch(path, json={"start": at(10)}, headers={"If-Match": '"7"'})
    assert (late.status_code, late.json()["version"]) == (412, 1)
    key = {"Idempotency-Key": "again"}
    twice = [await practice.admin.post(f"{path}/cancel", headers=key) for _ in range(2)]
    assert (twice[0].json(), twice[1].headers["idempotency-replayed"]) == (twice[1].json(), "true")


async def test_practitioners_have_series_of_their_own_time(practice: Practice, client: Client) -> None:
    practice.made["own"] = practice.organization.practitioner_id
    others = await series(practice)
    async with client(practice.organization.tokens["practitioner"]) as therapist:
        refused = await therapist.post(SERIES, json=practice.booking(at(13), rrule=WEEKLY))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        body = practice.booking(at(13), practitioner_id="own", rrule=WEEKLY)
        mine = await therapist.post(SERIES, json=body)
        assert mine.status_code == 201, mine.text
        path = f"{API}/series/{others['series_id']}"
        assert (await therapist.get(path)).status_code == 404, "whose time it is, is not told"
        for call in (therapist.patch(path, json={"start": at(10)}), therapist.post(f"{path}/cancel")):
            assert (await call).status_code == 404
        stale = await therapist.patch(path, json={"start": at(10)}, headers={"If-Match": '"7"'})
        assert stale.status_code == 404, "nor in which version it is"
        given = await practice.done(
            await practice.move({"id": mine.json()["booked"][3]["id"]}, practitioner_id="ana")
        )
        shown = (await therapist.get(f"{API}/series/{mine.json()['series_id']}")).json()["appointments"]
        assert given["id"] not in {each["id"] for each in shown}
        assert len(shown) == 3
        await practice.done(await practice.call(given, "cancel"))
        gone = await practice.done(await therapist.post(f"{API}/series/{mine.json()['series_id']}/cancel"))
        assert (len(gone["changed"]), gone["left"]) == (3, []), "nor what has become of others' time"


async def test_a_patient_sees_their_own_series_only(practice: Practice, client: Client) -> None:
    practice.made["self"] = practice.organization.patient_id
    mine, others = await series(practice, patient_id="self"), await series(practice, 12)
    async with client(practice.organization.tokens["patient"]) as patient:
        shown = await patient.get(f"{API}/series/{mine['series_id']}")
        assert shown.status_code == 200, shown.text
        assert [each["id"] for each in shown.json()["appointments"]] == [
            each["id"] for each in mine["booked"]
        ]
        how = [each["assignment"] for each in shown.json()["appointments"]]
        assert {(each["method"], each["score"], *each["rules_applied"]) for each in how} == {("auto", None)}
        assert (await patient.get(f"{API}/series/{others['series_id']}")).status_code == 404
        assert (await patient.post(f"{API}/series/{mine['series_id']}/cancel")).status_code == 403


async def test_events_tell_all_of_it(practice: Practice) -> None:
    made = await series(practice)
    await practice.done(await follow(practice, made, start=at(10)))
    rows = await practice.stored(
        "select kind, body ->> 'id' as id from events where organization_id = $1 and seq > $2 order by seq",
        int((await practice.admin.get(f"{API}/appointments?page_size=1")).headers["as-of-seq"]) - 10,
    )
    booked, moved = ["appointment.booked"] * 4, ["appointment.moved"] * 4
    assert [row["kind"] for row in rows] == [*booked, "series.booked", *moved, "series.changed"]

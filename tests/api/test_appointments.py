"""/appointments: what a booking takes, and every reason for which it is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

from api.people import Client
from api.practice import API, VISITS, ZONE, Practice, at, monday, week

from holdfast import ids
from holdfast.slot import instant, rfc3339


def codes(problem: Any) -> list[str]:
    return [reason["code"] for reason in problem["reasons"]]


async def test_a_booking_takes_everyones_time_and_the_units(practice: Practice) -> None:
    wanted = practice.booking(at(9), service_id="funded", practitioner_id="ben")
    answer = await practice.admin.post(VISITS, json=wanted)
    assert answer.status_code == 201, answer.text
    visit = answer.json()
    assert answer.headers["etag"] == '"1"'
    expected = {
        "clinic_id": practice.made["clinic"], "patient_id": practice.made["pat"], "practitioner_id": practice.made["ben"],
        "service_id": practice.made["funded"], "room_id": practice.made["room 1"], "location": "on_site",
        "authorization_id": practice.made["authorization"], "start": at(9), "end": at(10), "status": "scheduled",
        "needs_action": None, "pinned": False, "units_reserved": 4, "version": 1, "series_id": None, "group_id": None,
        "turnover_minutes": 10, "patient_name": "Pat Person", "practitioner_name": "Ben", "room_number": "1",
        "service_code": "97153",
        "assignment": {"method": "auto", "policy_version": 0, "score": 100, "rules_applied": []},
    }  # fmt: skip
    assert {name: visit[name] for name in expected} == expected
    assert [(line["line_no"], line["units_reserved"], line["start"]) for line in visit["lines"]] == [
        (1, 4, at(9))
    ]
    assert await practice.claims(visit) == [
        ("ben", "visit", "09:00", "10:15"), ("pat", "visit", "09:00", "10:00"),
        ("room 1", "turnover", "10:00", "10:10"), ("room 1", "visit", "09:00", "10:00"),
    ]  # fmt: skip
    assert await practice.units() == (4, 16)
    assert await practice.entries() == [("reserve", 4)]
    got = await practice.admin.get(f"{VISITS}/{visit['id']}")
    assert (visit.pop("notices"), visit.pop("has_alerts")) == ([], False)
    history = ("checked_in_at", "started_at", "completed_at", "replaces_appointment_id", "cancellation")
    assert got.json() == visit | dict.fromkeys(("notes", *history))
    assert got.headers["etag"] == '"1"'
    assert got.headers["as-of-seq"].isdigit()
    listed = (
        await practice.admin.get(VISITS, params={"start_date": str(monday()), "end_date": str(monday())})
    ).json()
    assert (listed["items"], listed["total"], listed["total_pages"]) == ([visit], 1, 1)


async def test_each_claim_in_the_way_is_named_with_its_visit(practice: Practice) -> None:
    first = await practice.book(at(9), room_id="room 1")
    everything = await practice.refused(at(9.5), room_id="room 1")
    assert codes(everything) == ["practitioner_conflict", "patient_conflict", "room_conflict"]
    assert [(c["kind"], c["appointment_id"], c["status"]) for c in everything["conflicts"]] == [
        ("patient", first["id"], "scheduled"), ("practitioner", first["id"], "scheduled"),
        ("room", first["id"], "scheduled"), ("room", first["id"], "scheduled"),
    ]  # fmt: skip
    # Only the room is in the way, and only its turnover.
    turnover = await practice.refused(at(10), room_id="room 1", practitioner_id="ben", patient_id="quin")
    assert codes(turnover) == ["room_conflict"]
    assert [(c["start"], c["end"]) for c in turnover["conflicts"]] == [(at(10), at(10 + 1 / 6))]
    assert [room["room_id"] for room in turnover["alternatives"]["rooms"]] == [practice.made["room 2"]]


async def test_back_to_back_is_fine_and_buffer_and_turnover_are_not_free(practice: Practice) -> None:
    await practice.book(at(9), practitioner_id="ben", room_id="room 2")
    await practice.book(at(10), patient_id="pat", room_id="room 2")  # pat again, no turnover in room 2
    late = await practice.refused(at(10), practitioner_id="ben", patient_id="quin")
    assert codes(late) == ["practitioner_conflict"]
    await practice.book(at(10.25), practitioner_id="ben", patient_id="quin")
    # One's own buffer reaches into what comes after.
    before = await practice.refused(at(8), practitioner_id="ben", patient_id="quin", room_id="room 1")
    assert codes(before) == ["practitioner_conflict"]


async def test_rooms_are_found_in_the_order_of_the_tie_break(practice: Practice) -> None:
    """Smaller surplus, fewer visits that day, display order, number."""
    clinic = practice.made["clinic"]
    await practice.make(
        "rooms", "hall", clinic_id=clinic, number="0", room_type="talk", capacity=9, display_order=-1
    )
    visits = [await practice.book(at(hour), patient_id="quin") for hour in (8, 10, 12, 14)]
    assert [visit["room_number"] for visit in visits] == ["1", "2", "1", "2"]
    assert [visit["assignment"]["method"] for visit in visits] == ["auto"] * 4
    given = await practice.book(at(16), room_id="hall")
    assert (given["room_number"], given["assignment"]["method"]) == ("0", "manual")
    await practice.book(at(16), practitioner_id="ben", patient_id="quin", room_id="room 1")
    assert [r["room_id"] for r in (await practice.refused(
        at(16.5), practitioner_id="ben", patient_id="quin", room_id="room 1",
    ))["alternatives"]["rooms"]] == []  # not only the room is in the way  # fmt: skip


async def test_a_room_that_does_not_suit_is_refused_with_its_rule(practice: Practice) -> None:
    clinic = practice.made["clinic"]
    await practice.make("rooms", "gym", clinic_id=clinic, number="G", room_type="gym", equipment=["swing"])
    await practice.change("services", "talk", room_types=["gym"], equipment=["swing", "mirror"], capacity=2)
    await practice.change("patients", "pat", needs=["step_free"])
    refused = await practice.refused(at(9), room_id="gym")
    assert codes(refused) == ["rule_violation"] * 3
    assert [reason["rule"] for reason in refused["reasons"]] == ["accessibility", "capacity", "equipment"]
    nothing = await practice.refused(at(9))
    assert codes(nothing) == ["no_room_available"]
    assert {(r["room_id"], r["rule"]) for r in nothing["reasons"][0]["rooms"]} >= {
        (practice.made["room 1"], "room_type_match"), (practice.made["gym"], "accessibility"),
    }  # fmt: skip
    assert nothing["alternatives"] == {"rooms": [], "slots": []}
    await practice.change(
        "rooms", "gym", equipment=["swing", "mirror"], capacity=2, accessibility=["step_free"]
    )
    assert (await practice.book(at(9)))["room_number"] == "G"


async def test_hours_of_the_clinic_and_of_people_bind(practice: Practice) -> None:
    for start in (at(7.75), at(17.25), at(9, day=6)):
        assert codes(await practice.refused(start)) == ["clinic_closed", "practitioner_unavailable"]
    clinic = practice.made["clinic"]
    await practice.change(
        "practitioners", "ana", working_hours=week("10:00", "12:00", clinic_id=clinic),
        hours_exceptions=[
            {"clinic_id": clinic, "date": str(monday() + timedelta(days=1))},
            {"clinic_id": clinic, "date": str(monday() + timedelta(days=2)), "start": "16:00", "end": "18:00"},
        ],
    )  # fmt: skip
    for start in (at(9.5), at(11.5), at(10, day=1), at(10, day=2)):
        assert codes(await practice.refused(start)) == ["practitioner_unavailable"]
    await practice.book(at(11))
    await practice.book(at(17, day=2))
    # Only practitioners' hours bind a visit away from the clinic.
    await practice.change(
        "practitioners", "ana", working_hours=week("06:00", "23:00", clinic_id=clinic), hours_exceptions=[]
    )
    home = await practice.book(at(20), service_id="funded", location="home")
    assert (home["location"], home["room_id"], home["assignment"]["method"]) == ("home", None, "none")
    tele = await practice.book(at(6), service_id="funded", location="telehealth")
    assert {claim[0] for claim in await practice.claims(tele)} == {"ana", "pat"}


async def test_closures_and_time_off_count_at_once(practice: Practice) -> None:
    async def absent(path: str, start: str, end: str) -> None:
        answer = await practice.admin.post(f"{API}/{path}", json={"start": start, "end": end})
        assert answer.status_code == 201, answer.text

    await absent(f"practitioners/{practice.made['ana']}/time-off", at(9), at(12))
    await absent(f"rooms/{practice.made['room 1']}/closures", at(13), at(14))
    await absent(f"clinics/{practice.made['clinic']}/closures", at(15), at(16))
    away = await practice.refused(at(11.5))
    assert codes(away) == ["practitioner_unavailable", "practitioner_conflict"]
    assert {(c["kind"], c["status"], c["appointment_id"]) for c in away["conflicts"]} == {
        ("practitioner", "time_off", None)
    }
    closed_room = await practice.refused(at(13.5), room_id="room 1")
    assert codes(closed_room) == ["room_unavailable"]
    assert (await practice.book(at(13.5)))["room_number"] == "2"
    closed = await practice.refused(at(15.5), practitioner_id="ben", patient_id="quin")
    assert codes(closed)[0] == "clinic_closed"
    await practice.change("rooms", "room 2", is_available=False)
    out_of_use = await practice.refused(at(10), practitioner_id="ben", room_id="room 2")
    assert codes(out_of_use) == ["room_unavailable"]


async def test_who_is_not_active_is_not_booked_and_all_are_named(practice: Practice) -> None:
    for noun, called in (
        ("practitioners", "ana"),
        ("patients", "pat"),
        ("services", "talk"),
        ("clinics", "clinic"),
    ):
        await practice.change(noun, called, is_active=False)
    refused = await practice.refused(at(9))
    assert codes(refused) == ["inactive_resource"] * 4
    assert {reason["resource_id"] for reason in refused["reasons"]} == {
        practice.made[called] for called in ("ana", "pat", "talk", "clinic")
    }


async def test_credentials_count_on_the_date_of_service(practice: Practice) -> None:
    await practice.change("services", "talk", required_credentials=["BCBA", "RBT"])
    await practice.book(at(9))
    await practice.change("practitioners", "ana", credentials=[{"code": "RBT", "valid_to": str(monday())}])
    await practice.book(at(12))
    assert codes(await practice.refused(at(9, day=1))) == ["credential_expired"]
    await practice.change("practitioners", "ana", credentials=[{"code": "PT"}])
    assert codes(await practice.refused(at(15))) == ["credential_missing"]


async def test_every_reason_about_units(practice: Practice) -> None:
    short = await practice.refused(at(9), service_id="funded", end=at(14.25))
    assert codes(short) == ["insufficient_units"]
    assert (short["available"], short["requested"]) == (20, 21)
    assert short["reasons"][0]["authorization_id"] == practice.made["authorization"]
    assert codes(await practice.refused(at(9), service_id="funded", patient_id="quin")) == [
        "authorization_missing"
    ]
    named = {"service_id": "funded", "authorization_id": "authorization"}
    assert codes(await practice.refused(at(9), patient_id="quin", **named)) == ["authorization_mismatch"]
    by_visit = await practice.make(
        "services", "by visit", name="By visit", code="97153", duration_minutes=60, authorization_required=True,
        unit_basis="visit",
    )  # fmt: skip
    assert codes(await practice.refused(at(9), service_id=by_visit)) == ["authorization_mismatch"]
    assert codes(await practice.refused(at(9, day=31), service_id="funded")) == ["authorization_expired"]
    await practice.make(
        "authorizations", "pending", patient_id=practice.made["quin"], payer_id=practice.made["payer"],
        service_codes=["97153"], total_units=20, start_date=str(monday()), end_date=str(monday()), status="pending",
    )  # fmt: skip
    assert codes(await practice.refused(at(9), service_id="funded", patient_id="quin")) == [
        "authorization_inactive"
    ]
    # Ceil: one minute into a unit holds all of it. The last units may be had.
    assert (await practice.book(at(9), service_id="funded", end=at(10 + 1 / 60)))["units_reserved"] == 5
    assert (await practice.book(at(11), service_id="funded", end=at(14.75)))["units_reserved"] == 15
    full = await practice.refused(at(15), service_id="funded")
    assert (full["code"], full["available"], full["requested"]) == ("insufficient_units", 0, 4)
    assert await practice.entries() == [("reserve", 5), ("reserve", 15)]


async def test_many_reasons_come_at_once_in_the_contracts_order(practice: Practice) -> None:
    await practice.book(at(9), room_id="room 1")
    await practice.change("services", "funded", required_credentials=["BCBA"])
    await practice.change(
        "practitioners",
        "ana",
        is_active=False,
        working_hours=week("12:00", "13:00", clinic_id=practice.made["clinic"]),
    )
    refused = await practice.refused(at(9.5), service_id="funded", end=at(18.5), room_id="room 1")
    assert codes(refused) == [
        "clinic_closed", "practitioner_unavailable", "inactive_resource", "practitioner_conflict", "patient_conflict",
        "room_conflict", "credential_missing", "insufficient_units",
    ]  # fmt: skip
    assert refused["alternatives"] == {"rooms": [], "slots": []}
    assert await practice.units() == (0, 20)


async def test_a_refused_request_leaves_nothing_behind(practice: Practice) -> None:
    await practice.book(at(9))
    counts = "select (select seq from turns), (select count(*) from claims), (select count(*) from idempotency_keys)"
    before = await practice.stored(counts + " where $1::uuid is not null")
    answer = await practice.admin.post(VISITS, json=practice.booking(at(9)), headers={"Idempotency-Key": "k"})
    assert answer.status_code == 409
    assert await practice.stored(counts + " where $1::uuid is not null") == before


async def test_alternatives_are_bookable_as_they_stand(practice: Practice) -> None:
    first = await practice.book(at(9), room_id="room 1")
    refused = await practice.refused(at(9), patient_id="quin")
    slots = refused["alternatives"]["slots"]
    assert [slot["start"] for slot in slots] == [at(8), at(10), at(10.25)]
    seq = await practice.stored("select seq from turns where organization_id = $1")
    assert refused["as_of_seq"] == seq[0]["seq"]
    for slot in slots[:2]:
        await practice.book(slot["start"], patient_id="quin", room_id=slot["room_id"])
    elsewhere = await practice.refused(at(9), practitioner_id="ben", patient_id="quin", room_id="room 1")
    assert codes(elsewhere) == ["room_conflict"]
    rooms = elsewhere["alternatives"]["rooms"]
    assert [room["room_id"] for room in rooms] == [practice.made["room 2"]]
    await practice.book(
        rooms[0]["start"], practitioner_id="ben", patient_id="quin", room_id=rooms[0]["room_id"]
    )
    assert (await practice.get(first))["status"] == "scheduled"


async def test_alternatives_near_now_are_looked_for_among_days_to_come(practice: Practice) -> None:
    """A visit of today that cannot be: what is over has not been read, and is not offered."""
    today = datetime.now(UTC).replace(second=0, microsecond=0)
    for hours in (1, 30, 60, 100):
        start = (today + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
        await practice.admin.post(VISITS, json=practice.booking(start))
        answer = await practice.admin.post(VISITS, json=practice.booking(start))
        assert answer.status_code == 409, answer.text
        now = datetime.now(UTC).timestamp() - 60
        assert all(instant(slot["start"]) >= now for slot in answer.json()["alternatives"]["slots"])


async def test_the_nearest_times_may_be_those_of_the_next_date(practice: Practice) -> None:
    always = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7)]
    night = await practice.make("clinics", "night", name="Night", time_zone=ZONE, opening_hours=always)
    await practice.make("rooms", "night room", clinic_id=night, number="1", room_type="talk")
    asked = {"clinic_id": night, "practitioner_id": "cleo"}
    await practice.make(
        "practitioners", "cleo", name="Cleo", clinic_ids=[night],
        working_hours=[each | {"clinic_id": night} for each in always],
    )  # fmt: skip
    for hour in (14, 16, 18, 20, 22):
        await practice.book(at(hour), **asked, duration_minutes=120)
    refused = await practice.refused(at(22), **asked, patient_id="quin", duration_minutes=60)
    slots = [slot["start"] for slot in refused["alternatives"]["slots"]]
    assert slots == [at(24), at(24.25), at(24.5)], "nearer than 13:00, the last that is free on its own date"


async def test_a_visit_may_cross_midnight_and_a_change_of_the_clock(practice: Practice) -> None:
    always = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7)]
    denver = await practice.make(
        "clinics", "denver", name="Denver", time_zone="America/Denver", opening_hours=always
    )
    await practice.make("rooms", "night", clinic_id=denver, number="1", room_type="talk")
    hours = [each | {"clinic_id": denver} for each in always]
    await practice.make("practitioners", "cleo", name="Cleo", working_hours=hours)
    night = {"clinic_id": "denver", "practitioner_id": "cleo"}
    visit = await practice.book(at(22, zone="America/Denver"), end=at(30, zone="America/Denver"), **night)
    assert instant(visit["end"]) - instant(visit["start"]) == 8 * 3600
    inside = await practice.refused(at(29, zone="America/Denver"), patient_id="quin", **night)
    assert codes(inside) == ["practitioner_conflict", "no_room_available"]
    # Spring and autumn of next year, around two in the morning.
    year = monday().year + 1
    for text in (f"{year}-03-14", f"{year}-11-07"):
        on = datetime.fromisoformat(text)
        on -= timedelta(days=on.weekday() + 1 if on.weekday() < 6 else 0)
        start = int(on.replace(tzinfo=UTC).timestamp()) + 7 * 3600  # about midnight in Denver
        for n in range(0, 6, 2):
            booked = await practice.book(rfc3339(start + n * 3600), duration_minutes=120, **night)
            assert instant(booked["end"]) - instant(booked["start"]) == 7200
    listed = (await practice.admin.get(VISITS, params={
        "clinic_id": denver, "start_date": str(monday() + timedelta(days=1)), "end_date": str(monday() + timedelta(days=1)),
    })).json()  # fmt: skip
    assert [each["id"] for each in listed["items"]] == [visit["id"]]


async def test_attendance_says_whose_time_is_claimed(practice: Practice) -> None:
    await practice.make("services", "report", name="Report", code="R", duration_minutes=60, attendance="none")
    visit = await practice.book(at(9), service_id="report", room_id="room 2")
    assert {claim[0] for claim in await practice.claims(visit)} == {"ana", "room 2"}
    assert visit["lines"][0]["patient_present"] is False
    await practice.book(at(9), practitioner_id="ben")  # the patient is free


async def test_a_clinic_may_book_without_a_room_by_permission(practice: Practice) -> None:
    for room in ("room 1", "room 2"):
        await practice.change("rooms", room, is_available=False)
    assert codes(await practice.refused(at(9))) == ["no_room_available"]
    await practice.change("clinics", "clinic", allow_unassigned=True)
    visit = await practice.book(at(9))
    assert (visit["room_id"], visit["assignment"]["method"]) == (None, "none")
    found = (await practice.admin.get(VISITS, params={"unassigned": "true"})).json()
    assert [each["id"] for each in found["items"]] == [visit["id"]]
    assert (await practice.admin.get(VISITS, params={"unassigned": "false"})).json()["total"] == 0


async def test_two_seats_hold_two_visits(practice: Practice) -> None:
    await practice.change("rooms", "room 2", concurrent_visits_max=2)
    await practice.book(at(9), room_id="room 2")
    await practice.book(at(9), room_id="room 2", practitioner_id="ben", patient_id="quin")
    await practice.make("practitioners", "cleo", name="Cleo")
    await practice.make("patients", "rae", given_name="Rae", family_name="Person", birth_date="2015-05-05")
    third = await practice.refused(at(9.5), room_id="room 2", practitioner_id="cleo", patient_id="rae")
    assert codes(third) == ["room_conflict"]
    assert {c["kind"] for c in third["conflicts"]} == {"room"}


NO_BOOKINGS: tuple[Any, ...] = (
    ({"start": at(9)[:-4] + "30Z"}, "start"), ({"start": at(9)[:-1]}, "start"), ({"start": "soon"}, "start"),
    ({"end": at(9)}, "end"), ({"end": at(8)}, "end"), ({"end": at(33 + 1 / 60)}, "end"),
    ({"duration_minutes": 0}, "duration_minutes"), ({"duration_minutes": 1441}, "duration_minutes"),
    ({"duration_minutes": 60, "end": at(10)}, "duration_minutes"), ({"start": at(9, day=1850)}, "start"),
    ({"location": "school"}, "location"), ({"location": "moon"}, "location"),
    ({"service_id": "funded", "location": "home", "room_id": "room 1"}, "room_id"),
    ({"notes": "x" * 10_001}, "notes"), ({"notes": 7}, "notes"), ({"patient_id": "x"}, "patient_id"),
    ({"status": "completed"}, "status"), ({"organization_id": ids.new()}, "organization_id"),
    ({"units_reserved": -1}, "units_reserved"),
)  # fmt: skip


async def test_what_is_no_booking_is_not_understood(practice: Practice) -> None:
    for change, field in NO_BOOKINGS:
        body = practice.booking(**{"start": at(9)} | change)
        problem = practice.problem(await practice.admin.post(VISITS, json=body), 422)
        assert problem["code"] == "invalid_request"
        assert [error["field"] for error in problem["errors"]] == [field], change


async def test_the_bounds_themselves_are_allowed(practice: Practice) -> None:
    always = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7)]
    await practice.change("clinics", "clinic", opening_hours=always)
    await practice.change("practitioners", "ana", working_hours=[])
    await practice.book(at(9), duration_minutes=1)
    await practice.book(at(10), end=at(34))
    await practice.book(at(9, day=1780), notes="x" * 10_000)


IDS: tuple[Any, ...] = (
    "clinic_id", "patient_id", "practitioner_id", "service_id", "room_id", "authorization_id", "replaces_appointment_id",
)  # fmt: skip


async def test_an_id_of_nobody_is_not_found(practice: Practice) -> None:
    for field in IDS:
        answer = await practice.admin.post(VISITS, json=practice.booking(at(9), **{field: ids.new()}))
        problem = practice.problem(answer, 404)
        assert (problem["code"], problem["field"]) == ("not_found", field)


async def test_bookings_in_the_past_need_permission_and_have_an_end(
    practice: Practice, client: Client
) -> None:
    await practice.change("clinics", "clinic", opening_hours=[])
    await practice.change("practitioners", "ana", working_hours=[])
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    ago = [(now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (1, 8)]
    assert (await practice.book(ago[0]))["start"] == ago[0]
    assert codes(await practice.refused(ago[1])) == ["start_in_past"]
    await practice.change("practitioners", "ana", is_active=True)
    own = practice.organization.practitioner_id
    async with client(practice.organization.tokens["practitioner"]) as practitioner:
        body = practice.booking(ago[0], practitioner_id=own, patient_id="quin")
        problem = practice.problem(await practitioner.post(VISITS, json=body), 409)
    assert codes(problem) == ["start_in_past"]


async def test_a_practitioner_books_own_visits_and_sees_the_rest_as_busy(
    practice: Practice, client: Client
) -> None:
    others = await practice.book(at(9), service_id="funded", notes="CANARY note")
    own = practice.organization.practitioner_id
    async with client(practice.organization.tokens["practitioner"]) as practitioner:
        answer = await practitioner.post(VISITS, json=practice.booking(at(11)))
        assert practice.problem(answer, 403)["code"] == "forbidden"
        mine = await practitioner.post(VISITS, json=practice.booking(at(11), practitioner_id=own))
        assert mine.status_code == 201, mine.text
        for call in ("confirm", "cancel"):
            answer = await practitioner.post(f"{VISITS}/{others['id']}/{call}")
            assert practice.problem(answer, 403)["code"] == "forbidden"
        given_away = await practitioner.patch(
            f"{VISITS}/{mine.json()['id']}", json={"practitioner_id": practice.made["ana"]}
        )
        assert given_away.status_code == 403
        override = {"room_id": practice.made["room 2"], "reason": "because I like it"}
        assert (
            await practitioner.patch(f"{VISITS}/{mine.json()['id']}/room", json=override)
        ).status_code == 403
        whole = (await practitioner.get(VISITS)).json()["items"]
        single = (await practitioner.get(f"{VISITS}/{others['id']}")).json()
    assert [each["patient_id"] for each in whole] == [None, practice.made["pat"]]
    busy = whole[0]
    for shown in (busy, single):
        assert (shown["patient_name"], shown["service_code"], shown["authorization_id"]) == (None, None, None)
        assert (shown["units_reserved"], shown.get("notes")) == (0, None)
        assert (shown["start"], shown["practitioner_name"], shown["room_number"]) == (at(9), "Ana", "1")


async def test_asking_by_patient_does_not_tell_a_practitioner_whose_busy_time_it_is(
    practice: Practice, client: Client
) -> None:
    await practice.book(at(9))
    async with client(practice.organization.tokens["practitioner"]) as practitioner:
        for name in ("patient_id", "client_id"):
            found = (await practitioner.get(VISITS, params={name: practice.made["pat"]})).json()
            assert (found["items"], found["total"]) == ([], 0)
        other = {"patient_id": practice.made["pat"], "practitioner_id": practice.made["ana"]}
        assert (await practitioner.get(VISITS, params=other)).json()["total"] == 0
        own = practice.booking(at(11), practitioner_id=practice.organization.practitioner_id)
        assert (await practitioner.post(VISITS, json=own)).status_code == 201
        found = (await practitioner.get(VISITS, params={"patient_id": practice.made["pat"]})).json()
        assert [visit["start"] for visit in found["items"]] == [at(11)]


async def test_a_patient_sees_own_visits_only(practice: Practice, client: Client) -> None:
    others = await practice.book(at(9))
    mine = await practice.book(at(11), patient_id=practice.organization.patient_id)
    async with client(practice.organization.tokens["patient"]) as patient:
        assert [each["id"] for each in (await patient.get(VISITS)).json()["items"]] == [mine["id"]]
        assert (await patient.get(VISITS, params={"patient_id": practice.made["pat"]})).json()["total"] == 0
        assert (await patient.get(f"{VISITS}/{others['id']}")).status_code == 404
        assert (await patient.post(f"{VISITS}/{mine['id']}/cancel")).status_code == 403

"""Work lists: each list's items come and go as what is done over the API makes and settles them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from api.people import Client, Organization
from api.practice import API, ZONE, Practice, make_practice

from holdfast.api.worklists import KINDS
from holdfast.app import Application

LISTS = f"{API}/worklists"
ALWAYS = [{"weekday": weekday, "start": "00:00", "end": "24:00"} for weekday in range(7)]
TODAY = datetime.now(ZoneInfo(ZONE)).date()
OF_BILLING = {"no_authorization", "unsigned_notes", "unfunded_units", "expiring_authorizations"}


def on(days: int, hour: float = 12, minutes: float = 0) -> str:
    """The instant of a wall-clock hour some days from the day on which the tests began."""
    local = datetime.combine(TODAY + timedelta(days=days), datetime.min.time(), ZoneInfo(ZONE))
    return (local + timedelta(hours=hour, minutes=minutes)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(days: int) -> str:
    return str(TODAY + timedelta(days=days))


@pytest.fixture
async def open_always(practice: Practice) -> Practice:
    """The clinic is open day and night and everybody works, so that today and tomorrow can always be booked."""
    clinic = practice.made["clinic"]
    await practice.change("clinics", "clinic", opening_hours=ALWAYS)
    for name in ("ana", "ben"):
        hours = [{"clinic_id": clinic, **each} for each in ALWAYS]
        await practice.change("practitioners", name, working_hours=hours, clinic_ids=[clinic])
    await authorized(practice, ends=300)
    return practice


async def authorized(practice: Practice, ends: int, approval: str = "approved") -> None:
    """The practice's authorization ends in so many days. No call changes an authorization yet: storage does."""
    await practice.stored(
        "update authorizations set start_date = $2, end_date = $3, approval = $4, total_units = 200"
        " where organization_id = $1",
        TODAY - timedelta(days=60), TODAY + timedelta(days=ends), approval,
    )  # fmt: skip


async def ask(practice: Practice, kind: str = "", **query: Any) -> Any:
    """As of the day on which the tests began, so that midnight changes nothing."""
    answer = await practice.admin.get(
        f"{LISTS}/{kind}" if kind else LISTS, params={"date": str(TODAY)} | query
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def listed(practice: Practice, kind: str, **query: Any) -> list[str]:
    """The ids of the visits on a list, which has counted as many."""
    found = await ask(practice, kind, **query)
    counted = {each["kind"]: each["count"] for each in (await ask(practice, **query))["worklists"]}
    assert found["total"] == len(found["items"]) == counted[kind]
    return [each["appointment"]["id"] for each in found["items"]]


async def done(practice: Practice, visit: Any, call: str, **body: Any) -> Any:
    return await practice.done(await practice.call(visit, call, **body))


async def test_all_lists_are_counted_in_order_and_true_at_one_sequence(open_always: Practice) -> None:
    practice = open_always
    await practice.book(on(1))
    answer = await practice.admin.get(LISTS)
    found = answer.json()
    assert [each["kind"] for each in found["worklists"]] == list(KINDS)
    counted = {each["kind"]: each["count"] for each in found["worklists"]}
    assert counted == dict.fromkeys(KINDS, 0) | {"unconfirmed_tomorrow": counted["unconfirmed_tomorrow"]}
    assert not any(each["is_minimum"] for each in found["worklists"])
    assert found["as_of_seq"] == int(answer.headers["as-of-seq"])
    assert (await practice.admin.get(f"{LISTS}/nothing")).json()["field"] == "kind"


async def test_tomorrows_visits_until_they_are_confirmed(open_always: Practice) -> None:
    practice = open_always
    tomorrow = await practice.book(on(1, 23, 30), duration_minutes=15)
    later = await practice.book(on(2, 0), duration_minutes=15)
    assert await listed(practice, "unconfirmed_tomorrow") == [tomorrow["id"]]
    assert await listed(practice, "unconfirmed_tomorrow", date=day(1)) == [later["id"]]
    await done(practice, tomorrow, "confirm")
    assert await listed(practice, "unconfirmed_tomorrow") == []
    await practice.move(tomorrow, start=on(1, 22))
    assert await listed(practice, "unconfirmed_tomorrow") == [tomorrow["id"]]
    shown = (await ask(practice, "unconfirmed_tomorrow"))["items"][0]["appointment"]
    assert (shown["patient_name"], shown["practitioner_name"], shown["service_code"]) == (
        "Pat Person", "Ana", "TALK",
    )  # fmt: skip


async def test_a_day_is_the_clinics_own(open_always: Practice) -> None:
    """Half past eleven in the evening of one clinic is tomorrow already in another, eastwards."""
    practice = open_always
    east = await practice.make(
        "clinics", "east", name="East", time_zone="Europe/Berlin", opening_hours=ALWAYS, allow_unassigned=True
    )
    await practice.change("practitioners", "ben", clinic_ids=[], working_hours=[])
    visit = await practice.book(on(1, 23), practitioner_id="ben", clinic_id="east", duration_minutes=15)
    assert await listed(practice, "unconfirmed_tomorrow", clinic_id=east) == []
    assert await listed(practice, "unconfirmed_tomorrow", date=day(1)) == [visit["id"]]


async def test_visits_without_a_room_until_they_have_one(open_always: Practice) -> None:
    practice = open_always
    await practice.change("clinics", "clinic", allow_unassigned=True)
    for number in ("room 1", "room 2"):
        await practice.change("rooms", number, is_available=False)
    visit = await practice.book(on(40))
    gone = await practice.book(on(41))
    assert await listed(practice, "unassigned_room") == [visit["id"], gone["id"]]
    await done(practice, gone, "cancel")
    await practice.change("rooms", "room 1", is_available=True)
    await practice.done(await practice.move(visit, room_id="room 1"))
    assert await listed(practice, "unassigned_room") == []


async def test_visits_in_the_way_of_an_absence_until_they_are_dealt_with(open_always: Practice) -> None:
    practice = open_always
    absent = await practice.book(on(50))
    closed = await practice.book(on(50), practitioner_id="ben", patient_id="quin", room_id="room 2")
    await practice.admin.post(
        f"{API}/practitioners/{practice.made['ana']}/time-off", json={"start": on(50, 8), "end": on(50, 18)}
    )
    await practice.admin.post(
        f"{API}/rooms/{practice.made['room 2']}/closures", json={"start": on(50, 8), "end": on(50, 18)}
    )
    found = (await ask(practice, "needs_action"))["items"]
    assert {each["appointment"]["id"]: each["appointment"]["needs_action"] for each in found} == {
        absent["id"]: "practitioner_absent", closed["id"]: "room_closed",
    }  # fmt: skip
    await done(practice, absent, "cancel")
    assert await listed(practice, "needs_action") == [closed["id"]]
    await practice.done(await practice.move(closed, room_id="room 1"))
    assert await listed(practice, "needs_action") == []


async def test_visits_whose_authorization_is_gone(open_always: Practice) -> None:
    practice = open_always
    visit = await practice.book(on(3), service_id="funded")
    plain = await practice.book(on(4))
    done_with = await practice.book(on(5), service_id="funded")
    await done(practice, done_with, "cancel")
    assert await listed(practice, "no_authorization") == []
    await practice.change("services", "talk", authorization_required=True)
    assert await listed(practice, "no_authorization") == [plain["id"]]
    await practice.change("services", "talk", authorization_required=False)
    await authorized(practice, ends=2)
    assert await listed(practice, "no_authorization") == [visit["id"]]
    await authorized(practice, ends=3)
    assert await listed(practice, "no_authorization") == []
    await authorized(practice, ends=300, approval="cancelled")
    assert await listed(practice, "no_authorization") == [visit["id"]]


async def test_completed_visits_whose_note_is_not_signed(open_always: Practice) -> None:
    practice = open_always
    visit = await practice.book(on(-1), service_id="funded")
    assert await listed(practice, "unsigned_notes") == []
    await done(practice, visit, "complete")
    assert await listed(practice, "unsigned_notes") == [visit["id"]]
    assert await listed(practice, "unsigned_notes", date=day(-2)) == []
    await done(practice, visit, "reopen")
    assert await listed(practice, "unsigned_notes") == []


async def unfunded(practice: Practice, visit: Any) -> None:
    """One unit of each line is nobody's. How signing leaves that is in `test_sessions.py`."""
    await practice.stored(
        "update appointment_lines set unfunded_units = 1 where organization_id = $1 and appointment_id = $2",
        visit["id"],
    )


async def test_visits_with_units_that_nobody_approved_until_they_are_called_off(
    open_always: Practice,
) -> None:
    practice = open_always
    given, ahead = await practice.book(on(-1)), await practice.book(on(40))
    assert await listed(practice, "unfunded_units") == []
    await unfunded(practice, given)
    await unfunded(practice, ahead)
    assert await listed(practice, "unfunded_units") == [given["id"], ahead["id"]]
    east = await practice.make("clinics", "east", name="East", time_zone=ZONE, opening_hours=ALWAYS)
    assert await listed(practice, "unfunded_units", clinic_id=east) == []
    await done(practice, ahead, "cancel")
    assert await listed(practice, "unfunded_units", clinic_id=practice.made["clinic"]) == [given["id"]]


async def test_cancelled_time_that_is_still_free(open_always: Practice) -> None:
    practice = open_always
    visit = await practice.book(on(1))
    error = await practice.book(on(1, 14))
    early = await practice.book(on(9))
    for each, by in ((visit, "patient"), (error, "error"), (early, "patient")):
        await done(practice, each, "cancel", cancelled_by=by)
    assert await listed(practice, "late_cancellations") == [visit["id"]]
    taken = await practice.book(on(1, 12, 30), patient_id="quin", duration_minutes=15)
    assert await listed(practice, "late_cancellations") == []
    await done(practice, taken, "cancel", cancelled_by="error")
    assert await listed(practice, "late_cancellations") == [visit["id"]]
    await practice.admin.post(
        f"{API}/clinics/{practice.made['clinic']}/closures", json={"start": on(1, 0), "end": on(1, 20)}
    )
    assert await listed(practice, "late_cancellations") == []


async def test_late_by_the_organizations_setting_counts_beyond_tomorrow(open_always: Practice) -> None:
    practice = open_always
    settings = {"late_cancellation_minutes": 20 * 24 * 60}
    await practice.admin.patch(f"{API}/organization", json={"settings": settings})
    visit = await practice.book(on(9))
    await done(practice, visit, "cancel", cancelled_by="patient")
    assert await listed(practice, "late_cancellations") == [visit["id"]]


async def test_visits_to_be_made_up_for_until_they_are(open_always: Practice) -> None:
    practice = open_always
    missed = await practice.book(on(-2))
    error = await practice.book(on(-2, 14))
    await done(practice, missed, "no-show")
    await done(practice, error, "cancel", cancelled_by="error")
    assert await listed(practice, "make_ups_owed") == [missed["id"]]
    make_up = await practice.book(on(3), replaces_appointment_id=missed["id"])
    assert await listed(practice, "make_ups_owed") == []
    await done(practice, make_up, "cancel", cancelled_by="error")
    assert await listed(practice, "make_ups_owed") == [missed["id"]]
    again = await practice.book(on(4), replaces_appointment_id=missed["id"])
    await done(practice, again, "cancel", cancelled_by="patient")
    assert await listed(practice, "make_ups_owed") == [again["id"]]
    await practice.admin.patch(f"{API}/organization", json={"settings": {"make_up_days": 1}})
    await done(practice, again, "reinstate")
    assert await listed(practice, "make_ups_owed") == []


async def test_authorizations_that_end_soon_until_a_later_one_covers_the_same(open_always: Practice) -> None:
    practice = open_always
    assert (await ask(practice, "expiring_authorizations"))["items"] == []
    await authorized(practice, ends=60)
    (item,) = (await ask(practice, "expiring_authorizations"))["items"]
    assert item["patient_name"] == "Pat Person"
    assert {item["authorization"][name] for name in ("id", "total_units", "available_units")} == {
        practice.made["authorization"], 200,
    }  # fmt: skip
    clinic = practice.made["clinic"]
    assert (await ask(practice, "expiring_authorizations", clinic_id=clinic))["items"] == []
    await practice.book(on(3))
    assert (await ask(practice, "expiring_authorizations", clinic_id=clinic))["items"] == [item]
    await practice.admin.patch(f"{API}/organization", json={"settings": {"expiry_alert_days": 59}})
    assert (await ask(practice, "expiring_authorizations"))["items"] == []
    await practice.admin.patch(f"{API}/organization", json={"settings": {"expiry_alert_days": 60}})
    for called, codes, left in (("other", ["92507"], 1), ("renewed", ["97153", "97155"], 0)):
        await practice.make(
            "authorizations", called, patient_id=practice.made["pat"], payer_id=practice.made["payer"],
            service_codes=codes, total_units=20, start_date=day(61), end_date=day(300),
        )  # fmt: skip
        assert len((await ask(practice, "expiring_authorizations"))["items"]) == left


async def test_credentials_that_end_soon_until_they_are_renewed(open_always: Practice) -> None:
    practice = open_always
    ends: list[dict[str, Any]] = [{"code": "RBT", "valid_to": day(30)}]
    await practice.change("practitioners", "ana", credentials=ends)
    (item,) = (await ask(practice, "expiring_credentials", clinic_id=practice.made["clinic"]))["items"]
    assert item == {"credential": {
        "practitioner_id": practice.made["ana"], "practitioner_name": "Ana", "code": "RBT", "state": None,
        "valid_from": None, "valid_to": day(30),
    }}  # fmt: skip
    assert (await ask(practice, "expiring_credentials", date=day(31)))["items"] == []
    renewed = {"code": "RBT", "valid_from": day(31), "valid_to": day(400)}
    await practice.change("practitioners", "ana", credentials=[*ends, renewed])
    assert (await ask(practice, "expiring_credentials"))["items"] == []


async def test_lists_are_paged_and_counted_no_further_than_the_limit(
    open_always: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = open_always
    visits = [(await practice.book(on(1, 8 + n)))["id"] for n in range(3)]
    page = await ask(practice, "unconfirmed_tomorrow", page=2, page_size=2)
    assert ([each["appointment"]["id"] for each in page["items"]], page["total"], page["total_pages"]) == (
        visits[2:], 3, 2,
    )  # fmt: skip
    house = practice.application.house
    assert house is not None
    monkeypatch.setattr(house.settings.__class__, "worklist_count_max", 2)
    first = (await ask(practice))["worklists"][0]
    assert (first["count"], first["is_minimum"]) == (2, True)


async def empty_group(practice: Practice, start: str) -> Any:
    """A group of Ana's for one, who has not joined yet."""
    answer = await practice.admin.post(f"{API}/groups", json={
        "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"], "start": start,
        "practitioner_id": practice.made["ana"], "members_min": 1, "members_max": 1,
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    return answer.json()


async def everything(practice: Practice) -> set[str]:
    """At least one item on every list; their visits are Ana's and Pat's. The ids of what is listed."""
    await practice.change("clinics", "clinic", allow_unassigned=True)
    await practice.book(on(1))
    late = await practice.book(on(1, 16))
    await done(practice, late, "cancel", cancelled_by="patient")
    missed, given = await practice.book(on(-2)), await practice.book(on(-3))
    await done(practice, missed, "no-show")
    await done(practice, given, "complete")
    await unfunded(practice, given)
    await practice.book(on(5), service_id="funded")
    await authorized(practice, ends=4)
    await empty_group(practice, on(7))
    for number in ("room 1", "room 2"):
        await practice.change("rooms", number, is_available=False)
    await practice.book(on(6))
    await practice.change("practitioners", "ana", credentials=[{"code": "RBT", "valid_to": day(30)}])
    await practice.admin.post(
        f"{API}/practitioners/{practice.made['ana']}/time-off", json={"start": on(6, 8), "end": on(6, 18)}
    )
    found = {kind: (await ask(practice, kind))["items"] for kind in KINDS}
    assert all(found.values()), [kind for kind, items in found.items() if not items]
    return {
        each.get("appointment", each.get("group", each.get("authorization", {}))).get("id")
        for items in found.values()
        for each in items
    }


async def test_each_role_reads_what_is_its_own(
    open_always: Practice, client: Client, organization: Organization
) -> None:
    """Somebody who is a practitioner, but not of these visits, has nothing to see to."""
    await everything(open_always)
    for role, token in organization.tokens.items():
        async with client(token) as user:
            answer = await user.get(LISTS, params={"date": str(TODAY)})
            if role == "patient":
                assert answer.status_code == 403
            else:
                counted = {each["kind"]: each["count"] for each in answer.json()["worklists"]}
                assert set(counted) == (OF_BILLING if role == "biller" else set(KINDS)), role
                assert all(counted.values()) == (role != "practitioner"), (role, counted)
                assert any(counted.values()) == (role != "practitioner"), (role, counted)
            for kind in KINDS:
                one = await user.get(f"{LISTS}/{kind}", params={"date": str(TODAY)})
                may = role != "patient" and (role != "biller" or kind in OF_BILLING)
                assert one.status_code == (200 if may else 403), (role, kind)
                if may:
                    assert bool(one.json()["items"]) == (role != "practitioner"), (role, kind)


async def test_a_practitioner_sees_their_own_whole(
    open_always: Practice, client: Client, organization: Organization
) -> None:
    practice = open_always
    await everything(practice)
    async with client(organization.tokens["admin"]) as admin:
        answer = await admin.post(f"{API}/users", json={
            "email": "ana@juniper.example", "name": "Ana", "password": "a password that the tests know",
            "role": "practitioner", "practitioner_id": practice.made["ana"],
        })  # fmt: skip
        assert answer.status_code == 201, answer.text
    async with client() as nobody:
        pair = await nobody.post(f"{API}/auth/login", json={
            "email": "ana@juniper.example", "password": "a password that the tests know",
        })  # fmt: skip
    async with client(pair.json()["access_token"]) as ana:
        for kind in KINDS:
            answer = await ana.get(f"{LISTS}/{kind}", params={"date": str(TODAY)})
            assert answer.json() == await ask(practice, kind), kind


async def test_another_organizations_items_are_on_no_list(
    open_always: Practice, application: Application, client: Client, stranger: Organization
) -> None:
    listed_here = await everything(open_always)
    clinic = open_always.made["clinic"]
    async with client(stranger.tokens["admin"]) as admin:
        await make_practice(application, stranger, admin)
        for kind in KINDS:
            for query in ({}, {"clinic_id": clinic}):
                answer = await admin.get(f"{LISTS}/{kind}", params={"date": str(TODAY)} | query)
                assert not [each for each in listed_here if each and each in answer.text], kind
        counted = (await admin.get(LISTS, params={"clinic_id": clinic})).json()["worklists"]
        assert not any(each["count"] for each in counted)


async def test_a_date_out_of_all_years_is_not_understood(practice: Practice) -> None:
    for path in (LISTS, f"{LISTS}/needs_action"):
        problem = practice.problem(await practice.admin.get(path, params={"date": str(date(1, 1, 1))}), 422)
        assert problem["code"] == "invalid_request"


async def test_groups_to_which_too_few_come(open_always: Practice) -> None:
    practice = open_always
    made = await empty_group(practice, on(1))
    (item,) = (await ask(practice, "groups_needing_action"))["items"]
    assert item == {"group": {name: value for name, value in made.items() if name != "members"}}
    assert (item["group"]["members_count"], item["group"]["needs_action"]) == (0, "below_minimum")
    counted = {each["kind"]: each["count"] for each in (await ask(practice))["worklists"]}
    assert counted["groups_needing_action"] == 1
    visit = await practice.book(on(1), group_id=made["id"])
    assert (await ask(practice, "groups_needing_action"))["items"] == []
    await done(practice, visit, "cancel")
    assert len((await ask(practice, "groups_needing_action"))["items"]) == 1
    path = f"{API}/practitioners/{practice.made['ana']}/time-off"
    answer = await practice.admin.post(path, json={"start": on(1, 0), "end": on(1, 24), "kind": "sick"})
    assert answer.status_code == 201, answer.text
    (item,) = (await ask(practice, "groups_needing_action"))["items"]
    assert item["group"]["needs_action"] == "practitioner_absent"
    answer = await practice.admin.post(f"{API}/groups/{made['id']}/cancel", json={})
    assert answer.status_code == 200, answer.text
    assert (await ask(practice, "groups_needing_action"))["items"] == []

"""Groups: several patients with one practitioner in one room; each member an ordinary visit."""

from typing import Any

import asyncpg
import httpx2
import pytest
from api.given import Given, on
from api.people import PASSWORD, Client, Organization, sign_in
from api.practice import API, Practice, at, monday
from api.test_blocks import claims
from api.test_blocks import wanted as block

from holdfast.proof import invariants

GROUPS = f"{API}/groups"


@pytest.fixture
async def social(practice: Practice) -> Any:
    """Rooms for two and for six, four more patients, and what a group is given: two units an hour each. What a test leaves
    behind is whole."""
    await practice.make(
        "rooms", "play", clinic_id=practice.made["clinic"], number="9", room_type="talk", cleaning_minutes=10, capacity=6,
    )  # fmt: skip
    for name in ("rae", "sam", "tia", "una"):
        await practice.make(
            "patients", name, given_name=name.title(), family_name="Person", birth_date="2015-05-05"
        )
    for name in ("pat", "quin", "rae", "sam", "tia", "una"):
        await practice.make(
            "authorizations", f"units of {name}", patient_id=practice.made[name], payer_id=practice.made["payer"],
            service_codes=["97154"], total_units=8, start_date=str(monday()), end_date=str(monday()),
        )  # fmt: skip
    await practice.make(
        "services", "social", name="Social group", code="97154", duration_minutes=60, authorization_required=True,
        locations=["on_site", "telehealth"],
    )  # fmt: skip
    yield practice
    assert practice.application.house is not None
    connection = await practice.application.house.database.connect()
    try:
        assert await invariants.broken(connection, practice.organization.id) == {}
    finally:
        await connection.close()


def body(practice: Practice, start: float, *members: str, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "clinic_id": "clinic", "service_id": "social", "practitioner_id": "ana", "start": at(start), "members_max": 4,
    } | more  # fmt: skip
    given = {
        name: practice.made.get(value, value) if name.endswith("_id") else value
        for name, value in fields.items()
    }
    return given | {"members": [{"patient_id": practice.made[name]} for name in members]}


async def group(practice: Practice, start: float, *members: str, **more: Any) -> Any:
    answer = await practice.admin.post(GROUPS, json=body(practice, start, *members, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def join(practice: Practice, made: Any, name: str, **more: Any) -> httpx2.Response:
    return await practice.admin.post(
        f"{GROUPS}/{made['id']}/members", json={"patient_id": practice.made[name], **more}
    )


async def told(practice: Practice, made: Any) -> Any:
    answer = await practice.admin.get(f"{GROUPS}/{made['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_group_has_the_room_and_the_practitioner_and_its_members_their_own_time(
    social: Practice,
) -> None:
    made = await group(social, 9, "pat", "quin")
    assert made["room_id"] == social.made["play"], "the only room that holds four"
    assert (made["members_count"], made["needs_action"], made["status"]) == (2, None, "scheduled")
    assert await claims(social, made) == [
        ("ana", 0, "group"),
        ("play", 0, "group"),
        ("play", 0, "group_turnover"),
    ]
    first, second = made["members"]
    assert first["group_id"] == made["id"]
    assert (first["room_id"], first["practitioner_id"], first["units_reserved"]) == (
        made["room_id"],
        social.made["ana"],
        4,
    )
    social.made["group"] = made["id"]
    assert await social.claims(first) == [
        ("group", "visit", "09:00", "10:00"),
        ("pat", "visit", "09:00", "10:00"),
    ]
    assert await social.units("units of pat") == (4, 4)
    got = await told(social, made)
    assert {each["id"] for each in got["members"]} == {first["id"], second["id"]}
    assert got["members_count"] == 2
    of_member = (await social.admin.get(f"{API}/appointments/{first['id']}/explain")).json()
    assert (of_member["summary"], of_member["rooms_now"]) == ("Room 9 is its group's.", None)
    of_group = (await social.admin.get(f"{GROUPS}/{made['id']}/explain")).json()
    assert of_group["summary"] == "Room 9 is the only room that suits and is free."
    assert sorted((each["room_number"], each["rule"]) for each in of_group["refused"]) == [
        ("1", "capacity"), ("2", "capacity"),
    ]  # fmt: skip
    assert of_group["refused"][0]["reason"] == "holds 1 people; needed are 4"


async def test_what_is_the_groups_is_nobody_elses(social: Practice) -> None:
    made = await group(social, 9, "pat")
    refused = await social.refused(at(9.5), patient_id="una")
    assert refused["code"] == "practitioner_conflict"
    assert [(each["status"], each["appointment_id"]) for each in refused["conflicts"]] == [("group", None)]
    in_room = await social.refused(at(9.5), patient_id="una", practitioner_id="ben", room_id="play")
    assert in_room["code"] == "room_conflict"
    assert (await social.refused(at(9.5), patient_id="pat", practitioner_id="ben"))[
        "code"
    ] == "patient_conflict"
    answer = await social.admin.post(f"{API}/blocks", json=block(social, 9, 10, "ana"))
    assert answer.json()["code"] == "practitioner_conflict"
    query = {"practitioner_id": social.made["ana"], "start": at(9), "end": at(10)}
    found = (await social.admin.get(f"{API}/appointments/conflicts", params=query)).json()
    assert [each["status"] for each in found["conflicts"]] == ["group"]
    assert (await social.admin.get(f"{API}/blocks")).json()["items"] == []
    for call in (social.admin.get, social.admin.delete):
        assert (await call(f"{API}/blocks/{made['id']}")).status_code == 404
    query = {"clinic_id": social.made["clinic"], "service_id": social.made["talk"], "practitioner_id": social.made["ana"],
             "start_date": str(monday()), "end_date": str(monday())}  # fmt: skip
    slots = (await social.admin.get(f"{API}/availability", params=query)).json()["slots"]
    assert slots
    assert not [each for each in slots if at(8) < each["start"] < at(10)]


async def test_a_group_is_refused_as_a_visit_is(social: Practice) -> None:
    visit = await social.book(at(9), patient_id="una")
    answer = await social.admin.post(GROUPS, json=body(social, 9.5, "pat"))
    problem = social.problem(answer, 409)
    assert problem["code"] == "practitioner_conflict"
    assert [each["appointment_id"] for each in problem["conflicts"]] == [visit["id"]]
    assert problem["alternatives"]["slots"] == [], "nobody asked when its members can come"
    alone = social.problem(await social.admin.post(GROUPS, json=body(social, 9.5)), 409)
    assert at(10) in [slot["start"] for slot in alone["alternatives"]["slots"]]
    large = social.problem(await social.admin.post(GROUPS, json=body(social, 14, members_max=7)), 409)
    assert large["code"] == "no_room_available"
    assert "needed are 7" in str(large["reasons"])
    small = social.problem(await social.admin.post(GROUPS, json=body(social, 14, room_id="room 1")), 409)
    assert small["code"] == "rule_violation"
    wrong = social.problem(await social.admin.post(GROUPS, json=body(social, 14, members_min=5)), 422)
    assert wrong["errors"][0]["field"] == "members_min"
    assert await social.stored("select 1 from groups where organization_id = $1") == []


async def test_a_group_begins_with_all_its_members_or_not_at_all(social: Practice) -> None:
    await social.book(at(9.5), patient_id="quin", practitioner_id="ben")
    problem = social.problem(await social.admin.post(GROUPS, json=body(social, 9, "pat", "quin")), 409)
    assert problem["code"] == "group_conflict"
    assert [(each["patient_id"], each["code"]) for each in problem["members"]] == [
        (social.made["quin"], "patient_conflict")
    ]
    assert await social.units("units of pat") == (0, 8)
    assert await social.stored("select 1 from groups where organization_id = $1") == []
    unknown = body(social, 9, "pat") | {"members": [{"patient_id": social.made["ana"]}]}
    missing = social.problem(await social.admin.post(GROUPS, json=unknown), 404)
    assert missing["field"] == "members[0].patient_id"


async def test_a_full_group_takes_nobody_until_somebody_leaves(social: Practice) -> None:
    made = await group(social, 9, "pat", "quin", members_max=3)
    answer = await join(social, made, "rae")
    assert answer.status_code == 201, answer.text
    rae = answer.json()
    full = social.problem(await join(social, made, "sam"), 409)
    assert (full["code"], full["members"], full["members_max"]) == ("group_full", 3, 3)
    assert full["alternatives"] == {"rooms": [], "slots": []}
    again = social.problem(await join(social, made, "pat"), 409)
    assert again["code"] == "already_member"
    left = await social.admin.delete(f"{GROUPS}/{made['id']}/members/{rae['id']}")
    assert (left.status_code, left.json()["status"]) == (200, "cancelled")
    assert await social.units("units of rae") == (0, 8)
    assert (await join(social, made, "sam")).status_code == 201
    back = social.problem(await social.call(rae, "reinstate"), 409)
    assert back["code"] == "group_full"
    reason = {"patient_id": social.made["sam"], "reason": "moved away", "cancelled_by": "caregiver"}
    answer = await social.admin.request("DELETE", f"{GROUPS}/{made['id']}/members", json=reason)
    assert answer.status_code == 200, answer.text
    assert (await social.done(await social.call(rae, "reinstate")))["status"] == "scheduled"
    assert await social.units("units of rae") == (4, 4)


async def test_a_booking_that_names_a_group_joins_it(social: Practice) -> None:
    made = await group(social, 9, "pat")
    visit = await social.book(at(9), patient_id="quin", service_id="social", group_id=made["id"])
    assert (visit["group_id"], visit["room_id"]) == (made["id"], made["room_id"])
    assert (await told(social, made))["members_count"] == 2
    for name, wrong in (
        ("start", at(10)),
        ("practitioner_id", "ben"),
        ("room_id", "room 1"),
        ("duration_minutes", 30),
    ):
        wanted = social.booking(at(9), patient_id="rae", service_id="social", group_id=made["id"])
        wanted[name] = social.made.get(wrong, wrong) if isinstance(wrong, str) else wrong
        problem = social.problem(await social.admin.post(f"{API}/appointments", json=wanted), 422)
        assert problem["errors"][0]["field"] == ("end" if name == "duration_minutes" else name)
    missing = social.booking(at(9), patient_id="rae", service_id="social", group_id=social.made["ana"])
    problem = social.problem(await social.admin.post(f"{API}/appointments", json=missing), 404)
    assert problem["field"] == "group_id"


async def test_a_member_is_booked_by_every_rule(social: Practice) -> None:
    made = await group(social, 9, "pat")
    visit = await social.book(at(8.5), patient_id="rae", practitioner_id="ben")
    problem = social.problem(await join(social, made, "rae"), 409)
    assert problem["code"] == "patient_conflict"
    assert [each["appointment_id"] for each in problem["conflicts"]] == [visit["id"]]
    await social.admin.patch(
        f"{API}/patients/{social.made['sam']}",
        json={"constraints": {"excluded_practitioner_ids": [social.made["ana"]]}},
    )
    await social.change("patients", "tia", needs=["step_free"])
    assert social.problem(await join(social, made, "tia"), 409)["code"] == "rule_violation"
    late = await group(social, 14, service_id="social")
    await social.change("patients", "una", is_active=False)
    assert social.problem(await join(social, late, "una"), 409)["code"] == "inactive_resource"
    answer = await join(social, late, "quin", authorization_id=social.made["units of pat"])
    assert answer.status_code == 409, answer.text


async def test_a_no_show_gives_the_place_back_and_comes_late_if_it_is_free(social: Practice) -> None:
    made = await group(social, 9, "pat", "quin", members_max=2)
    pat = made["members"][0]
    await social.done(await social.call(pat, "no-show"))
    assert (await told(social, made))["needs_action"] == "below_minimum"
    assert (await join(social, made, "rae")).status_code == 201
    late = social.problem(await social.call(pat, "check-in"), 409)
    assert late["code"] == "group_full"
    answer = await social.admin.request(
        "DELETE", f"{GROUPS}/{made['id']}/members", json={"patient_id": social.made["rae"]}
    )
    assert answer.status_code == 200
    assert (await social.done(await social.call(pat, "check-in")))["status"] == "checked_in"


async def test_a_member_is_not_moved_alone(social: Practice) -> None:
    made = await group(social, 9, "pat", "quin")
    pat = made["members"][0]
    for fields in ({"start": at(11)}, {"practitioner_id": "ben"}, {"room_id": "room 1"}):
        problem = social.problem(await social.move(pat, **fields), 409)
        assert (problem["code"], problem["group_id"]) == ("belongs_to_group", made["id"])
    line = {"practitioner_id": social.made["ben"], "service_id": social.made["talk"]}
    answer = await social.admin.post(f"{API}/appointments/{pat['id']}/lines", json=line)
    assert social.problem(answer, 409)["code"] == "belongs_to_group"
    answer = await social.admin.patch(
        f"{API}/appointments/{pat['id']}/room",
        json={"room_id": social.made["room 1"], "reason": "it is quieter there"},
    )
    assert social.problem(answer, 409)["code"] == "belongs_to_group"
    assert (await social.done(await social.move(pat, notes="brings a brother")))["version"] == 2


async def test_a_group_moves_with_all_its_members_or_not_at_all(social: Practice) -> None:
    made = await group(social, 9, "pat", "quin")
    await social.done(await social.call(made["members"][0], "confirm"))
    busy = await social.book(at(11), patient_id="quin", practitioner_id="ben")
    answer = await social.admin.patch(f"{GROUPS}/{made['id']}", json={"start": at(10.5)})
    problem = social.problem(answer, 409)
    assert problem["code"] == "group_conflict"
    assert [(each["appointment_id"], each["code"]) for each in problem["members"]] == [
        (made["members"][1]["id"], "patient_conflict")
    ]
    assert (await told(social, made))["version"] == 1
    answer = await social.admin.patch(f"{GROUPS}/{made['id']}", json={"start": at(9.5)})
    assert answer.status_code == 200, answer.text
    moved = answer.json()
    assert (moved["start"], moved["end"], moved["version"]) == (at(9.5), at(10.5), 2)
    assert [(each["start"], each["end"], each["status"]) for each in moved["members"]] == [
        (at(9.5), at(10.5), "scheduled")
    ] * 2
    await social.done(await social.call(busy, "cancel"))
    answer = await social.admin.patch(
        f"{GROUPS}/{made['id']}", json={"start": at(15), "practitioner_id": social.made["ben"]}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["assignment"]["method"] == "auto"
    assert await claims(social, made) == [
        ("ben", 0, "group"),
        ("play", 0, "group"),
        ("play", 0, "group_turnover"),
    ]
    assert {each["practitioner_id"] for each in answer.json()["members"]} == {social.made["ben"]}
    await social.book(at(9.5), patient_id="una")
    stale = await social.admin.patch(
        f"{GROUPS}/{made['id']}", json={"start": at(16)}, headers={"If-Match": '"1"'}
    )
    assert social.problem(stale, 412)["code"] == "version_mismatch"
    await social.done(await social.call(answer.json()["members"][0], "check-in"))
    answer = await social.admin.patch(f"{GROUPS}/{made['id']}", json={"start": at(16)})
    assert social.problem(answer, 409)["members"][0]["code"] == "illegal_transition"


async def test_who_left_before_the_group_moved_does_not_come_back_to_the_old_time(social: Practice) -> None:
    made = await group(social, 9, "pat", "quin")
    pat = made["members"][0]
    await social.done(await social.call(pat, "cancel"))
    assert (await social.admin.patch(f"{GROUPS}/{made['id']}", json={"start": at(9.25)})).status_code == 200
    assert social.problem(await social.call(pat, "reinstate"), 409)["code"] == "group_moved"
    assert (await join(social, made, "pat")).status_code == 201


async def test_a_cancelled_group_gives_everything_back(social: Practice) -> None:
    made = await group(social, 9, "pat", "quin")
    answer = await social.admin.post(
        f"{GROUPS}/{made['id']}/cancel", json={"reason": "ill", "cancelled_by": "practitioner"}
    )
    assert answer.status_code == 200, answer.text
    gone = answer.json()
    assert (gone["status"], gone["version"], gone["members_count"], gone["needs_action"]) == (
        "cancelled",
        2,
        0,
        None,
    )
    assert [each["status"] for each in gone["members"]] == ["cancelled"] * 2
    assert await claims(social, made) == []
    assert await social.units("units of pat") == (0, 8)
    assert social.problem(await join(social, made, "rae"), 409)["code"] == "group_cancelled"
    assert (
        social.problem(await social.call(made["members"][0], "reinstate"), 409)["code"] == "group_cancelled"
    )
    again = await social.admin.post(f"{GROUPS}/{made['id']}/cancel", json={})
    assert social.problem(again, 409)["code"] == "group_cancelled"
    assert (await social.admin.get(GROUPS)).json()["items"] == []
    all_of_them = (await social.admin.get(GROUPS, params={"with_cancelled": "true"})).json()["items"]
    assert [each["id"] for each in all_of_them] == [made["id"]]
    await group(social, 9, "pat", "quin")


async def test_nobody_finds_out_by_asking_who_is_in_anothers_group(social: Practice, client: Client) -> None:
    made = await group(social, 9, "pat")
    (visit,) = made["members"]
    await social.make(
        "users", "ben's user", email="ben@juniper.example", name="Ben", role="practitioner", password=PASSWORD,
        practitioner_id=social.made["ben"],
    )  # fmt: skip
    pair = await sign_in(client, "ben@juniper.example")
    async with client(pair["access_token"]) as ben:
        members = f"{GROUPS}/{made['id']}/members"
        for named in ({"patient_id": social.made["pat"]}, {"patient_id": social.made["quin"]}):
            answer = await ben.request("DELETE", members, json=named)
            assert (answer.status_code, answer.json()["detail"]) == (
                403,
                "Only your own groups can be changed.",
            )
        for member in (visit["id"], social.made["pat"]):
            assert (await ben.delete(f"{members}/{member}")).status_code == 403
    assert (await told(social, made))["members_count"] == 1


async def test_a_members_room_needs_what_the_group_said(social: Practice) -> None:
    """Whatever the room needs by now: a member takes none of it."""
    made = await group(social, 9, "pat")
    await social.book(at(10.25), patient_id="una", practitioner_id="ben", room_id="play")
    await social.change("rooms", "play", cleaning_minutes=30)
    joined = await join(social, made, "quin")
    assert joined.status_code == 201, joined.text
    assert joined.json()["turnover_minutes"] == made["turnover_minutes"] == 10


async def test_a_group_is_one_visit_of_its_rooms_day(social: Practice) -> None:
    """Of two equal rooms the one with fewer visits that day is taken: one group is as much as one visit."""
    await social.make(
        "rooms", "hall", clinic_id=social.made["clinic"], number="8", room_type="talk", cleaning_minutes=10, capacity=6,
    )  # fmt: skip
    one = await group(social, 9, "pat", room_id="play")
    await social.book(at(9), patient_id="una", practitioner_id="ben", room_id="hall")
    assert one["room_id"] == social.made["play"]
    two = await group(social, 12, "quin")
    assert two["room_id"] == social.made["hall"], "as many visits in both: the smaller number"
    three = await group(social, 14, "quin")
    assert three["room_id"] == social.made["play"], "two visits in the hall, one group in the other"


async def test_who_was_reopened_keeps_what_is_left_of_the_time(given: Given) -> None:
    """Completed early and reopened, a member's visit ends before its group, and comes back if it is taken away."""
    practice = given.practice
    answer = await practice.admin.post(
        GROUPS, json=body(practice, 0, service_id="talk", members_max=1) | {"start": on(-1, 9)}
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()
    visit = (await join(practice, made, "pat")).json()
    path = f"{API}/appointments/{visit['id']}"
    steps = {
        "check-in": {"at": on(-1, 9)},
        "start": {"at": on(-1, 9)},
        "complete": {"at": on(-1, 9.5)},
        "reopen": {},
    }
    for call, fields in steps.items():
        answer = await practice.admin.post(f"{path}/{call}", json=fields)
        assert answer.status_code == 200, answer.text
    assert answer.json()["end"] == on(-1, 9.5)
    connection = await asyncpg.connect(practice.application.house.settings.database_admin_url)  # type: ignore[union-attr]
    try:
        assert await invariants.broken(connection, practice.organization.id) == {}
    finally:
        await connection.close()


async def test_a_member_is_given_and_signed_as_any_visit(social: Practice) -> None:
    made = await group(social, 9, "pat", "quin")
    pat = made["members"][0]
    for call in ("check-in", "start", "complete"):
        await social.done(await social.call(pat, call))
    got = await told(social, made)
    assert sorted(each["status"] for each in got["members"]) == ["completed", "scheduled"]
    answer = await social.admin.post(f"{GROUPS}/{made['id']}/cancel", json={})
    problem = social.problem(answer, 409)
    assert (problem["code"], problem["members"][0]["code"]) == ("group_conflict", "illegal_transition")


async def test_equal_keys_make_one_group_and_one_member(social: Practice) -> None:
    key = {"Idempotency-Key": "a-group"}
    answers = [await social.admin.post(GROUPS, json=body(social, 9, "pat"), headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"
    made = answers[0].json()
    key = {"Idempotency-Key": "a-member"}
    path = f"{GROUPS}/{made['id']}/members"
    who = {"patient_id": social.made["quin"]}
    answers = [await social.admin.post(path, json=who, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert (await told(social, made))["members_count"] == 2


async def test_who_is_away_is_told_of_the_group(social: Practice) -> None:
    made = await group(social, 9, "pat", "quin")
    answer = await social.admin.post(
        f"{API}/practitioners/{social.made['ana']}/time-off",
        json={"start": at(8), "end": at(12), "kind": "sick"},
    )
    assert answer.status_code == 201, answer.text
    assert sorted(each["kind"] for each in answer.json()["affected"]) == [
        "appointment",
        "appointment",
        "group",
    ]
    got = await told(social, made)
    assert got["needs_action"] == "practitioner_absent"
    assert {each["needs_action"] for each in got["members"]} == {"practitioner_absent"}
    plan = await social.admin.get(
        f"{API}/practitioners/{social.made['ana']}/absence-plan", params={"date": str(monday())}
    )
    assert plan.json()["visits"] == [], "a group is moved as a whole"
    assert social.problem(await join(social, made, "rae"), 409)["code"] == "practitioner_unavailable"
    answer = await social.admin.patch(f"{GROUPS}/{made['id']}", json={"practitioner_id": social.made["ben"]})
    assert answer.status_code == 200, answer.text
    got = await told(social, made)
    assert got["needs_action"] is None
    assert {each["needs_action"] for each in got["members"]} == {None}


async def test_a_room_plan_leaves_a_group_where_it_is(social: Practice) -> None:
    await group(social, 9, "pat", "quin")
    await social.book(at(9), patient_id="una", practitioner_id="ben")
    answer = await social.admin.post(
        f"{API}/clinics/{social.made['clinic']}/room-plan", params={"date": str(monday())}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["unplaced"] == []


async def test_the_calendar_shows_groups_and_each_role_what_it_may_see(
    social: Practice, client: Client, organization: Organization
) -> None:
    made = await group(social, 9, "pat", "quin")
    query = {"clinic_id": social.made["clinic"], "start_date": str(monday()), "end_date": str(monday())}
    calendar = (await social.admin.get(f"{API}/calendar", params=query)).json()
    assert calendar["blocks"] == []
    standing = {"members_count", "needs_action", "members"}
    assert calendar["groups"] == [{name: value for name, value in made.items() if name not in standing}]
    async with client(organization.tokens["practitioner"]) as colleague:
        got = (await colleague.get(f"{GROUPS}/{made['id']}")).json()
        assert (got["service_id"], got["members_count"], got["members"]) == (None, None, [])
        assert (got["practitioner_id"], got["start"]) == (social.made["ana"], at(9))
        busy = (await colleague.get(f"{API}/calendar", params=query)).json()["groups"]
        assert [each["members_max"] for each in busy] == [None]
        assert (await colleague.patch(f"{GROUPS}/{made['id']}", json={"start": at(11)})).status_code == 403
        who = {"patient_id": social.made["rae"]}
        assert (await colleague.post(f"{GROUPS}/{made['id']}/members", json=who)).status_code == 403
    async with client(organization.tokens["patient"]) as patient:
        assert (await patient.get(f"{GROUPS}/{made['id']}")).status_code == 404
        assert (await patient.get(GROUPS)).json()["items"] == []
        assert (await patient.get(f"{API}/calendar", params=query)).json()["groups"] == []

"""Blocks: time that is nobody's visit, under the same law as visits."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest
from api.people import Client, Organization
from api.practice import API, Practice, at, monday

BLOCKS = f"{API}/blocks"


def wanted(practice: Practice, start: float, end: float, *names: str, **more: Any) -> dict[str, Any]:
    who = [practice.made[name] for name in names or ("ana",)]
    return {"kind": "meeting", "practitioner_ids": who, "start": at(start), "end": at(end), **more}


async def block(practice: Practice, start: float, end: float, *names: str, **more: Any) -> dict[str, Any]:
    answer = await practice.admin.post(BLOCKS, json=wanted(practice, start, end, *names, **more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def refused(practice: Practice, start: float, end: float, *names: str, **more: Any) -> Any:
    answer = await practice.admin.post(BLOCKS, json=wanted(practice, start, end, *names, **more))
    assert answer.status_code == 409, answer.text
    return answer.json()


async def claims(practice: Practice, made: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Whose, which seat, which kind."""
    rows = await practice.stored(
        "select resource_id::text, seat, kind from claims where organization_id = $1 and block_id = $2", made["id"]
    )  # fmt: skip
    names = {each: called for called, each in practice.made.items()}
    return sorted((names[row[0]], row[1], row[2]) for row in rows)


async def listed(practice: Practice, **query: Any) -> list[str]:
    answer = await practice.admin.get(BLOCKS, params=query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


async def test_a_meeting_takes_everyone_and_the_room(practice: Practice) -> None:
    room = practice.made["room 1"]
    made = await block(practice, 9, 10, "ana", "ben", room_id=room, label="Plans")
    assert made["practitioner_ids"] == sorted([practice.made["ana"], practice.made["ben"]])
    shown = {name: made[name] for name in ("kind", "room_id", "start", "end", "label", "version")}
    assert shown == {
        "kind": "meeting", "room_id": room, "start": at(9), "end": at(10), "label": "Plans", "version": 1,
    }  # fmt: skip
    got = await practice.admin.get(f"{BLOCKS}/{made['id']}")
    assert (got.json(), got.headers["etag"]) == (made, '"1"')
    assert await claims(practice, made) == [
        ("ana", 0, "block"), ("ben", 0, "block"), ("room 1", 0, "block"),
    ]  # fmt: skip


async def test_a_booking_meets_a_block_though_the_lane_remembers_the_day(practice: Practice) -> None:
    """The lane has the day in memory, as free; the block is made beside the lane."""
    await practice.book(at(9))
    made = await block(practice, 11, 12)
    problem = await practice.refused(at(11.5))
    assert problem["code"] == "practitioner_conflict"
    assert problem["conflicts"] == [
        {"kind": "practitioner", "resource_id": practice.made["ana"], "appointment_id": None,
         "start": at(11), "end": at(12), "status": "block"}
    ]  # fmt: skip
    query = {"practitioner_id": practice.made["ana"], "start": at(11.5), "end": at(12)}
    told = (await practice.admin.get(f"{API}/appointments/conflicts", params=query)).json()
    assert [(each["kind"], each["status"]) for each in told["conflicts"]] == [("practitioner", "block")]
    answer = await practice.admin.patch(f"{BLOCKS}/{made['id']}", json={"start": at(13)})
    assert answer.status_code == 200, answer.text
    await practice.book(at(11))
    assert (await practice.refused(at(13)))["code"] == "practitioner_conflict"
    assert (await practice.admin.delete(f"{BLOCKS}/{made['id']}")).status_code == 204
    await practice.book(at(13))


async def test_a_room_is_not_chosen_while_it_is_blocked(practice: Practice) -> None:
    await block(practice, 9, 12, "ben", room_id=practice.made["room 1"])
    assert (await practice.book(at(9)))["room_number"] == "2"
    assert (await practice.refused(at(10), room_id="room 1"))["code"] == "room_conflict"


async def test_a_block_meets_what_is_booked(practice: Practice) -> None:
    """All or nothing: Ben stays free when Ana is not."""
    visit = await practice.book(at(9), room_id="room 1")
    problem = await refused(practice, 9.5, 10.5, "ana", "ben", room_id=practice.made["room 1"])
    assert (problem["code"], [each["code"] for each in problem["reasons"]]) == (
        "practitioner_conflict", ["practitioner_conflict", "room_conflict"],
    )  # fmt: skip
    kinds = {
        (each["kind"], each["resource_id"], each["appointment_id"], each["status"])
        for each in problem["conflicts"]
    }
    assert kinds == {
        ("practitioner", practice.made["ana"], visit["id"], "scheduled"),
        ("room", practice.made["room 1"], visit["id"], "scheduled"),
    }
    made = await block(practice, 9.5, 10.5, "ben")
    problem = await refused(practice, 10, 11, "ben")
    assert [each["status"] for each in problem["conflicts"]] == ["block"]
    assert await claims(practice, made) == [("ben", 0, "block")]
    await block(practice, 10.5, 11, "ben")  # back to back


async def test_a_block_takes_the_lowest_free_seat(practice: Practice) -> None:
    await practice.change("rooms", "room 1", concurrent_visits_max=3)
    await practice.book(at(9), room_id="room 1")
    room = practice.made["room 1"]
    made = await block(practice, 9, 10, "ben", room_id=room)
    assert await claims(practice, made) == [("ben", 0, "block"), ("room 1", 1, "block")]
    for name in ("cho", "dee"):
        await practice.make("practitioners", name, name=name.title())
    last = await block(practice, 9.5, 10.5, "cho", room_id=room)
    assert await claims(practice, last) == [("cho", 0, "block"), ("room 1", 2, "block")]
    assert (await refused(practice, 9, 10, "dee", room_id=room))["code"] == "room_conflict"
    gone = await practice.admin.patch(f"{API}/rooms/{room}", json={"concurrent_visits_max": 2})
    assert (gone.status_code, gone.json()["code"]) == (409, "seat_in_use")


async def test_a_move_does_not_meet_itself(practice: Practice) -> None:
    made = await block(practice, 9, 10, "ana", room_id=practice.made["room 1"])
    path = f"{BLOCKS}/{made['id']}"
    moved = (await practice.admin.patch(path, json={"start": at(9.5)})).json()
    assert (moved["start"], moved["end"], moved["version"]) == (at(9.5), at(10.5), 2)
    same = (await practice.admin.patch(path, json={"end": at(10.5)})).json()
    assert same == moved
    changed = await practice.admin.patch(
        path, json={"room_id": None, "practitioner_ids": [practice.made["ben"]], "kind": "training"}
    )
    assert (changed.json()["kind"], changed.json()["room_id"]) == ("training", None)
    assert await claims(practice, made) == [("ben", 0, "block")]
    await block(practice, 9, 17, "ana", room_id=practice.made["room 1"])
    met = await practice.admin.patch(path, json={"practitioner_ids": [practice.made["ana"]]})
    assert (met.status_code, met.json()["code"]) == (409, "practitioner_conflict")
    assert await claims(practice, made) == [("ben", 0, "block")]
    late = await practice.admin.patch(path, json={"end": at(11)}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["version"]) == (412, 3)


async def test_an_equal_key_has_one_effect(practice: Practice) -> None:
    body, key = wanted(practice, 9, 10), {"Idempotency-Key": "one"}
    answers = await asyncio.gather(*(practice.admin.post(BLOCKS, json=body, headers=key) for _ in range(3)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    gone = [await practice.admin.delete(f"{BLOCKS}/{answers[0].json()['id']}", headers=key | {"Idempotency-Key": "two"})
            for _ in range(2)]  # fmt: skip
    assert [answer.status_code for answer in gone] == [204, 204]
    assert (await practice.admin.delete(f"{BLOCKS}/{answers[0].json()['id']}")).status_code == 404


async def test_a_race_for_one_hour_has_one_winner(practice: Practice) -> None:
    asked = [practice.admin.post(BLOCKS, json=wanted(practice, 9, 10)) for _ in range(3)]
    asked += [practice.admin.post(f"{API}/appointments", json=practice.booking(at(9))) for _ in range(3)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "practitioner_conflict", "patient_conflict",
    }  # fmt: skip


async def test_the_list_finds_by_range_whom_and_where(practice: Practice) -> None:
    one = (await block(practice, 9, 10))["id"]
    two = (await block(practice, 23, 25, "ben", kind="travel"))["id"]
    three = (await block(practice, 33, 34, "ben", room_id=practice.made["room 2"], kind="break"))["id"]
    gone = (await block(practice, 12, 13))["id"]
    await practice.admin.delete(f"{BLOCKS}/{gone}")
    first, second = str(monday()), str(monday() + timedelta(days=1))
    clinic = practice.made["clinic"]
    assert await listed(practice) == [one, two, three]
    assert (await practice.admin.get(BLOCKS)).json()["total"] == 3
    assert await listed(practice, clinic_id=clinic, start_date=first, end_date=first) == [one, two]
    assert await listed(practice, clinic_id=clinic, start_date=second, end_date=second) == [two, three]
    assert await listed(practice, practitioner_id=practice.made["ben"]) == [two, three]
    assert await listed(practice, room_id=practice.made["room 2"]) == [three]
    assert await listed(practice, kind="travel") == [two]
    other = await practice.make("clinics", "south", name="South", time_zone="UTC")
    assert await listed(practice, clinic_id=other) == []


async def test_the_calendar_and_free_times_know_it(practice: Practice) -> None:
    made = await block(practice, 8, 17.5, label="Away day")
    day = str(monday())
    query = {"clinic_id": practice.made["clinic"], "start_date": day, "end_date": day}
    found = (await practice.admin.get(f"{API}/calendar", params=query)).json()
    assert found["blocks"] == [made]
    free = query | {"service_id": practice.made["talk"], "practitioner_id": practice.made["ana"]}
    assert (await practice.admin.get(f"{API}/availability", params=free)).json()["slots"] == []
    await practice.admin.delete(f"{BLOCKS}/{made['id']}")
    assert (await practice.admin.get(f"{API}/calendar", params=query)).json()["blocks"] == []
    assert (await practice.admin.get(f"{API}/availability", params=free)).json()["slots"]


async def test_it_is_told_without_its_label_which_is_sealed(practice: Practice) -> None:
    made = await block(practice, 9, 10, label="About Mia")
    path = f"{BLOCKS}/{made['id']}"
    for body in ({"start": at(11)}, {"label": "Mia again"}):
        assert (await practice.admin.patch(path, json=body)).status_code == 200
    await practice.admin.delete(path)
    rows = await practice.stored(
        "select kind, body::text as body from events where organization_id = $1 and kind like 'block.%' order by seq"
    )
    assert [row["kind"] for row in rows] == ["block.created", "block.moved", "block.changed", "block.deleted"]
    bodies = [msgspec.json.decode(row["body"]) for row in rows]
    assert [body["version"] for body in bodies] == [1, 2, 3, 4]
    assert (bodies[1]["start"], bodies[1]["end"]) == (at(11), at(12))
    assert "Mia" not in "".join(row["body"] for row in rows)
    stored = await practice.stored("select b::text from blocks b where organization_id = $1")
    assert b"Mia".hex() not in stored[0][0]
    assert "label_encrypted" not in rows[0]["body"]


async def test_blocks_that_cannot_be(practice: Practice) -> None:
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"end": at(9)}, "end"), ({"end": at(8)}, "end"), ({"end": at(34)}, "end"),
        ({"practitioner_ids": []}, "practitioner_ids"), ({"kind": "party"}, "kind"),
        ({"start": "2090-01-01T00:00:00Z", "end": "2090-01-01T01:00:00Z"}, "start"),
        ({"label": "x" * 201}, "label"), ({"clinic_id": practice.made["clinic"]}, "clinic_id"),
    )  # fmt: skip
    for change, field in changes:
        answer = await practice.admin.post(BLOCKS, json=wanted(practice, 9, 10) | change)
        assert answer.status_code == 422, change
        assert answer.json()["errors"][0]["field"].partition("[")[0] == field
    assert await listed(practice) == []


async def test_who_is_not_there_or_not_fit(practice: Practice, stranger: Organization) -> None:
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"practitioner_ids": [practice.made["ana"], stranger.practitioner_id]}, "practitioner_ids"),
        ({"practitioner_ids": [practice.made["room 1"]]}, "practitioner_ids"),
        ({"room_id": practice.made["ana"]}, "room_id"),
    )  # fmt: skip
    for change, field in changes:
        answer = await practice.admin.post(BLOCKS, json=wanted(practice, 9, 10) | change)
        assert (answer.status_code, answer.json()["field"]) == (404, field)
    long_ago = wanted(practice, 9, 10) | {"start": "2020-01-01T09:00:00Z", "end": "2020-01-01T10:00:00Z"}
    answer = await practice.admin.post(BLOCKS, json=long_ago)
    assert (answer.status_code, answer.json()["code"]) == (409, "start_in_past")
    await practice.change("practitioners", "ben", is_active=False)
    assert (await refused(practice, 9, 10, "ana", "ben"))["code"] == "inactive_resource"
    await practice.change("rooms", "room 1", is_available=False)
    assert (await refused(practice, 9, 10, room_id=practice.made["room 1"]))["code"] == "room_unavailable"
    assert await listed(practice) == []


@pytest.mark.parametrize(
    ("planted", "law"),
    [
        ("update blocks set kind = 'party' where organization_id = $1", "blocks_kind_known"),
        ("update blocks set ends_at = starts_at where organization_id = $1", "blocks_length"),
        (
            "update blocks set ends_at = starts_at + interval '25 h' where organization_id = $1",
            "blocks_length",
        ),
        ("update blocks set room_id = gen_random_uuid() where organization_id = $1", "blocks_room_fkey"),
        (
            "update block_attendees set practitioner_id = gen_random_uuid() where organization_id = $1",
            "block_attendees_practitioner_fkey",
        ),
        (
            "insert into block_attendees select $1, gen_random_uuid(), practitioner_id from block_attendees",
            "block_attendees_block_fkey",
        ),
        (
            "update claims set block_id = gen_random_uuid() where organization_id = $1 and kind = 'block'",
            "claims_block_fkey",
        ),
        (
            (
                "insert into claims (organization_id, resource_id, starts_at, ends_at, kind, block_id)"
                " select organization_id, resource_id, starts_at + interval '1 min', ends_at, kind, block_id from claims"
                " where organization_id = $1 and kind = 'block'"
            ),
            "claims_no_overlap",
        ),
    ],
)
async def test_the_tables_refuse_past_the_api(practice: Practice, planted: str, law: str) -> None:
    await block(practice, 9, 10)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as broken:
        await practice.stored(planted)
    assert (broken.value.constraint_name or "").startswith(law)


@pytest.fixture
async def therapist(client: Client, practice: Practice) -> Any:
    """The practitioner's own account: whose practitioner is `own`."""
    practice.made["own"] = practice.organization.practitioner_id
    async with client(practice.organization.tokens["practitioner"]) as user:
        yield user


async def test_practitioners_dispose_of_their_own_time(
    practice: Practice, therapist: httpx2.AsyncClient, client: Client
) -> None:
    own = await therapist.post(BLOCKS, json=wanted(practice, 9, 10, "own", label="Notes"))
    assert own.status_code == 201, own.text
    assert (await therapist.post(BLOCKS, json=wanted(practice, 11, 12, "own", "ana"))).status_code == 403
    assert (await therapist.post(BLOCKS, json=wanted(practice, 11, 12, "ana"))).status_code == 403
    both = await block(practice, 11, 12, "own", "ana", label="Both")
    other = await block(practice, 13, 14, "ana", label="Secret")
    for each in (both, other):
        assert (await therapist.patch(f"{BLOCKS}/{each['id']}", json={"start": at(15)})).status_code == 403
        assert (await therapist.delete(f"{BLOCKS}/{each['id']}")).status_code == 403
    moved = await therapist.patch(f"{BLOCKS}/{own.json()['id']}", json={"start": at(15)})
    assert moved.status_code == 200
    given_away = {"practitioner_ids": [practice.made["ana"]]}
    assert (await therapist.patch(f"{BLOCKS}/{own.json()['id']}", json=given_away)).status_code == 403
    seen = {
        each["id"]: (each["kind"], each["label"]) for each in (await therapist.get(BLOCKS)).json()["items"]
    }
    assert seen == {
        own.json()["id"]: ("meeting", "Notes"), both["id"]: ("meeting", "Both"), other["id"]: (None, None),
    }  # fmt: skip
    assert (await therapist.get(f"{BLOCKS}/{other['id']}")).json() == other | {"kind": None, "label": None}
    async with client(practice.organization.tokens["patient"]) as patient:
        assert (await patient.get(BLOCKS)).json()["items"] == []
        assert (await patient.get(f"{BLOCKS}/{other['id']}")).status_code == 404
        assert (await patient.post(BLOCKS, json=wanted(practice, 9, 10))).status_code == 403

"""Holds: time kept for a booking that is being made. A hold blocks like a visit until it is used, released or over."""

import asyncio
from datetime import datetime
from typing import Any

import httpx2
from api.people import Client
from api.practice import API, VISITS, Practice, at

HOLDS = f"{API}/holds"


async def held(practice: Practice, start: str, **more: Any) -> Any:
    answer = await practice.admin.post(HOLDS, json=practice.booking(start, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def book(practice: Practice, start: str, hold: Any, **more: Any) -> httpx2.Response:
    return await practice.admin.post(
        VISITS, json=practice.booking(start, **more) | {"hold_id": hold["hold_id"]}
    )


async def ended(practice: Practice) -> list[Any]:
    rows = await practice.stored("select ended_as from holds where organization_id = $1 order by id")
    return [row[0] for row in rows]


async def claims(practice: Practice) -> int:
    rows = await practice.stored("select count(*) from claims where organization_id = $1 and kind = 'hold'")
    return int(rows[0][0])


async def test_a_hold_blocks_and_the_booking_uses_it_up(practice: Practice) -> None:
    hold = await held(practice, at(9), room_id="room 1")
    assert hold["expires_at"] > hold["start"] or hold["room_id"] == practice.made["room 1"]
    refused = await practice.refused(at(9.5), room_id="room 1")
    assert {each["code"] for each in refused["reasons"]} == {
        "practitioner_conflict", "patient_conflict", "room_conflict",
    }  # fmt: skip
    assert {each["status"] for each in refused["conflicts"]} == {"hold"}
    seen = await practice.admin.get(f"{VISITS}/conflicts", params={
        "start": at(9), "end": at(10), "patient_id": practice.made["pat"]})  # fmt: skip
    assert seen.json()["has_conflict"] is True
    answer = await book(practice, at(9), hold)
    assert answer.status_code == 201, answer.text
    visit = answer.json()
    assert (visit["room_id"], visit["start"]) == (practice.made["room 1"], at(9))
    assert (await ended(practice), await claims(practice)) == (["booked"], 0)
    assert [claim[:2] for claim in await practice.claims(visit)] == [
        ("ana", "visit"), ("pat", "visit"), ("room 1", "turnover"), ("room 1", "visit"),
    ]  # fmt: skip
    again = practice.problem(await book(practice, at(12), hold), 410)
    assert again["code"] == "hold_expired"


async def test_a_hold_is_only_for_whom_it_was_made(practice: Practice) -> None:
    hold = await held(practice, at(9))
    for name, other in (("patient_id", "quin"), ("practitioner_id", "ben"), ("service_id", "funded")):
        problem = practice.problem(await book(practice, at(9), hold, **{name: other}), 409)
        assert (problem["code"], problem["field"]) == ("hold_mismatch", name)
        assert (problem["conflicts"], problem["alternatives"]) == ([], {"rooms": [], "slots": []})
        assert isinstance(problem["as_of_seq"], int)
    # The time may be another: what was held is given back.
    assert (await book(practice, at(14), hold)).status_code == 201
    await practice.book(at(9))


async def test_a_hold_is_released(practice: Practice) -> None:
    hold = await held(practice, at(9))
    answer = await practice.admin.delete(f"{HOLDS}/{hold['hold_id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await ended(practice), await claims(practice)) == (["released"], 0)
    gone = await practice.admin.delete(f"{HOLDS}/{hold['hold_id']}")
    assert practice.problem(gone, 410)["code"] == "hold_expired"
    assert practice.problem(await book(practice, at(9), hold), 410)["code"] == "hold_expired"
    unknown = await practice.admin.delete(f"{HOLDS}/{practice.made['clinic']}")
    assert practice.problem(unknown, 404)["code"] == "not_found"
    body = practice.booking(at(9)) | {"hold_id": practice.made["clinic"]}
    assert practice.problem(await practice.admin.post(VISITS, json=body), 404)["field"] == "hold_id"


async def test_a_hold_expires_and_its_time_is_free(practice: Practice) -> None:
    """Nobody need book for it to be seen: availability and conflicts do not show what has expired."""
    hold = await held(practice, at(9), ttl_seconds=1)
    await _over(practice, hold)
    params = {"start": at(9), "end": at(10), "patient_id": practice.made["pat"]}
    seen = (await practice.admin.get(f"{VISITS}/conflicts", params=params)).json()
    assert (seen["has_conflict"], await claims(practice)) == (False, 4)
    day = at(9)[:10]
    free = await practice.admin.get(f"{API}/availability", params={
        "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"], "start_date": day, "end_date": day,
        "practitioner_id": practice.made["ana"], "patient_id": practice.made["pat"]})  # fmt: skip
    assert at(9) in {slot["start"] for slot in free.json()["slots"]}
    assert practice.problem(await book(practice, at(9), hold), 410)["code"] == "hold_expired"
    assert (await ended(practice), await claims(practice)) == (["expired"], 0)
    await practice.book(at(9))
    kinds = await practice.stored(
        "select kind from events where organization_id = $1 and kind like 'hold.%' order by seq"
    )
    assert [row[0] for row in kinds] == ["hold.placed", "hold.expired"]


async def test_a_block_may_have_what_a_hold_let_go_of(practice: Practice) -> None:
    def block(hour: int) -> dict[str, Any]:
        times = {"start": at(hour), "end": at(hour + 1)}
        return {"kind": "admin", "practitioner_ids": [practice.made["ana"]], **times}

    standing = await held(practice, at(11))
    taken = await practice.admin.post(f"{API}/blocks", json=block(11))
    assert practice.problem(taken, 409)["code"] == "practitioner_conflict"
    assert (await practice.admin.delete(f"{HOLDS}/{standing['hold_id']}")).status_code == 204
    hold = await held(practice, at(9), ttl_seconds=1)
    await _over(practice, hold)
    assert (await practice.admin.post(f"{API}/blocks", json=block(9))).status_code == 201
    assert (await ended(practice), await claims(practice)) == (["released", "expired"], 0)


async def _over(practice: Practice, hold: Any) -> None:
    for _ in range(200):
        (row,) = await practice.stored("select now() >= $2::timestamptz from turns where organization_id = $1",
                                       _moment(hold["expires_at"]))  # fmt: skip
        if row[0]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the clock stands still")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_refused_booking_leaves_the_hold(practice: Practice) -> None:
    hold = await held(practice, at(9))
    await practice.book(at(14), patient_id="quin")
    refused = practice.problem(await book(practice, at(14), hold), 409)
    assert refused["code"] == "practitioner_conflict"
    assert (await ended(practice), await claims(practice) > 0) == ([None], True)
    assert (
        at(9) in {slot["start"] for slot in refused["alternatives"]["slots"]}
        or refused["alternatives"]["slots"]
    )
    assert (await book(practice, at(9), hold)).status_code == 201


async def test_a_hold_changes_seats_and_is_still_found(practice: Practice) -> None:
    """In a room of two seats a visit that needs a whole seat moves the hold to the other."""
    await practice.change("rooms", "room 2", concurrent_visits_max=2, cleaning_minutes=0)
    await practice.book(at(9), room_id="room 2")
    hold = await held(
        practice, at(9.5), room_id="room 2", practitioner_id="ben", patient_id="quin", duration_minutes=30
    )
    await practice.make("patients", "third", given_name="T", family_name="Person", birth_date="2015-05-05")
    await practice.book(at(10), room_id="room 2", patient_id="third")
    answer = await book(
        practice, at(9.5), hold, practitioner_id="ben", patient_id="quin", duration_minutes=30
    )
    assert answer.status_code == 201, answer.text
    assert await claims(practice) == 0


async def test_a_hold_is_refused_like_a_booking(practice: Practice) -> None:
    await practice.book(at(9))
    answer = await practice.admin.post(HOLDS, json=practice.booking(at(9), patient_id="quin"))
    refused = practice.problem(answer, 409)
    assert refused["code"] == "practitioner_conflict"
    assert refused["alternatives"]["slots"]
    too_long = await practice.admin.post(HOLDS, json=practice.booking(at(12), ttl_seconds=3_601))
    assert practice.problem(too_long, 422)["errors"][0]["field"] == "ttl_seconds"
    nested = await practice.admin.post(
        HOLDS, json=practice.booking(at(12)) | {"hold_id": practice.made["clinic"]}
    )
    assert practice.problem(nested, 422)["errors"][0]["field"] == "hold_id"


async def test_open_holds_are_listed(practice: Practice, client: Client) -> None:
    second = await held(practice, at(11), patient_id="quin", practitioner_id="ben")
    first = await held(practice, at(9))
    over = await held(practice, at(14), ttl_seconds=1)
    await _over(practice, over)
    page = (await practice.admin.get(HOLDS)).json()
    assert (page["items"], page["total"]) == ([first, second], 2)
    own = await practice.admin.get(HOLDS, params={"practitioner_id": practice.made["ben"]})
    assert own.json()["items"] == [second]
    for role, status in (("practitioner", 200), ("patient", 200), ("scheduler", 200)):
        async with client(practice.organization.tokens[role]) as user:
            answer = await user.get(HOLDS)
            assert answer.status_code == status
            assert len(answer.json()["items"]) == (2 if role == "scheduler" else 0)


async def test_an_equal_key_gets_the_same_hold(practice: Practice) -> None:
    key = {"Idempotency-Key": "one"}
    first = await practice.admin.post(HOLDS, json=practice.booking(at(9)), headers=key)
    again = await practice.admin.post(HOLDS, json=practice.booking(at(9)), headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json() == again.json()
    assert await ended(practice) == [None]

"""Blocks that recur: all dates or none, one by one or from one on; and what a refused block could have instead."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from api.people import Client
from api.practice import API, Practice, at, monday

BLOCKS = f"{API}/blocks"
WEEKLY = "FREQ=WEEKLY;COUNT=4"


def wanted(practice: Practice, start: float, end: float, *names: str, **more: Any) -> dict[str, Any]:
    who = [practice.made[name] for name in names or ("ana",)]
    return {"kind": "meeting", "practitioner_ids": who, "start": at(start), "end": at(end), **more}


async def series(practice: Practice, start: float, end: float, *names: str, **more: Any) -> Any:
    answer = await practice.admin.post(
        BLOCKS, json=wanted(practice, start, end, *names, **{"rrule": WEEKLY} | more)
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def standing(practice: Practice, made: Any) -> list[tuple[str, str, int]]:
    found = await practice.admin.get(BLOCKS, params={"series_id": made["series_id"]})
    return [(each["start"], each["kind"], each["version"]) for each in found.json()["items"]]


async def test_each_date_is_a_block_of_its_own(practice: Practice) -> None:
    made = await series(practice, 9, 10, room_id=practice.made["room 1"], label="Plans")
    assert [each["start"] for each in made["dates"]] == [at(9, day) for day in (0, 7, 14, 21)]
    assert made["id"] == made["dates"][0]["id"]
    for each in made["dates"]:
        got = (await practice.admin.get(f"{BLOCKS}/{each['id']}")).json()
        assert (got["series_id"], got["label"], got["version"]) == (made["series_id"], "Plans", 1)
        assert (got["start"], got["end"]) == (each["start"], each["end"])
    assert (await practice.refused(at(9, 14)))["code"] == "practitioner_conflict"
    alone = (await practice.admin.post(BLOCKS, json=wanted(practice, 11, 12))).json()
    assert (alone["series_id"], "dates" in alone) == (None, False)
    events = await practice.stored(
        "select body ->> 'id' as id, body ->> 'series_id' as series from events where organization_id = $1"
        " and kind = 'block.created' order by seq"
    )
    assert [row["id"] for row in events[:4]] == [each["id"] for each in made["dates"]]
    assert {row["series"] for row in events[:4]} == {made["series_id"]}


async def test_every_bad_date_is_named_and_none_is_written(practice: Practice) -> None:
    visits = [await practice.book(at(9, day)) for day in (7, 21)]
    body = wanted(practice, 9, 10, "ana", "ben", rrule=WEEKLY)
    answer = await practice.admin.post(BLOCKS, json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "series_conflict")
    assert [(each["start"], each["code"]) for each in problem["dates"]] == [
        (at(9, 7), "practitioner_conflict"), (at(9, 21), "practitioner_conflict"),
    ]  # fmt: skip
    met = [[each["appointment_id"] for each in bad["conflicts"]] for bad in problem["dates"]]
    assert met == [[visit["id"]] for visit in visits]
    assert isinstance(problem["as_of_seq"], int)
    assert (await practice.admin.get(BLOCKS)).json()["total"] == 0
    left_out = [str(monday() + timedelta(days=day)) for day in (7, 21)]
    made = (await practice.admin.post(BLOCKS, json={**body, "exdates": left_out})).json()
    assert [each["start"] for each in made["dates"]] == [at(9), at(9, 14)]


async def test_one_date_changes_alone(practice: Practice) -> None:
    made = await series(practice, 9, 10)
    second = made["dates"][1]["id"]
    moved = await practice.admin.patch(f"{BLOCKS}/{second}", json={"start": at(11, 7)})
    assert moved.status_code == 200, moved.text
    await practice.admin.delete(f"{BLOCKS}/{made['dates'][2]['id']}")
    assert await standing(practice, made) == [
        (at(9), "meeting", 1), (at(11, 7), "meeting", 2), (at(9, 21), "meeting", 1),
    ]  # fmt: skip


async def test_this_and_the_following_change_together(practice: Practice) -> None:
    made = await series(practice, 9, 10)
    third = made["dates"][2]["id"]
    await practice.admin.patch(f"{BLOCKS}/{made['dates'][3]['id']}", json={"start": at(14, 21)})
    path = f"{BLOCKS}/{made['dates'][1]['id']}"
    answer = await practice.admin.patch(
        path, params={"scope": "following"}, json={"start": at(9.5, 8), "kind": "training"}
    )
    assert (answer.status_code, answer.json()["id"]) == (200, made["dates"][1]["id"]), answer.text
    assert await standing(practice, made) == [
        (at(9), "meeting", 1), (at(9.5, 8), "training", 2), (at(9.5, 15), "training", 2),
        (at(14.5, 22), "training", 3),
    ]  # fmt: skip
    late = await practice.admin.patch(
        path, params={"scope": "following"}, json={"kind": "break"}, headers={"If-Match": '"1"'}
    )
    assert late.status_code == 412
    gone = await practice.admin.delete(f"{BLOCKS}/{third}", params={"scope": "following"})
    assert gone.status_code == 204
    assert [each[0] for each in await standing(practice, made)] == [at(9), at(9.5, 8)]
    await practice.book(at(9.5, 15))


async def test_dates_that_follow_do_not_meet_themselves_and_move_all_or_none(practice: Practice) -> None:
    made = await series(practice, 9, 10, rrule="FREQ=DAILY;COUNT=4")
    path = f"{BLOCKS}/{made['id']}"
    moved = await practice.admin.patch(
        path, params={"scope": "following"}, json={"start": at(9, 1), "end": at(10, 1)}
    )
    assert moved.status_code == 200, moved.text
    await practice.book(at(12, 3))
    answer = await practice.admin.patch(path, params={"scope": "following"}, json={"start": at(12, 1)})
    assert (answer.status_code, [each["start"] for each in answer.json()["dates"]]) == (409, [at(12, 3)])
    assert [each[0] for each in await standing(practice, made)] == [at(9, day) for day in (1, 2, 3, 4)]


async def test_an_equal_key_has_one_effect(practice: Practice) -> None:
    body, key = wanted(practice, 9, 10, rrule=WEEKLY), {"Idempotency-Key": "one"}
    answers = [await practice.admin.post(BLOCKS, json=body, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert (await practice.admin.get(BLOCKS)).json()["total"] == 4


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"rrule": "FREQ=WEEKLY"}, "rrule"), ({"rrule": "every Monday"}, "rrule"), ({"rrule": ""}, "rrule"),
        ({"exdates": ["2027-01-01"]}, "exdates"), ({"rrule": WEEKLY, "exdates": ["2027-01-01"]}, "exdates"),
        ({"rrule": "FREQ=DAILY;COUNT=2;BYDAY=SU"}, "rrule"),
    ],
)  # fmt: skip
async def test_rules_that_cannot_be(practice: Practice, more: dict[str, Any], field: str) -> None:
    answer = await practice.admin.post(BLOCKS, json=wanted(practice, 9, 10, **more))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    path = {"scope": "everything"}
    one = (await practice.admin.post(BLOCKS, json=wanted(practice, 9, 10))).json()["id"]
    odd = await practice.admin.delete(f"{BLOCKS}/{one}", params=path)
    assert (odd.status_code, odd.json()["errors"][0]["field"]) == (422, "scope")


async def test_it_recurs_on_the_wall_of_the_rooms_clinic(practice: Practice) -> None:
    """The organization's clock never changes; the room's does."""
    clinic = await practice.make("clinics", "denver", name="Denver", time_zone="America/Denver")
    room = await practice.make("rooms", "far", clinic_id=clinic, number="9", room_type="talk")
    there = {"start": at(9, zone="America/Denver"), "end": at(10, zone="America/Denver")}
    body = wanted(practice, 0, 1, "ben", room_id=room, rrule="FREQ=WEEKLY;COUNT=52")
    made = (await practice.admin.post(BLOCKS, json=body | there)).json()
    assert [each["start"] for each in made["dates"]] == [
        at(9, 7 * week, zone="America/Denver") for week in range(52)
    ]
    assert len({each["start"][11:] for each in made["dates"]}) == 2


async def test_practitioners_repeat_only_their_own_time(practice: Practice, client: Client) -> None:
    practice.made["own"] = practice.organization.practitioner_id
    async with client(practice.organization.tokens["practitioner"]) as therapist:
        mine = await therapist.post(BLOCKS, json=wanted(practice, 9, 10, "own", rrule=WEEKLY))
        assert mine.status_code == 201, mine.text
        given = {"practitioner_ids": [practice.made["own"], practice.made["ana"]]}
        last = mine.json()["dates"][3]["id"]
        assert (await practice.admin.patch(f"{BLOCKS}/{last}", json=given)).status_code == 200
        path = f"{BLOCKS}/{mine.json()['id']}"
        for refused in (
            await therapist.delete(path, params={"scope": "following"}),
            await therapist.patch(path, params={"scope": "following"}, json={"kind": "break"}),
        ):
            assert refused.status_code == 403
        assert (await therapist.delete(path)).status_code == 204


async def refused(practice: Practice, body: dict[str, Any]) -> Any:
    answer: httpx2.Response = await practice.admin.post(BLOCKS, json=body)
    return practice.problem(answer, 409)


async def test_a_refused_one_is_told_the_nearest_times_that_can_be_had(practice: Practice) -> None:
    """Everybody is free and works, the room is free: and so it is when they are taken."""
    await practice.book(at(9), room_id="room 1")
    body = wanted(practice, 9, 10, "ana", "ben", room_id=practice.made["room 1"])
    problem = await refused(practice, body)
    assert {each["kind"] for each in problem["conflicts"]} == {"practitioner", "room"}
    slots = problem["alternatives"]["slots"]
    assert [each["start"] for each in slots] == [at(8), at(10.25), at(10.5)]
    for each in slots[:2]:
        answer = await practice.admin.post(BLOCKS, json=body | each)
        assert answer.status_code == 201, answer.text


async def test_nobody_is_offered_time_off_or_closed_or_past_hours(practice: Practice) -> None:
    await practice.book(at(16), patient_id="quin")
    for path, start, end in (
        (f"practitioners/{practice.made['ben']}/time-off", 8, 15), (f"rooms/{practice.made['room 2']}/closures", 15, 16),
    ):  # fmt: skip
        answer = await practice.admin.post(f"{API}/{path}", json={"start": at(start), "end": at(end)})
        assert answer.status_code == 201
    body = wanted(practice, 16, 17.5, "ana", "ben", room_id=practice.made["room 2"])
    slots = (await refused(practice, body))["alternatives"]["slots"]
    assert [each["start"] for each in slots] == [at(8, 1), at(8.25, 1), at(8.5, 1)]
    await practice.change("practitioners", "ben", is_active=False)
    assert (await refused(practice, body))["alternatives"]["slots"] == []


async def test_a_block_that_moves_is_not_in_its_own_way(practice: Practice) -> None:
    made = (await practice.admin.post(BLOCKS, json=wanted(practice, 9, 10))).json()
    await practice.book(at(10))
    answer = await practice.admin.patch(f"{BLOCKS}/{made['id']}", json={"start": at(9.5)})
    problem = practice.problem(answer, 409)
    assert [each["status"] for each in problem["conflicts"]] == ["scheduled"]
    assert problem["alternatives"]["slots"][0] == {"start": at(9), "end": at(10)}

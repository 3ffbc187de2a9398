"""PATCH /appointments/{id} and its /room: the same laws as booking, with the visit itself out of its own way."""

import asyncio
import json
from typing import Any

from api.people import Client
from api.practice import VISITS, Practice, at

from holdfast import ids


async def test_a_visit_is_not_in_its_own_way(practice: Practice) -> None:
    visit = await practice.book(at(9), practitioner_id="ben", room_id="room 1")
    moved = await practice.done(await practice.move(visit, start=at(9.25)))
    assert (moved["start"], moved["end"], moved["version"]) == (at(9.25), at(10.25), 2)
    assert await practice.claims(visit) == [
        ("ben", "visit", "09:15", "10:30"), ("pat", "visit", "09:15", "10:15"),
        ("room 1", "turnover", "10:15", "10:25"), ("room 1", "visit", "09:15", "10:15"),
    ]  # fmt: skip
    longer = await practice.done(await practice.move(visit, end=at(12)))
    assert (longer["start"], longer["end"], longer["room_number"]) == (at(9.25), at(12), "1")


async def test_a_move_meets_the_laws_of_booking(practice: Practice) -> None:
    visit, other = await practice.book(at(9)), await practice.book(at(11), room_id="room 1")
    problem = practice.problem(await practice.move(visit, start=at(11.5), room_id="room 1"), 409)
    assert [r["code"] for r in problem["reasons"]] == [
        "practitioner_conflict",
        "patient_conflict",
        "room_conflict",
    ]
    assert {c["appointment_id"] for c in problem["conflicts"]} == {other["id"]}
    for slot in problem["alternatives"]["slots"][:1]:
        await practice.done(await practice.move(visit, start=slot["start"], room_id=slot["room_id"]))
    assert practice.problem(await practice.move(visit, start=at(19)), 409)["code"] == "clinic_closed"
    assert await practice.claims(other)


async def test_a_move_prices_the_units_anew(practice: Practice) -> None:
    visit = await practice.book(at(9), service_id="funded")
    await practice.done(await practice.move(visit, end=at(11)))
    await practice.done(await practice.move(visit, start=at(14)))
    await practice.done(await practice.move(visit, end=at(14.5)))
    assert await practice.entries() == [
        ("reserve", 4),
        ("release", 4),
        ("reserve", 8),
        ("release", 8),
        ("reserve", 2),
    ]
    assert await practice.units() == (2, 18)
    problem = practice.problem(await practice.move(visit, start=at(8), end=at(13.25)), 409)
    assert (problem["code"], problem["available"], problem["requested"]) == ("insufficient_units", 20, 21)
    assert (
        practice.problem(await practice.move(visit, start=at(9, day=31)), 409)["code"]
        == "authorization_expired"
    )
    assert await practice.units() == (2, 18)


async def test_a_confirmed_visit_falls_back_when_its_time_moves(practice: Practice) -> None:
    visit = await practice.book(at(9))
    await practice.done(await practice.call(visit, "confirm"))
    assert (await practice.done(await practice.move(visit, room_id="room 2")))["status"] == "confirmed"
    assert (await practice.done(await practice.move(visit, practitioner_id="ben")))["status"] == "confirmed"
    assert (await practice.done(await practice.move(visit, end=at(10.5))))["status"] == "scheduled"


async def test_what_may_move_in_each_status(practice: Practice) -> None:
    visit = await practice.book(at(9), service_id="funded")
    await practice.done(await practice.call(visit, "check-in"))
    for field, value in (("start", at(10)), ("location", "home")):
        problem = practice.problem(await practice.move(visit, **{field: value}), 409)
        assert (problem["code"], problem["movable"]) == (
            "illegal_transition", ["end", "notes", "practitioner_id", "room_id"],
        )  # fmt: skip
    await practice.done(await practice.call(visit, "start"))
    for change in ({"end": at(10.5)}, {"practitioner_id": "ben"}, {"room_id": "room 2"}, {"notes": "x"}):
        await practice.done(await practice.move(visit, **change))
    await practice.done(await practice.call(visit, "complete"))
    assert practice.problem(await practice.move(visit, notes="later"), 409)["code"] == "illegal_transition"


async def test_a_visit_goes_home_and_comes_back(practice: Practice) -> None:
    visit = await practice.book(at(9), service_id="funded", room_id="room 2")
    home = await practice.done(await practice.move(visit, location="home"))
    assert (home["room_id"], home["turnover_minutes"], home["assignment"]["method"]) == (None, 0, "none")
    assert {claim[0] for claim in await practice.claims(visit)} == {"ana", "pat"}
    back = await practice.done(await practice.move(visit, location="on_site"))
    assert (back["room_number"], back["assignment"]["method"]) == ("1", "auto")
    problem = practice.problem(await practice.move(visit, location="school"), 422)
    assert [error["field"] for error in problem["errors"]] == ["location"]
    problem = practice.problem(await practice.move(visit, location="home", room_id="room 1"), 422)
    assert [error["field"] for error in problem["errors"]] == ["room_id"]


async def test_two_visits_change_places_through_a_third_time(practice: Practice) -> None:
    one, two = await practice.book(at(9)), await practice.book(at(10))
    assert (await practice.move(one, start=at(10))).status_code == 409
    await practice.done(await practice.move(one, start=at(12)))
    await practice.done(await practice.move(two, start=at(9)))
    await practice.done(await practice.move(one, start=at(10)))
    assert [(await practice.get(each))["start"] for each in (one, two)] == [at(10), at(9)]


NO_MOVES: tuple[Any, ...] = (
    ({}, "body"), ({"start": None}, "start"), ({"end": at(9)}, "end"), ({"end": at(8)}, "end"), ({"end": at(34)}, "end"),
    ({"start": at(9, day=1850)}, "start"), ({"patient_id": ids.new()}, "patient_id"), ({"status": "x"}, "status"),
    ({"end": "8999-01-01T00:00:00Z"}, "end"), ({"start": "8999-01-01T00:00:00Z"}, "start"),
)  # fmt: skip


async def test_what_is_no_move_is_not_understood(practice: Practice) -> None:
    visit = await practice.book(at(9))
    for change, field in NO_MOVES:
        problem = practice.problem(await practice.move(visit, **change), 422)
        assert [error["field"] for error in problem["errors"]] == [field], change


async def test_a_room_by_hand_is_pinned_and_audited(practice: Practice, client: Client) -> None:
    visit = await practice.book(at(9), room_id="room 1")
    path = f"{VISITS}/{visit['id']}/room"
    wanted = {"room_id": practice.made["room 2"], "reason": "CANARY needs the window"}
    for reason in ("", "too short", None):
        problem = practice.problem(await practice.admin.patch(path, json=wanted | {"reason": reason}), 422)
        assert [error["field"] for error in problem["errors"]] == ["reason"]
    async with client(practice.organization.tokens["scheduler"]) as scheduler:
        moved = await practice.done(await scheduler.patch(path, json=wanted))
    assert (moved["room_number"], moved["pinned"], moved["assignment"]["method"]) == ("2", True, "manual")
    audit = await practice.stored(
        "select action, detail::text, actor_id::text from audit where organization_id = $1 and subject_id = $2"
        " order by batch_no desc", visit["id"],
    )  # fmt: skip
    assert (audit[0]["action"], audit[0]["actor_id"]) == (
        "room_overridden",
        practice.organization.user_ids["scheduler"],
    )
    assert "reason_encrypted" in audit[0]["detail"] and "CANARY" not in audit[0]["detail"]
    # Pinned: another move keeps the room or is refused.
    await practice.book(at(11), practitioner_id="ben", patient_id="quin", room_id="room 2")
    assert practice.problem(await practice.move(visit, start=at(11.5)), 409)["code"] == "room_conflict"
    taken = await practice.book(at(9), practitioner_id="ben", patient_id="quin", room_id="room 1")
    answer = await practice.admin.patch(path, json=wanted | {"room_id": practice.made["room 1"]})
    problem = practice.problem(answer, 409)
    assert (problem["code"], problem["conflicts"][0]["appointment_id"]) == ("room_conflict", taken["id"])


async def test_notes_are_sealed_at_rest_and_told_to_nobody_else(practice: Practice) -> None:
    visit = await practice.book(at(9), notes="CANARY likes dinosaurs")
    assert (await practice.get(visit))["notes"] == "CANARY likes dinosaurs"
    for notes in ("CANARY likes trains", None):
        answer = await practice.move(visit, notes=notes)
        assert "CANARY" not in answer.text
        assert (await practice.done(answer))["start"] == at(9)
        assert (await practice.get(visit))["notes"] == notes
        rows = await practice.stored("select notes_encrypted from appointments where organization_id = $1")
        assert (rows[0][0] is None) == (notes is None)
        if rows[0][0]:
            assert b"CANARY" not in rows[0][0]
    told = await practice.stored(
        "select kind, body::text from events where organization_id = $1 union all"
        " select action, detail::text from audit where organization_id = $1"
    )
    assert "noted" in {row[0] for row in told}
    assert "CANARY" not in json.dumps([list(row) for row in told])
    assert "CANARY" not in (await practice.admin.get(VISITS)).text


async def test_a_key_has_one_effect_and_one_answer(practice: Practice, client: Client) -> None:
    body, key = practice.booking(at(9), notes="CANARY"), {"Idempotency-Key": "a-key"}
    answers = await asyncio.gather(*(practice.admin.post(VISITS, json=body, headers=key) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in answers) == [""] + ["true"] * 7
    assert {answer.headers.get("etag") for answer in answers} == {'"1"'}
    again = dict(reversed(body.items()))
    assert (await practice.admin.post(VISITS, json=again, headers=key)).headers[
        "idempotency-replayed"
    ] == "true"
    problem = practice.problem(
        await practice.admin.post(VISITS, json=body | {"start": at(12)}, headers=key), 422
    )
    assert problem["code"] == "idempotency_key_reused"
    cancel = f"{VISITS}/{answers[0].json()['id']}/cancel"
    assert (
        practice.problem(await practice.admin.post(cancel, headers=key), 422)["code"]
        == "idempotency_key_reused"
    )
    assert practice.problem(await practice.admin.post(VISITS + "?x=1", json=body, headers=key), 422)
    # Another user's key is another key; a refusal is decided anew.
    async with client(practice.organization.tokens["scheduler"], **key) as scheduler:
        assert (await scheduler.post(VISITS, json=body)).status_code == 409
        await practice.done(await practice.admin.post(cancel))
        assert (await scheduler.post(VISITS, json=body)).status_code == 201
    async with client(practice.organization.tokens["biller"], **key) as biller:
        assert (await biller.post(VISITS, json=body)).status_code == 403
    sealed = await practice.stored("select answer_encrypted from idempotency_keys where organization_id = $1")
    assert all(b"Pat" not in row[0] for row in sealed)


async def test_a_key_is_kept_for_a_day(practice: Practice) -> None:
    key = {"Idempotency-Key": "once"}
    first = await practice.admin.post(VISITS, json=practice.booking(at(9)), headers=key)
    await practice.stored(
        "update idempotency_keys set created_at = created_at - interval '23 hours 59 minutes' where organization_id = $1"
    )
    again = await practice.admin.post(VISITS, json=practice.booking(at(9)), headers=key)
    assert again.content == first.content
    await practice.stored(
        "update idempotency_keys set created_at = created_at - interval '2 minutes' where organization_id = $1"
    )
    anew = await practice.admin.post(VISITS, json=practice.booking(at(12)), headers=key)
    assert (anew.status_code, anew.headers.get("idempotency-replayed")) == (201, None)


async def test_what_is_no_key_is_not_understood(practice: Practice) -> None:
    content = json.dumps(practice.booking(at(9)))
    for key in ("", " ", "a b", "ü", "x" * 256):
        headers = {b"Idempotency-Key": key.encode(), b"Content-Type": b"application/json"}
        problem = practice.problem(await practice.admin.post(VISITS, content=content, headers=headers), 422)
        assert [error["field"] for error in problem["errors"]] == ["Idempotency-Key"]


async def test_a_change_believes_in_a_version(practice: Practice) -> None:
    visit = await practice.book(at(9))
    path = f"{VISITS}/{visit['id']}"
    for believed in ('"2"', '"0"', '"x"', "1", 'W/"1"'):
        for method, to in (("PATCH", path), ("POST", path + "/confirm"), ("PATCH", path + "/room")):
            body = {"PATCH": {"start": at(11)}, "POST": {}}[method]
            if to.endswith("/room"):
                body = {"room_id": practice.made["room 2"], "reason": "ten letters"}
            answer = await practice.admin.request(method, to, json=body, headers={"If-Match": believed})
            assert practice.problem(answer, 412)["code"] == "version_mismatch"
    answer = await practice.admin.patch(path, json={"start": at(11)}, headers={"If-Match": '"1"'})
    assert answer.headers["etag"] == '"2"'
    assert (await practice.admin.post(path + "/confirm", headers={"If-Match": '"2"'})).status_code == 200
    assert (await practice.admin.post(path + "/cancel", headers={"If-Match": "*"})).status_code == 200


async def test_another_organizations_visit_is_not_there(
    practice: Practice, client: Client, stranger: Any
) -> None:
    visit = await practice.book(at(9))
    async with client(stranger.tokens["admin"]) as other:
        for method, path, body in (
            ("GET", "", None), ("PATCH", "", {"start": at(11)}), ("POST", "/cancel", {}),
            ("PATCH", "/room", {"room_id": practice.made["room 2"], "reason": "ten letters"}),
        ):  # fmt: skip
            answer = await other.request(method, f"{VISITS}/{visit['id']}{path}", json=body) if body is not None else (
                await other.get(f"{VISITS}/{visit['id']}"))  # fmt: skip
            assert practice.problem(answer, 404)["code"] == "not_found"
        assert (await other.get(VISITS, params={"patient_id": practice.made["pat"]})).json()["items"] == []
    assert (await practice.get(visit))["version"] == 1

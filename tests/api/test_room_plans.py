"""Rooms for a whole day: what is proposed, what is left alone, and that a plan is carried out as a whole or not at all."""

import asyncio
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
from api.people import Client
from api.practice import API, VISITS, Practice, at, monday, week

from holdfast.commands import room_puzzle
from holdfast.rules.facts import Directory, PolicyDocument

TODAY = str(monday())
Rules = Callable[..., None]


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Rules:
    """Puts rules in force, in every directory that is read from now on."""
    decode = Directory.decode

    def enforce(*wanted: dict[str, Any]) -> None:
        def decoded(document: str) -> Directory:
            directory = decode(document)
            directory.policy_version = 1
            directory.policies = (PolicyDocument("p", "organization", None, 1, list(wanted)),)
            return directory

        monkeypatch.setattr(Directory, "decode", staticmethod(decoded))

    return enforce


def prefers(practice: Practice, who: str, *rooms: str) -> dict[str, Any]:
    return {
        "name": f"{who} likes", "kind": "soft", "type": "practitioner_room_preference",
        "practitioner_ids": [practice.made[who]], "preferred_rooms": [practice.made[room] for room in rooms],
    }  # fmt: skip


async def ask(
    practice: Practice, call: str = "room-plan", on: str = TODAY, **headers: str
) -> httpx2.Response:
    path = f"{API}/clinics/{practice.made['clinic']}/{call}"
    return await practice.admin.post(path, params={"date": on}, headers=headers)


async def plan(practice: Practice, call: str = "room-plan") -> Any:
    answer = await ask(practice, call)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def apply(practice: Practice, made: Any) -> httpx2.Response:
    return await practice.admin.post(f"{API}/room-plans/{made['id']}/apply")


async def status(practice: Practice, made: Any) -> str:
    answer = await practice.admin.get(f"{API}/room-plans/{made['id']}")
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"status": ""} == made | {"status": ""}
    told: str = answer.json()["status"]
    return told


async def crossed(practice: Practice, rules: Rules) -> tuple[Any, Any]:
    """Ana and Ben at nine, each in the room that the other likes."""
    rules(prefers(practice, "ana", "room 2"), prefers(practice, "ben", "room 1"))
    ana = await practice.book(at(9), room_id="room 1")
    ben = await practice.book(at(9), room_id="room 2", practitioner_id="ben", patient_id="quin")
    return ana, ben


async def rooms_of(practice: Practice, *visits: Any) -> list[str | None]:
    return [(await practice.get(visit))["room_number"] for visit in visits]


async def test_two_visits_exchange_their_rooms(practice: Practice, rules: Rules) -> None:
    ana, ben = await crossed(practice, rules)
    made = await plan(practice)
    assert made["kind"] == "repack"
    assert (made["optimal"], made["gap"], made["status"], made["visits"]) == (True, 0, "proposed", 2)
    assert (made["total_score_before"], made["total_score_after"], made["total_score_bound"]) == (
        190,
        220,
        220,
    )
    assert made["unplaced"] == []
    assert {each["appointment_id"]: each for each in made["moves"]}[ana["id"]] == {
        "appointment_id": ana["id"], "patient_name": "Pat Person", "version": 1, "start": ana["start"], "end": ana["end"],
        "room_id_before": practice.made["room 1"], "room_number_before": "1", "score_before": 95,
        "room_id_after": practice.made["room 2"], "room_number_after": "2", "score_after": 110,
    }  # fmt: skip
    assert await rooms_of(practice, ana, ben) == ["1", "2"], "a proposal changes nothing"
    assert await status(practice, made) == "proposed"

    done = await apply(practice, made)
    assert done.status_code == 200, done.text
    assert done.json()["status"] == "applied"
    assert done.json()["applied_at"]
    assert await status(practice, done.json()) == "applied", "what is told is what is stored"
    assert await rooms_of(practice, ana, ben) == ["2", "1"]
    visit = await practice.get(ana)
    assert (visit["assignment"]["method"], visit["assignment"]["score"]) == ("auto", 110)
    assert await practice.claims(ben) == [
        ("ben", "visit", "09:00", "10:15"), ("quin", "visit", "09:00", "10:00"), ("room 1", "turnover", "10:00", "10:10"),
        ("room 1", "visit", "09:00", "10:00"),
    ]  # fmt: skip
    kinds = [
        row["kind"]
        for row in await practice.stored("select kind from events where organization_id = $1 order by seq")
    ]
    assert kinds[-4:] == ["room_plan.proposed", "appointment.moved", "appointment.moved", "room_plan.applied"]
    again = practice.problem(await apply(practice, made), 409)
    assert again["code"] == "plan_outdated"
    assert await rooms_of(practice, ana, ben) == ["2", "1"]
    assert (await plan(practice))["moves"] == []


async def test_what_is_pinned_stays(practice: Practice, rules: Rules) -> None:
    ana, ben = await crossed(practice, rules)
    for visit, room in ((ana, "room 1"), (ben, "room 2")):
        body = {"room_id": practice.made[room], "reason": "the family asked for it"}
        assert (await practice.admin.patch(f"{VISITS}/{visit['id']}/room", json=body)).status_code == 200
    assert (await plan(practice))["moves"] == []


async def test_who_has_arrived_stays(practice: Practice, rules: Rules) -> None:
    ana, _ = await crossed(practice, rules)
    await practice.done(await practice.call(ana, "check-in"))
    made = await plan(practice)
    assert (made["moves"], made["visits"]) == ([], 1)


async def test_blocks_and_holds_stay_where_they_are(practice: Practice, rules: Rules) -> None:
    rules(prefers(practice, "ana", "room 2"))
    await practice.book(at(9), room_id="room 1")
    await practice.make(
        "blocks", "block", kind="admin", practitioner_ids=[practice.made["ben"]], room_id=practice.made["room 2"],
        start=at(9.5), end=at(11),
    )  # fmt: skip
    assert (await plan(practice))["moves"] == []
    await practice.book(at(11), room_id="room 1")
    held = await practice.admin.post(f"{API}/holds", json=practice.booking(
        at(11.5), room_id="room 2", practitioner_id="ben", patient_id="quin"))  # fmt: skip
    assert held.status_code == 201, held.text
    assert (await plan(practice))["moves"] == []


async def test_one_visit_that_changed_refuses_the_whole_plan(practice: Practice, rules: Rules) -> None:
    ana, ben = await crossed(practice, rules)
    made = await plan(practice)
    await practice.done(await practice.move(ben, notes="bring the charts"))
    assert await status(practice, made) == "outdated"
    problem = practice.problem(await apply(practice, made), 409)
    assert problem["code"] == "plan_outdated"
    assert [each["appointment_id"] for each in problem["outdated"]] == [ben["id"]]
    assert await rooms_of(practice, ana, ben) == ["1", "2"]


async def test_a_visit_that_has_begun_since_refuses_the_whole_plan(practice: Practice, rules: Rules) -> None:
    """It was where it was, whatever nobody has clicked."""
    ana, ben = await crossed(practice, rules)
    made = await plan(practice)
    for table in ("appointments", "appointment_lines", "claims"):
        which = "id" if table == "appointments" else "appointment_id"
        await practice.stored(
            f"update {table} set starts_at = starts_at - interval '60 days', ends_at = ends_at - interval '60 days'"
            f" where organization_id = $1 and {which} = $2",
            ana["id"],
        )
    problem = practice.problem(await apply(practice, made), 409)
    assert [(each["appointment_id"], each["reasons"][0]["code"]) for each in problem["outdated"]] == [
        (ana["id"], "start_in_past")
    ]
    assert await rooms_of(practice, ana, ben) == ["1", "2"]


async def test_a_room_that_was_taken_refuses_the_whole_plan(practice: Practice, rules: Rules) -> None:
    rules(prefers(practice, "ana", "room 2"))
    visits = [await practice.book(at(hour), room_id="room 1") for hour in (9, 11)]
    made = await plan(practice)
    assert len(made["moves"]) == 2
    taker = await practice.book(at(11.25), room_id="room 2", practitioner_id="ben", patient_id="quin")
    problem = practice.problem(await apply(practice, made), 409)
    (outdated,) = problem["outdated"]
    assert outdated["appointment_id"] == visits[1]["id"]
    assert [each["code"] for each in outdated["reasons"]] == ["room_conflict"]
    assert await rooms_of(practice, *visits, taker) == ["1", "1", "2"]
    assert await status(practice, made) == "proposed", "no visit of the plan has changed"


async def test_nothing_is_proposed_that_would_be_refused(practice: Practice, rules: Rules) -> None:
    """Out of the way of each other both visits are within the limit; carried out, one is the second."""
    rules(prefers(practice, "ana", "room 2"))
    for hour in (9, 11):
        await practice.book(at(hour), room_id="room 1")
    rules(
        prefers(practice, "ana", "room 2"),
        {"name": "one", "kind": "hard", "type": "workload", "visits_max": 1},
    )
    await practice.change("clinics", "clinic", name="South")
    assert (await plan(practice))["moves"] == []


async def test_a_visit_that_could_not_be_booked_now_stays(practice: Practice, rules: Rules) -> None:
    ana, ben = await crossed(practice, rules)
    path = f"{API}/practitioners/{practice.made['ben']}/time-off"
    assert (await practice.admin.post(path, json={"start": at(8), "end": at(18)})).status_code == 201
    made = await plan(practice)
    assert made["moves"] == []
    assert await rooms_of(practice, ana, ben) == ["1", "2"]


async def test_a_room_that_is_out_of_use_is_left(practice: Practice) -> None:
    visit = await practice.book(at(9), room_id="room 1")
    await practice.change("rooms", "room 1", is_available=False)
    made = await plan(practice)
    (move,) = made["moves"]
    assert (move["room_number_after"], move["score_before"], move["score_after"]) == ("2", 0, 100)
    assert (await apply(practice, made)).status_code == 200
    assert await rooms_of(practice, visit) == ["2"]


async def unassigned(practice: Practice) -> Any:
    """Three visits at nine, and two rooms."""
    await practice.change("clinics", "clinic", allow_unassigned=True)
    week = (await practice.admin.get(f"{API}/practitioners/{practice.made['ben']}")).json()["working_hours"]
    await practice.make("practitioners", "cleo", name="Cleo", working_hours=week)
    await practice.make("patients", "rita", given_name="Rita", family_name="Person", birth_date="2015-05-05")
    return [
        await practice.book(at(9), practitioner_id=who, patient_id=patient)
        for who, patient in (("ana", "pat"), ("ben", "quin"), ("cleo", "rita"))
    ]


async def test_those_without_a_room_are_given_one_and_nobody_moves(practice: Practice) -> None:
    first, second, third = await unassigned(practice)
    assert third["room_id"] is None
    listed = await practice.admin.get(VISITS, params={"unassigned": True})
    assert [each["id"] for each in listed.json()["items"]] == [third["id"]]

    made = await plan(practice, "assign-unassigned")
    assert (made["kind"], made["moves"], made["visits"], made["optimal"]) == ("assign", [], 1, True)
    (unplaced,) = made["unplaced"]
    assert (unplaced["appointment_id"], unplaced["patient_name"]) == (third["id"], "Rita Person")
    assert {(each["room_id"], each["rule"]) for each in unplaced["rooms"]} == {
        (practice.made["room 1"], "room_conflict"), (practice.made["room 2"], "room_conflict"),
    }  # fmt: skip

    await practice.done(await practice.call(first, "cancel"))
    made = await plan(practice, "assign-unassigned")
    (move,) = made["moves"]
    assert (move["appointment_id"], move["room_id_before"], move["score_before"]) == (third["id"], None, None)
    assert (await apply(practice, made)).status_code == 200
    given = await practice.get(third)
    assert (given["room_number"], given["assignment"]["method"]) == (first["room_number"], "auto")
    assert await rooms_of(practice, second) == [second["room_number"]]
    listed = await practice.admin.get(VISITS, params={"unassigned": True})
    assert listed.json()["items"] == []


async def test_repacking_makes_room_for_a_visit_without_one(practice: Practice) -> None:
    """Only room 2 is a gym: who is there for talk moves, so that somebody can exercise."""
    await practice.change("rooms", "room 2", room_type="gym")
    await practice.make("services", "gym", name="Gym", code="GYM", duration_minutes=60, room_types=["gym"])
    await practice.change("clinics", "clinic", allow_unassigned=True)
    talk = await practice.book(at(9), room_id="room 2")
    gym = await practice.book(at(9), service_id="gym", practitioner_id="ben", patient_id="quin")
    assert gym["room_id"] is None
    assert (await plan(practice, "assign-unassigned"))["moves"] == []
    made = await plan(practice)
    assert [(each["room_number_before"], each["room_number_after"]) for each in made["moves"]] == [
        ("2", "1"),
        (None, "2"),
    ]
    assert (made["total_score_before"], made["total_score_after"]) == (100, 200)
    assert (await apply(practice, made)).status_code == 200
    assert await rooms_of(practice, talk, gym) == ["1", "2"]


@pytest.mark.parametrize("call", ["room-plan", "assign-unassigned"])
@pytest.mark.parametrize("on", ["", "soon", "2026-02-30", "0001-01-01", "9999-12-31"])
async def test_rubbish_dates_name_the_field(practice: Practice, call: str, on: str) -> None:
    problem = practice.problem(await ask(practice, call, on), 422)
    assert [each["field"] for each in problem["errors"]] == ["date"]


async def test_a_day_that_is_over_has_an_empty_plan(practice: Practice) -> None:
    answer = await ask(practice, on=str(date.fromisoformat(TODAY) - timedelta(days=400)))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["moves"], made["visits"], made["optimal"], made["gap"]) == ([], 0, True, 0)
    assert (await apply(practice, made)).status_code == 200


async def test_an_equal_key_is_one_plan_and_computed_once(
    practice: Practice, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crossed(practice, rules)
    original, computed = room_puzzle.solved, 0

    async def counted(*given: Any) -> Any:
        nonlocal computed
        computed += 1
        return await original(*given)

    monkeypatch.setattr("holdfast.commands.room_plan.solved", counted)
    key = {"Idempotency-Key": "plan-1"}
    first, second = await asyncio.gather(*(ask(practice, **key) for _ in range(2)))
    third = await ask(practice, **key)
    assert first.status_code == 201, first.text
    assert first.json() == second.json() == third.json()
    assert third.headers["Idempotency-Replayed"] == "true"
    rows = await practice.stored("select id from room_plans where organization_id = $1")
    assert len(rows) == 1
    other = practice.problem(await ask(practice, on=str(monday() + timedelta(days=1)), **key), 422)
    assert other["errors"][0]["code"] == "idempotency_key_reused"
    assert computed == 1


async def test_a_plan_of_others_is_not_there(practice: Practice, client: Client, stranger: Any) -> None:
    made = await plan(practice)
    async with client(stranger.tokens["admin"]) as other:
        for answer in (
            await other.get(f"{API}/room-plans/{made['id']}"),
            await other.post(f"{API}/room-plans/{made['id']}/apply"),
            await other.post(f"{API}/clinics/{practice.made['clinic']}/room-plan", params={"date": TODAY}),
        ):
            assert practice.problem(answer, 404)["field"] == "id"


async def test_without_the_optimiser_it_says_what_to_install(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_puzzle, "find_spec", lambda _name: None)
    problem = practice.problem(await ask(practice), 503)
    assert problem["code"] == "optimiser_missing"
    assert "holdfast[optimise]" in problem["detail"]


@pytest.mark.performance
async def test_a_large_day_is_planned_and_applied(practice: Practice, rules: Rules) -> None:
    """Forty rooms and four hundred visits over the API, each practitioner with a room that they would rather be in."""
    clinic = practice.made["clinic"]
    for number in range(3, 41):
        await practice.make(
            "rooms",
            f"room {number}",
            clinic_id=clinic,
            number=str(number),
            room_type="talk",
            cleaning_minutes=5,
        )
    for number in range(40):
        await practice.make(
            "practitioners", f"p{number}", name=f"P{number}", working_hours=week(clinic_id=clinic)
        )
        await practice.make(
            "patients", f"k{number}", given_name=f"K{number}", family_name="Person", birth_date="2015-05-05"
        )
    for visit in range(400):
        await practice.book(
            at(8 + visit // 40 * 0.95), practitioner_id=f"p{visit % 40}", patient_id=f"k{(visit * 7) % 40}", duration_minutes=45,
            room_id=f"room {(visit * 11 + visit // 40) % 40 + 1}",
        )  # fmt: skip
    rules(
        *(
            prefers(practice, f"p{number}", f"room {number + 1}", f"room {(number * 3) % 40 + 1}")
            for number in range(40)
        )
    )
    await practice.change("clinics", "clinic", name="South")
    began = time.perf_counter()
    made = await plan(practice)
    planned = time.perf_counter()
    done = await apply(practice, made)
    applied = time.perf_counter()
    assert done.status_code == 200, done.text
    told = {
        name: made[name] for name in made if name.startswith("total") or name in ("gap", "optimal", "visits")
    }
    print(f"{planned - began:.2f} s, applied {applied - planned:.2f} s, {len(made['moves'])} moves, {told}")  # noqa: T201
    assert made["visits"] == 400
    assert planned - began < 5
    assert made["gap"] < 0.1

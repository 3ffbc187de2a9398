"""A policy tried on days that are booked: what it says is what booking under it would do, and nothing is changed."""

from datetime import timedelta
from typing import Any

import msgspec
from api import world
from api.people import Client, Organization
from api.practice import API, ZONE, Practice, at, monday

from holdfast import ids

POLICIES = f"{API}/policies"
DAY = {"start_date": str(monday()), "end_date": str(monday())}


def prefers(practice: Practice, *rooms: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "Rooms", "kind": "soft", "type": "practitioner_room_preference",
        "preferred_rooms": [practice.made[each] for each in rooms], "score_modifier": 50, "penalty": 5, **more,
    }  # fmt: skip


async def saved(practice: Practice, *rules: Any, **fields: Any) -> str:
    answer = await practice.admin.post(POLICIES, json={"scope": "organization", "rules": rules} | fields)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def tried(practice: Practice, policy: str, **fields: Any) -> Any:
    answer = await practice.admin.post(f"{POLICIES}/{policy}/dry-run", json=DAY | fields)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["as-of-seq"]) > 0
    found = answer.json()
    counts = found["counts"]
    assert counts["same"] + len(found["visits"]) == counts["looked_at"]
    return found


def counted(found: Any) -> dict[str, int]:
    return {name: count for name, count in found["counts"].items() if count}


async def test_it_says_visit_by_visit_what_room_and_why(practice: Practice) -> None:
    first = await practice.book(at(9))
    second = await practice.book(at(11))
    assert (first["room_number"], second["room_number"]) == ("1", "2")
    found = await tried(practice, await saved(practice, prefers(practice, "room 2")))
    assert counted(found) == {"looked_at": 2, "same": 1, "moved": 1, "score_gained": 100}
    (moved,) = found["visits"]
    reasons = moved.pop("reasons")
    assert moved == {
        "appointment_id": first["id"], "start": first["start"], "room_id_before": practice.made["room 1"],
        "room_id_after": practice.made["room 2"], "score_before": 100, "score_after": 150, "against": [],
    }  # fmt: skip
    assert any("Room 2" in each and "+50" in each for each in reasons), reasons
    assert any("Room 1" in each and "-5" in each for each in reasons), reasons


async def test_what_is_in_force_changes_nothing(practice: Practice) -> None:
    for hour in (9, 10, 14):
        await practice.book(at(hour))
    policy = await saved(practice, prefers(practice, "room 2"))
    answer = await practice.admin.post(f"{POLICIES}/{policy}/activate")
    assert answer.status_code == 200
    found = await tried(practice, policy)
    assert (counted(found), found["visits"]) == ({"looked_at": 3, "same": 3}, [])


async def test_a_hard_rule_takes_rooms_away_and_says_so(practice: Practice) -> None:
    """Ana and Ben at one hour: when only one room may be had, whoever was booked first has it."""
    first = await practice.book(at(9))
    second = await practice.book(at(9), practitioner_id="ben", patient_id="quin")
    only = {
        "name": "Only", "kind": "hard", "type": "practitioner_room", "allowed_rooms": [practice.made["room 2"]],
    }  # fmt: skip
    found = await tried(practice, await saved(practice, only))
    assert counted(found) == {"looked_at": 2, "moved": 1, "without_room": 1}
    by_id = {each["appointment_id"]: each for each in found["visits"]}
    assert by_id[first["id"]]["room_id_after"] == practice.made["room 2"]
    assert by_id[first["id"]]["reasons"]
    assert by_id[second["id"]]["room_id_after"] is None
    assert by_id[second["id"]]["score_after"] is None
    assert any("Room 2" in each for each in by_id[second["id"]]["reasons"])


async def test_visits_against_a_rule_of_the_visit_are_listed(practice: Practice) -> None:
    await practice.book(at(9))
    lunch = await practice.book(at(12))
    rule = {
        "name": "Lunch", "kind": "hard", "type": "time_range", "time_from": "12:00", "time_to": "13:00",
        "allow": "outside",
    }  # fmt: skip
    policy = await saved(practice, rule)
    found = await tried(practice, policy)
    assert counted(found) == {"looked_at": 2, "same": 1, "against_rules": 1}
    (visit,) = found["visits"]
    assert visit["appointment_id"] == lunch["id"]
    assert [(each["rule"], each["type"]) for each in visit["against"]] == [("Lunch", "time_range")]
    assert visit["reasons"] == [visit["against"][0]["reason"]]
    await practice.admin.post(f"{POLICIES}/{policy}/activate")
    assert (await tried(practice, policy))["visits"] == []


async def test_workload_counts_the_visits_booked_before(practice: Practice) -> None:
    """The third that was booked is one too many, wherever in the day it lies."""
    for hour in (11, 14):
        await practice.book(at(hour))
    third = await practice.book(at(9))
    rule = {"name": "Enough", "kind": "hard", "type": "workload", "visits_max": 2}
    found = await tried(practice, await saved(practice, rule))
    assert [each["appointment_id"] for each in found["visits"]] == [third["id"]]


async def test_a_room_that_somebody_chose_stays_or_is_refused(practice: Practice) -> None:
    visit = await practice.book(at(9), room_id="room 1")
    found = await tried(practice, await saved(practice, prefers(practice, "room 2")))
    assert counted(found) == {"looked_at": 1, "same": 1, "score_gained": -5}
    only = {
        "name": "Only", "kind": "hard", "type": "practitioner_room", "allowed_rooms": [practice.made["room 2"]],
    }  # fmt: skip
    found = await tried(practice, await saved(practice, only))
    assert [(each["appointment_id"], each["room_id_after"]) for each in found["visits"]] == [
        (visit["id"], None)
    ]


async def test_the_room_of_the_last_visit_is_the_one_given_here(practice: Practice) -> None:
    """The rules in force do not ask for earlier visits; the draft does, and sees the rooms that it gave itself."""
    for day in range(3):
        await practice.book(at(9, day))
    follows = {
        "name": "Same", "kind": "soft", "type": "same_room_as_last_visit", "score_modifier": 10,
    }  # fmt: skip
    found = await tried(
        practice, await saved(practice, prefers(practice, "room 2", when={"weekdays": [0]}), follows),
        end_date=str(monday() + timedelta(days=2)),
    )  # fmt: skip
    assert [(each["room_id_after"], each["score_after"]) for each in found["visits"]] == [
        (practice.made["room 2"], 150), (practice.made["room 2"], 110), (practice.made["room 2"], 110),
    ]  # fmt: skip


async def test_what_it_says_is_what_booking_does(practice: Practice) -> None:
    """Every visit booked again in its order under the policy has the room that was foretold."""
    rule = {
        "name": "Ben elsewhere", "kind": "hard", "type": "practitioner_room",
        "allowed_rooms": [practice.made["room 1"]], "practitioner_ids": [practice.made["ben"]],
    }  # fmt: skip
    times = [
        (9, "ana", "pat"),
        (10.5, "ben", "quin"),
        (10.5, "ana", "pat"),
        (13, "ben", "pat"),
        (15, "ana", "quin"),
    ]
    visits = [
        await practice.book(at(hour), practitioner_id=who, patient_id=patient) for hour, who, patient in times
    ]
    policy = await saved(practice, prefers(practice, "room 2", practitioner_ids=[practice.made["ana"]]), rule)
    found = {
        each["appointment_id"]: each["room_id_after"] for each in (await tried(practice, policy))["visits"]
    }
    foretold = [found.get(each["id"], each["room_id"]) for each in visits]
    assert found
    for each in visits:
        assert (await practice.call(each, "cancel", cancelled_by="error")).status_code == 200
    await practice.admin.post(f"{POLICIES}/{policy}/activate")
    booked = [
        await practice.book(at(hour), practitioner_id=who, patient_id=patient) for hour, who, patient in times
    ]
    assert [each["room_id"] for each in booked] == foretold


async def test_nothing_is_changed_and_only_these_visits_are_looked_at(practice: Practice) -> None:
    """The clinic's own days; neither cancelled visits, nor those elsewhere, nor other days, nor blocks."""
    visit = await practice.get(await practice.book(at(17)))  # in UTC it is the next day
    gone = await practice.book(at(9))
    await practice.call(gone, "cancel")
    await practice.book(at(9, day=1))
    await practice.book(at(11), service_id="funded", location="telehealth")
    room = practice.made["room 2"]
    block = {"kind": "admin", "practitioner_ids": [practice.made["ben"]], "room_id": room}
    answer = await practice.admin.post(f"{API}/blocks", json=block | {"start": at(8), "end": at(18)})
    assert answer.status_code == 201, answer.text
    policy = await saved(practice, prefers(practice, "room 2"))
    stood = "select seq from turns where organization_id = $1"
    before = await practice.stored(stood)
    found = await tried(practice, policy)
    assert found["counts"]["looked_at"] == 1
    assert found["visits"] == [], "the block keeps its room"
    assert await practice.stored(stood) == before
    assert await practice.get(visit) == visit
    nothing = await tried(practice, policy, start_date="2020-01-01", end_date="2020-01-31")
    assert nothing["counts"]["looked_at"] == 0


async def test_clinics_days_are_their_own(practice: Practice) -> None:
    made = practice.made
    await practice.book(at(9))
    own = await saved(practice, prefers(practice, "room 2"), scope="clinic", scope_id=made["clinic"])
    assert (await tried(practice, own))["counts"]["looked_at"] == 1
    other = await practice.make("clinics", "south", name="South", time_zone=ZONE)
    assert (await tried(practice, own, clinic_id=other))["counts"]["looked_at"] == 0
    empty = await saved(practice, prefers(practice, "room 2"), scope="clinic", scope_id=other)
    assert (await tried(practice, empty))["counts"]["looked_at"] == 0
    assert (await tried(practice, empty, clinic_id=made["clinic"]))["counts"] | {"same": 0} == {
        "looked_at": 1, "same": 0, "moved": 0, "with_room": 0, "without_room": 0, "against_rules": 0, "score_gained": 0,
    }  # fmt: skip


async def test_what_cannot_be_tried_is_refused(
    client: Client, practice: Practice, stranger: Organization
) -> None:
    await world.make(client, stranger, "CANARY")
    policy = await saved(practice)
    path = f"{POLICIES}/{policy}/dry-run"
    for body, field in (
        ({"start_date": DAY["start_date"]}, "end_date"),
        (DAY | {"end_date": str(monday() - timedelta(days=1))}, "end_date"),
        (DAY | {"end_date": str(monday() + timedelta(days=31))}, "end_date"),
        (DAY | {"rules": []}, "rules"), (DAY | {"clinic_id": "clinic"}, "clinic_id"),
    ):  # fmt: skip
        problem = Practice.problem(await practice.admin.post(path, json=body), 422)
        assert [each["field"] for each in problem["errors"]] == [field]
    for clinic in (ids.new(), stranger.made["clinics"]):
        problem = Practice.problem(await practice.admin.post(path, json=DAY | {"clinic_id": clinic}), 404)
        assert problem["field"] == "clinic_id"
    for other in (ids.new(), stranger.made["policies"]):
        answer = await practice.admin.post(f"{POLICIES}/{other}/dry-run", json=DAY)
        assert Practice.problem(answer, 404)["field"] == "id"
    answer = await practice.admin.post(path, json=DAY, headers={"If-Match": '"9"'})
    assert Practice.problem(answer, 412)["code"] == "version_mismatch"


async def test_too_many_visits_are_not_tried_in_part(practice: Practice) -> None:
    house = practice.application.house
    assert house is not None
    policy = await saved(practice)
    for hour in (9, 11):
        await practice.book(at(hour))
    house.settings = msgspec.structs.replace(house.settings, dry_run_visits_max=2)
    assert (await tried(practice, policy))["counts"]["looked_at"] == 2
    house.settings = msgspec.structs.replace(house.settings, dry_run_visits_max=1)
    answer = await practice.admin.post(f"{POLICIES}/{policy}/dry-run", json=DAY)
    assert Practice.problem(answer, 422)["errors"][0]["field"] == "end_date"

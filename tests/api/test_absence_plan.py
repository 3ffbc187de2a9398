"""/practitioners/{id}/absence-plan: who stands in, what moves, what is cancelled; applied all or nothing."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from api.people import Client
from api.practice import API, VISITS, Practice, at, monday, week

from holdfast import ids

DATE = str(monday())


@pytest.fixture
async def clinic(practice: Practice) -> Practice:
    """Ana, Ben (15 minutes of buffer) and Cleo are technicians, Dov is not; `therapy` needs one."""
    north = practice.made["clinic"]
    for number in ("3", "4"):
        await practice.make(
            "rooms", f"room {number}", clinic_id=north, number=number, room_type="talk", cleaning_minutes=0
        )
    await practice.make(
        "practitioners", "cleo", name="Cleo", working_hours=week(clinic_id=north), credentials=[{"code": "RBT"}]
    )  # fmt: skip
    await practice.make("practitioners", "dov", name="Dov", working_hours=week(clinic_id=north))
    practice.made["own"] = practice.organization.practitioner_id
    await practice.change("practitioners", "own", is_active=False)
    await practice.make("patients", "rosa", given_name="Rosa", family_name="Person", birth_date="2015-05-05")
    await practice.make(
        "services", "therapy", name="Therapy", code="TH", duration_minutes=60, required_credentials=["RBT"]
    )
    return practice


async def away(practice: Practice, start: str, end: str, who: str = "ana") -> None:
    answer = await practice.admin.post(
        f"{API}/practitioners/{practice.made[who]}/time-off",
        json={"kind": "sick", "start": start, "end": end},
    )
    assert answer.status_code == 201, answer.text


def path(practice: Practice, who: str = "ana") -> str:
    return f"{API}/practitioners/{practice.made[who]}/absence-plan"


async def plan(practice: Practice, who: str = "ana", on: str = DATE) -> Any:
    answer = await practice.admin.get(path(practice, who), params={"date": on})
    assert answer.status_code == 200, answer.text
    assert answer.headers["as-of-seq"] == str(answer.json()["as_of_seq"])
    return answer.json()


def decision(visit: Any, choice: Any) -> dict[str, Any]:
    """What applying a choice of a plan sends."""
    named = {"substitute": "practitioner_id", "move": "start"}.get(choice["action"])
    given = {named: choice[named]} if named else {}
    return {
        "appointment_id": visit["appointment_id"],
        "version": visit["version"],
        "action": choice["action"],
        **given,
    }


def recommended(visits: Any) -> list[dict[str, Any]]:
    return [decision(visit, visit["choices"][0]) for visit in visits]


async def apply(
    practice: Practice, visits: list[dict[str, Any]], who: str = "ana", on: str = DATE, **more: Any
) -> httpx2.Response:
    body = {"date": on, "visits": visits}
    return await practice.admin.post(f"{path(practice, who)}/apply", json=body, **more)


def named(practice: Practice, visit: Any, action: str = "substitute") -> list[str]:
    """Who could stand in, in the order of the plan without what is recommended first; or the times."""
    names = {made: called for called, made in practice.made.items()}
    found = [choice for choice in visit["choices"] if choice["action"] == action]
    return [names[each["practitioner_id"]] if action == "substitute" else each["start"] for each in found]


async def everything(practice: Practice) -> Any:
    """What storage has of visits, lines, claims, units, and how much was told."""
    tables = (
        "appointments",
        "appointment_lines",
        "claims",
        "authorizations",
        "authorization_entries",
        "events",
    )
    return [
        await practice.stored(f"select * from {table} where organization_id = $1 order by {table}::text")
        for table in tables
    ]


async def test_substitutes_are_free_and_credentialed_and_not_excluded(clinic: Practice) -> None:
    await clinic.book(at(9), service_id="therapy")
    await clinic.book(at(9), practitioner_id="cleo", patient_id="quin")
    await away(clinic, at(8), at(18))
    (visit,) = (await plan(clinic))["visits"]
    assert named(clinic, visit) == ["ben"]
    await clinic.change("patients", "pat", excluded_practitioner_ids=[clinic.made["ben"]])
    (visit,) = (await plan(clinic))["visits"]
    assert named(clinic, visit) == []
    assert [choice["action"] for choice in visit["choices"]] == ["move", "move", "move", "cancel"]


async def test_who_knows_the_patient_comes_first_then_who_has_least_to_do_then_by_name(
    clinic: Practice,
) -> None:
    seen = (datetime.now(UTC) - timedelta(days=3)).replace(hour=18, minute=0, second=0, microsecond=0)
    seen -= timedelta(days=seen.weekday() == 6)
    past = await clinic.book(seen.isoformat(), practitioner_id="dov")
    await clinic.done(await clinic.call(past, "complete", at=(seen + timedelta(hours=1)).isoformat()))
    missed = await clinic.book((seen + timedelta(hours=2)).isoformat(), practitioner_id="cleo")
    await clinic.done(await clinic.call(missed, "no-show"))
    await clinic.book(at(9), room_id="room 2")
    await clinic.book(at(14), patient_id="quin", practitioner_id="ben")
    await clinic.book(at(12), patient_id="quin", practitioner_id="dov")
    await clinic.book(at(13), patient_id="quin", practitioner_id="dov")
    await away(clinic, at(8), at(18))
    (visit,) = (await plan(clinic))["visits"]
    assert named(clinic, visit) == ["dov", "cleo", "ben"]
    offered = [(each["has_seen_patient"], each["visits_that_day"]) for each in visit["choices"][:3]]
    assert offered == [(True, 2), (False, 0), (False, 1)]
    first = visit["choices"][0]
    assert [choice["is_recommended"] for choice in visit["choices"]] == [True] + [False] * 6
    assert (first["start"], first["end"], first["room_id"]) == (at(9), at(10), clinic.made["room 2"])


async def test_two_visits_are_never_given_to_one_substitute_at_once(clinic: Practice) -> None:
    """Ben's buffer lets him take one of the two; that he must leave the first to Cleo is found by looking ahead."""
    await clinic.book(at(9))
    await clinic.book(at(10), patient_id="quin", service_id="therapy")
    await clinic.book(at(10), patient_id="rosa", practitioner_id="cleo")
    await clinic.book(at(11), patient_id="rosa", practitioner_id="cleo")
    await clinic.book(at(12), patient_id="rosa", practitioner_id="cleo")
    await clinic.book(at(9), patient_id="rosa", practitioner_id="dov")
    await away(clinic, at(8), at(18))
    first, second = (await plan(clinic))["visits"]
    assert [each["choices"][0]["practitioner_name"] for each in (first, second)] == ["Cleo", "Ben"]
    assert named(clinic, first) == ["cleo"], "Ben is with the second"
    answer = await apply(clinic, recommended([first, second]))
    assert answer.status_code == 200, answer.text
    assert [each["practitioner_name"] for each in answer.json()["appointments"]] == ["Cleo", "Ben"]


async def test_a_move_is_to_the_nearest_time_after_the_absence(clinic: Practice) -> None:
    visit = await clinic.book(at(9), service_id="therapy", room_id="room 3")
    for who, patient in (("ben", "quin"), ("cleo", "rosa")):
        await clinic.book(at(8), practitioner_id=who, patient_id=patient, end=at(18))
    await away(clinic, at(7), at(12))
    await clinic.done(await clinic.call(visit, "confirm"))
    found = await plan(clinic)
    assert [(each["start"], each["end"]) for each in found["absences"]] == [(at(7), at(12))]
    (planned,) = found["visits"]
    assert planned["appointment"]["needs_action"] == "practitioner_absent"
    assert named(clinic, planned, "move") == [at(12), at(12.25), at(12.5)]
    assert planned["choices"][0]["room_id"] == clinic.made["room 3"]
    answer = await apply(clinic, recommended([planned]))
    (moved,) = answer.json()["appointments"]
    assert (moved["start"], moved["status"], moved["needs_action"]) == (at(12), "scheduled", None)
    assert moved["practitioner_id"] == clinic.made["ana"]
    assert (await plan(clinic))["visits"] == []


async def test_what_can_neither_be_given_nor_moved_is_cancelled_and_its_units_are_free(
    clinic: Practice,
) -> None:
    visit = await clinic.book(at(9), service_id="funded")
    await clinic.change("patients", "pat", excluded_practitioner_ids=[clinic.made[who] for who in ("ben", "cleo", "dov")])  # fmt: skip
    await away(clinic, at(8), at(8, day=60))
    (planned,) = (await plan(clinic))["visits"]
    assert [choice["action"] for choice in planned["choices"]] == ["cancel"]
    assert planned["choices"][0]["practitioner_id"] is planned["choices"][0]["start"] is None
    answer = await apply(clinic, [{**decision(planned, planned["choices"][0]), "reason_code": "ill"}])
    assert answer.status_code == 200, answer.text
    stored = await clinic.get(visit)
    assert (stored["status"], stored["needs_action"], stored["version"]) == ("cancelled", None, 3)
    assert (stored["cancellation"]["cancelled_by"], stored["cancellation"]["reason_code"]) == (
        "practitioner",
        "ill",
    )
    assert await clinic.units() == (0, 20)


async def test_without_an_absence_the_plan_is_for_the_whole_day(clinic: Practice) -> None:
    visits = [await clinic.book(at(hour), patient_id=who) for hour, who in ((9, "pat"), (17, "quin"))]
    await clinic.book(at(9, day=1), patient_id="rosa")
    cancelled = await clinic.book(at(12), patient_id="rosa")
    await clinic.done(await clinic.call(cancelled, "cancel"))
    found = await plan(clinic)
    assert found["absences"] == []
    assert [each["appointment_id"] for each in found["visits"]] == [visit["id"] for visit in visits]
    assert all(start >= at(0, day=1) for each in found["visits"] for start in named(clinic, each, "move"))
    assert (await plan(clinic, "dov"))["visits"] == []


async def test_only_what_lies_in_the_absence_is_planned(clinic: Practice) -> None:
    """The date is the clinic's: four in the afternoon in Phoenix is eleven at night in UTC, five the next day."""
    await clinic.book(at(9))
    late = await clinic.book(at(17), patient_id="quin")
    await away(clinic, at(16), at(18))
    assert [each["appointment_id"] for each in (await plan(clinic))["visits"]] == [late["id"]]
    assert (await plan(clinic, on=str(monday() + timedelta(days=1))))["visits"] == []


async def test_whoever_joins_a_visit_is_stood_in_for_too(clinic: Practice) -> None:
    visit = await clinic.book(at(9), practitioner_id="ben", lines=[
        {"practitioner_id": clinic.made["ana"], "service_id": clinic.made["talk"], "start": at(9.5), "end": at(10)},
    ])  # fmt: skip
    await away(clinic, at(8), at(18))
    (planned,) = (await plan(clinic))["visits"]
    assert named(clinic, planned) == ["cleo", "dov"]
    answer = await apply(clinic, recommended([planned]))
    (after,) = answer.json()["appointments"]
    assert [line["practitioner_id"] for line in after["lines"]] == [clinic.made["ben"], clinic.made["cleo"]]
    assert after["id"] == visit["id"]


async def test_all_that_is_recommended_fits_together_and_each_choice_with_the_rest(clinic: Practice) -> None:
    """Random days with few rooms; of one visit any choice is taken, of the others what is recommended."""
    chance = random.Random(11)
    for room in ("room 3", "room 4"):
        await clinic.change("rooms", room, is_available=False)
    for week_ahead in range(12):
        on = monday() + timedelta(days=7 * week_ahead)
        for who in ("ana", "ana", "ana", "ana", "ana", "ana", "ben", "ben", "cleo", "dov"):
            wanted = clinic.booking(
                at(chance.choice(range(32, 56)) / 4, day=7 * week_ahead), practitioner_id=who,
                patient_id=chance.choice(["pat", "quin", "rosa"]), service_id=chance.choice(["talk", "therapy"]),
            )  # fmt: skip
            assert (await clinic.admin.post(VISITS, json=wanted)).status_code in {201, 409}
        if week_ahead % 2:
            await away(clinic, at(8, day=7 * week_ahead), at(18, day=7 * week_ahead))
        visits = (await plan(clinic, on=str(on)))["visits"]
        decided = recommended(visits)
        number = chance.randrange(len(visits))
        decided[number] = decision(visits[number], chance.choice(visits[number]["choices"]))
        chance.shuffle(decided)
        answer = await apply(clinic, decided, on=str(on))
        assert answer.status_code == 200, answer.text
        for asked, got in zip(decided, answer.json()["appointments"], strict=True):
            assert got["id"] == asked["appointment_id"]
            assert got["needs_action"] is None
            assert (got["status"] == "cancelled") == (asked["action"] == "cancel")
            assert got["practitioner_id"] == asked.get("practitioner_id", clinic.made["ana"])
            assert got["start"] == asked.get("start", got["start"])


async def test_what_is_outdated_is_named_and_nothing_is_applied(clinic: Practice) -> None:
    visits = [
        await clinic.book(at(hour), patient_id=who, service_id=service)
        for hour, who, service in ((9, "pat", "funded"), (11, "quin", "talk"), (14, "rosa", "talk"))
    ]
    await away(clinic, at(8), at(18))
    planned = (await plan(clinic))["visits"]
    decided = [
        decision(visit, {"action": "substitute", "practitioner_id": clinic.made["cleo"]}) for visit in planned
    ]
    await clinic.book(at(11), patient_id="pat", practitioner_id="cleo")
    await clinic.done(await clinic.call(visits[2], "confirm"))
    before = await everything(clinic)
    problem = (await apply(clinic, decided)).json()
    assert (problem["code"], problem["status"]) == ("plan_outdated", 409)
    assert [(each["appointment_id"], [why["code"] for why in each["reasons"]]) for each in problem["outdated"]] == [
        (visits[1]["id"], ["practitioner_conflict"]), (visits[2]["id"], ["version_mismatch"]),
    ]  # fmt: skip
    assert problem["outdated"][1]["reasons"][0]["version"] == 3
    assert await everything(clinic) == before
    again = (await plan(clinic))["visits"]
    assert (await apply(clinic, recommended(again))).status_code == 200


async def test_the_work_list_empties_and_one_key_applies_once(clinic: Practice) -> None:
    await clinic.book(at(9))
    await clinic.book(at(10), patient_id="quin")
    assert await waiting(clinic) == []
    await away(clinic, at(8), at(18))
    links = {each["absence_plan"] for each in await waiting(clinic)}
    assert links == {f"{path(clinic)}?date={DATE}"}
    visits = (await clinic.admin.get(links.pop())).json()["visits"]
    assert [each["appointment"] for each in visits] == [each["appointment"] for each in await waiting(clinic)]
    decided = recommended(visits)
    answers = [await apply(clinic, decided, headers={"Idempotency-Key": "sick-day-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert {each["version"] for each in answers[0].json()["appointments"]} == {3}
    assert await waiting(clinic) == []
    assert await clinic.stored(
        "select 1 from claims where organization_id = $1 and resource_id = $2 and kind <> 'time_off'",
        clinic.made["ana"],
    ) == []  # fmt: skip


async def waiting(practice: Practice) -> Any:
    """What somebody must see to, which is counted as listed."""
    query = {"date": DATE}
    counts = (await practice.admin.get(f"{API}/worklists", params=query)).json()["worklists"]
    items = (await practice.admin.get(f"{API}/worklists/needs_action", params=query)).json()["items"]
    assert next(each["count"] for each in counts if each["kind"] == "needs_action") == len(items)
    return items


async def test_what_cannot_be_meant_is_refused_by_field(clinic: Practice) -> None:
    visit = await clinic.book(at(9))
    other = await clinic.book(at(9), practitioner_id="ben", patient_id="quin")
    named_so: dict[str, Any] = {"appointment_id": visit["id"], "version": 1}
    cancel = {**named_so, "action": "cancel"}
    tried: list[tuple[list[dict[str, Any]], str]] = [
        ([], "visits"),
        ([{**named_so, "action": "substitute"}], "visits[0].practitioner_id"),
        ([{**named_so, "action": "move"}], "visits[0].start"),
        ([{**cancel, "start": at(10)}], "visits[0].start"),
        ([{**named_so, "action": "move", "start": at(10), "reason_code": "ill"}], "visits[0].reason_code"),
        ([cancel, cancel], "visits[1].appointment_id"),
        ([cancel, {**cancel, "appointment_id": other["id"]}], "visits[1].appointment_id"),
    ]
    for visits, field in tried:
        answer = await apply(clinic, visits)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    answer = await apply(clinic, [cancel], on=str(monday() + timedelta(days=1)))
    assert answer.json()["errors"][0]["field"] == "visits[0].appointment_id"
    missing = await apply(clinic, [cancel, {**cancel, "appointment_id": ids.new()}])
    assert (missing.status_code, missing.json()["field"]) == (404, "visits[1].appointment_id")
    nobody = await apply(clinic, [{**named_so, "action": "substitute", "practitioner_id": ids.new()}])
    assert (nobody.status_code, nobody.json()["field"]) == (404, "visits[0].practitioner_id")
    assert (await clinic.get(visit))["version"] == 1


async def test_a_practitioner_plans_their_own_day_without_giving_it_to_others(
    clinic: Practice, client: Client
) -> None:
    """Somebody's own login: they may move and cancel, and nobody else's day is theirs to look at."""
    await clinic.change("practitioners", "own", is_active=True)
    await clinic.book(at(9), practitioner_id="own")
    ours, others = path(clinic, "own"), path(clinic, "ana")
    async with client(clinic.organization.tokens["practitioner"]) as user:
        (visit,) = (await user.get(ours, params={"date": DATE})).json()["visits"]
        assert [choice["action"] for choice in visit["choices"]] == ["move", "move", "move", "cancel"]
        assert (await user.get(others, params={"date": DATE})).status_code == 403
        given = decision(visit, {"action": "substitute", "practitioner_id": clinic.made["ben"]})
        answer = await user.post(f"{ours}/apply", json={"date": DATE, "visits": [given]})
        assert answer.status_code == 403
        answer = await user.post(f"{ours}/apply", json={"date": DATE, "visits": recommended([visit])})
        assert answer.status_code == 200, answer.text
    for role, expected in (("auditor", (200, 403)), ("biller", (403, 403)), ("patient", (403, 403))):
        async with client(clinic.organization.tokens[role]) as user:
            got = await user.get(ours, params={"date": DATE})
            put = await user.post(f"{ours}/apply", json={"date": DATE, "visits": recommended([visit])})
            assert (got.status_code, put.status_code) == expected

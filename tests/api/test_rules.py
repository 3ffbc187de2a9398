"""The clinic's rules at work: in bookings, moves, holds, searches, and in what is told of them."""

import asyncio
from typing import Any

import asyncpg
import pytest
from api.practice import API, VISITS, Practice, at, monday

from holdfast.rules.decision import replayed


async def in_force(
    practice: Practice, *rules: dict[str, Any], scope: str = "organization", **more: Any
) -> Any:
    """These rules of a scope, saved and activated."""
    saved = await practice.admin.post(f"{API}/policies", json={"scope": scope, "rules": list(rules), **more})
    assert saved.status_code == 201, saved.text
    policy = saved.json()["id"]
    activated = await practice.admin.post(f"{API}/policies/{policy}/activate")
    assert activated.status_code == 200, activated.text
    return activated.json()


def rule(name: str, kind: str, type_: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "type": type_, **fields}


async def explained(practice: Practice, visit: Any) -> Any:
    return await practice.done(await practice.admin.get(f"{VISITS}/{visit['id']}/explain"))


async def evaluated(practice: Practice, start: str, **more: Any) -> Any:
    body = practice.booking(start, **more)
    return await practice.done(await practice.admin.post(f"{API}/policies/evaluate", json=body))


def sample(emergency: str) -> list[dict[str, Any]]:
    """The policy that the seeds tell of: hours, lunch, cleaning, mornings, a full day, two emergency slots."""
    return [
        rule("hours", "hard", "time_range", time_from="08:00", time_to="18:00"),
        rule("lunch", "hard", "time_range", time_from="12:00", time_to="13:00", allow="outside"),
        rule("cleaning", "hard", "cleaning_buffer", minutes=10),
        rule("morning", "soft", "time_preference", time_from="08:00", time_to="12:00", score_modifier=15),
        rule("full day", "soft", "workload", visits_max=15, penalty=10),
        *(
            rule(f"emergencies {start}", "hard", "reserved_time", time_from=start, time_to=end,
                 for_services=[emergency], release_hours_before=2)
            for start, end in (("09:00", "09:30"), ("15:00", "15:30"))
        ),
    ]  # fmt: skip


async def test_the_sample_of_the_seeds(practice: Practice) -> None:
    emergency = await practice.make("services", "emergency", name="Emergency", code="E", duration_minutes=30)
    await in_force(practice, *sample(emergency))
    short: dict[str, Any] = {"duration_minutes": 30}

    lunch = await practice.refused(at(12), **short)
    assert [(each["code"], each["rule"]) for each in lunch["reasons"]] == [("rule_violation", "lunch")]
    assert [each["start"] for each in lunch["alternatives"]["slots"]] == [at(11.5), at(11.25), at(11)]

    kept = await practice.refused(at(9), **short)
    assert kept["code"] == "no_room_available"
    assert {each["rule"] for each in kept["rooms"]} == {"emergencies 09:00"}
    visit = await practice.book(at(9), service_id="emergency")
    assert visit["assignment"]["score"] == 115
    assert visit["assignment"]["rules_applied"] == sorted(
        ["cleaning", "emergencies 09:00", "emergencies 15:00", "hours", "lunch", "morning"]
    )
    assert visit["turnover_minutes"] == 10

    afternoon = await practice.book(at(13.5), **short)
    assert afternoon["assignment"]["score"] == 100
    assert (await explained(practice, afternoon))["candidates"][0]["lines"] == []

    free = await practice.done(await practice.admin.get(f"{API}/availability", params={
        "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"], "duration_minutes": 30,
        "practitioner_id": practice.made["ana"], "start_date": str(monday()), "end_date": str(monday()), "limit": 200,
    }))  # fmt: skip
    scores = {slot["start"]: slot["score"] for slot in free["slots"]}
    assert (
        at(9) not in scores and at(8.75) not in scores and at(12.5) not in scores and at(15.25) not in scores
    )
    assert (scores[at(8.5)], scores[at(11.5)], scores[at(14)]) == (115, 115, 100)


async def test_the_sixteenth_visit_of_a_day_costs_ten_points(practice: Practice) -> None:
    await in_force(practice, rule("full day", "soft", "workload", visits_max=15, penalty=10))
    scores = [
        (await practice.book(at(8 + n / 2), duration_minutes=30, patient_id="pat" if n % 2 else "quin"))["assignment"]["score"]
        for n in range(16)
    ]  # fmt: skip
    assert scores == [100] * 15 + [90]


def many_rules(rooms: list[str], emergency: str) -> list[dict[str, Any]]:
    """Ten hard and twenty soft ones."""
    hard = [
        rule("hours", "hard", "time_range", time_from="07:00", time_to="19:00"),
        rule("lunch", "hard", "time_range", time_from="12:00", time_to="12:30", allow="outside"),
        rule("full day", "hard", "workload", visits_max=40),
        rule("their times", "hard", "patient_availability"),
        rule("their rooms", "hard", "practitioner_room", allowed_rooms=rooms[:40]),
        rule(
            "emergencies",
            "hard",
            "reserved_time",
            time_from="16:00",
            time_to="17:00",
            for_services=[emergency],
        ),
        rule("equipment", "hard", "equipment", equipment=["table"]),
        rule("size", "hard", "capacity", people=2),
        rule("doors", "hard", "accessibility", features=["wide door"]),
        rule("cleaning", "hard", "cleaning_buffer", minutes=5),
    ]
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("practitioner_room_preference", {"preferred_rooms": rooms[3:5]}),
        ("utilization_balancing", {"visits_per_day_max": 8}),
        ("time_preference", {"time_from": "08:00", "time_to": "12:00"}),
        ("same_room_as_last_visit", {}),
        ("proximity", {"near_each_other": rooms[:10]}),
    ]
    soft = [
        rule(f"soft {n}", "soft", type_, score_modifier=n + 1, penalty=n, **fields)
        for n, (type_, fields) in enumerate(kinds * 4)
    ]
    return hard + soft


async def fifty_rooms(practice: Practice) -> list[str]:
    return [
        await practice.make("rooms", f"many {n}", clinic_id=practice.made["clinic"], number=f"M{n}", room_type="talk",
                            capacity=2 + n % 3, display_order=10 + n, cleaning_minutes=0,
                            equipment=["table"] if n % 5 else [], accessibility=["wide door"] if n % 7 else [])
        for n in range(50)
    ]  # fmt: skip


async def test_ten_hard_and_twenty_soft_rules_over_fifty_rooms(practice: Practice) -> None:
    emergency = await practice.make("services", "emergency", name="Emergency", code="E", duration_minutes=30)
    rooms = await fifty_rooms(practice)
    await in_force(practice, *many_rules(rooms, emergency))
    visit = await practice.book(at(9))
    told = await explained(practice, visit)
    admitted = {room for n, room in enumerate(rooms) if n < 40 and n % 5 and n % 7}
    assert {each["room_id"] for each in told["candidates"]} == admitted
    refused = {each["room_id"] for each in told["refused"]}
    assert refused == {practice.made["room 1"], practice.made["room 2"], *rooms} - admitted
    assert told["room_id"] == visit["room_id"] == told["candidates"][0]["room_id"]
    # preferred rooms are the third and fourth; rooms of the least capacity come first among equal ones
    assert visit["room_id"] == rooms[3]
    for each in told["candidates"]:
        assert each["score"] == 100 + sum(line["effect"] for line in each["lines"])
    order = [
        (-each["score"], each["surplus_capacity"], each["visits_that_day"]) for each in told["candidates"]
    ]
    assert order == sorted(order)
    again = await evaluated(practice, at(9), practitioner_id="ben", patient_id="quin")
    assert again["would_be_booked"]
    assert rooms[3] not in {each["room_id"] for each in again["candidates"]}


async def statements_of_a_booking(practice: Practice, monkeypatch: pytest.MonkeyPatch, start: str) -> int:
    sent = []
    original = asyncpg.Connection._execute  # type: ignore[attr-defined]

    async def counted(self: Any, query: str, *more: Any, **named: Any) -> Any:
        sent.append(query)
        return await original(self, query, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Connection, "_execute", counted)
        await practice.book(start)
    return len(sent)


async def test_8_rules_and_rooms_cost_no_lookup_of_their_own(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    await practice.book(at(8))
    few = await statements_of_a_booking(practice, monkeypatch, at(9))
    emergency = await practice.make("services", "emergency", name="Emergency", code="E", duration_minutes=30)
    rooms = await fifty_rooms(practice)
    await in_force(practice, *many_rules(rooms, emergency))
    await practice.book(at(10))
    assert await statements_of_a_booking(practice, monkeypatch, at(13)) == few


async def test_9_a_buffer_reaches_over_midnight(practice: Practice) -> None:
    await practice.change("clinics", "clinic", opening_hours=[])
    await practice.change("practitioners", "ana", working_hours=[])
    await in_force(practice, rule("pause", "hard", "buffer_time", minutes=30))
    await practice.book(at(23), duration_minutes=50)
    tomorrow = {"patient_id": "quin", "duration_minutes": 30}
    assert (await practice.refused(at(0.25, 1), **tomorrow))["code"] == "practitioner_conflict"
    await practice.book(at(0.5, 1), **tomorrow)


async def test_a_clinic_that_books_without_rooms_obeys_its_hard_rules_all_the_same(
    practice: Practice,
) -> None:
    await practice.change("clinics", "clinic", allow_unassigned=True)
    await in_force(
        practice, rule("lunch", "hard", "time_range", time_from="12:00", time_to="13:00", allow="outside"),
        rule("big", "hard", "capacity", people=50),
    )  # fmt: skip
    assert (await practice.refused(at(12)))["code"] == "rule_violation"
    visit = await practice.book(at(9))
    assert (visit["room_id"], visit["assignment"]["method"]) == (None, "none")
    told = await explained(practice, visit)
    assert told["candidates"] == []
    assert {(each["rule"], each["sentence"]) for each in told["refused"]} == {
        ("big", "Room 1 holds 1 people; needed are 50."), ("big", "Room 2 holds 1 people; needed are 50."),
    }  # fmt: skip
    listed = (await practice.admin.get(VISITS, params={"unassigned": True})).json()["items"]
    assert [each["id"] for each in listed] == [visit["id"]]


async def test_nobody_overrides_a_hard_rule_by_hand(practice: Practice) -> None:
    await in_force(
        practice, rule("rooms", "hard", "practitioner_room", allowed_rooms=[practice.made["room 2"]])
    )
    visit = await practice.book(at(9))
    assert visit["room_number"] == "2"
    wanted = {"room_id": practice.made["room 1"], "reason": "The family asked for it."}
    by_hand = await practice.admin.patch(f"{VISITS}/{visit['id']}/room", json=wanted)
    refused = practice.problem(by_hand, 409)
    assert (refused["code"], refused["rule"]) == ("rule_violation", "rooms")
    moved = await practice.move(visit, room_id="room 1")
    assert practice.problem(moved, 409)["code"] == "rule_violation"
    held = await practice.admin.post(f"{API}/holds", json=practice.booking(at(11), room_id="room 1"))
    assert practice.problem(held, 409)["code"] == "rule_violation"


async def test_each_practitioner_is_asked_under_their_own_rules(practice: Practice) -> None:
    """Whoever joins brings their rules, and nobody brings them for somebody else."""
    mornings = rule("mornings", "hard", "time_range", time_from="08:00", time_to="12:00")
    whose = [practice.made["room 2"]]
    await in_force(
        practice, mornings, rule("one", "hard", "workload", visits_max=1),
        rule("rooms", "hard", "practitioner_room", allowed_rooms=whose),
        scope="practitioner", scope_id=practice.made["ben"],
    )  # fmt: skip
    line = {"practitioner_id": practice.made["ben"], "service_id": practice.made["talk"]}
    afternoon = await practice.book(at(14))
    joined = await practice.admin.post(f"{VISITS}/{afternoon['id']}/lines", json=line)
    refused = practice.problem(joined, 409)
    assert {each["rule"] for each in refused["reasons"] if each["code"] == "rule_violation"} == {"mornings"}
    morning = await practice.book(at(9), room_id="room 1")
    half = line | {"start": at(9.5), "duration_minutes": 30}
    joined = await practice.admin.post(f"{VISITS}/{morning['id']}/lines", json=half)
    assert (joined.status_code, joined.json()["room_number"]) == (201, "2")
    alone = await evaluated(practice, at(10))
    assert {each["room_number"] for each in alone["candidates"]} == {"1", "2"}
    second = await practice.refused(at(10.5), practitioner_id="ben", patient_id="quin", duration_minutes=30)
    assert [each["rule"] for each in second["reasons"]] == ["one"]


async def test_a_full_day_counts_each_visit_once_and_what_is_held(practice: Practice) -> None:
    await in_force(practice, rule("full day", "hard", "workload", visits_max=2))
    talk = {"practitioner_id": practice.made["ana"], "service_id": practice.made["talk"]}
    await practice.book(at(8), lines=[{**talk, "start": at(9)}])
    held = await practice.admin.post(f"{API}/holds", json=practice.booking(at(11)))
    assert held.status_code == 201
    another = await practice.admin.post(f"{API}/holds", json=practice.booking(at(13)))
    assert practice.problem(another, 409)["rule"] == "full day"
    await practice.book(at(11), hold_id=held.json()["hold_id"])


async def test_a_broken_rule_is_a_problem_as_any_other(practice: Practice) -> None:
    await in_force(
        practice, rule("lunch", "hard", "time_range", time_from="12:00", time_to="13:00", allow="outside")
    )
    refused = await practice.refused(at(12))
    assert refused["type"].endswith("#rule_violation")
    assert (refused["rule"], refused["rule_type"]) == ("lunch", "time_range")


async def test_who_is_reinstated_has_the_buffer_of_today(practice: Practice) -> None:
    visit = await practice.book(at(9))
    await practice.done(await practice.call(visit, "cancel"))
    await in_force(practice, rule("pause", "hard", "buffer_time", minutes=30))
    await practice.done(await practice.call(visit, "reinstate"))
    assert ("ana", "visit", "09:00", "10:30") in await practice.claims(visit)


async def test_an_id_that_is_none_is_refused_by_its_field(practice: Practice) -> None:
    for odd in ("zzz", practice.made["room 1"].replace("-", ""), "0" * 36):
        rules = [rule("rooms", "hard", "practitioner_room", allowed_rooms=[odd])]
        saved = await practice.admin.post(f"{API}/policies", json={"scope": "organization", "rules": rules})
        assert [each["field"] for each in practice.problem(saved, 422)["errors"]] == [
            "rules[0].allowed_rooms"
        ]
    many = {"name": "n" * 20_000, "kind": "hard", "type": "capacity"} | {f"x{n}": 1 for n in range(2_000)}
    saved = await practice.admin.post(f"{API}/policies", json={"scope": "organization", "rules": [many]})
    assert len(practice.problem(saved, 422)["errors"]) <= 200
    assert len(saved.content) < 100_000


async def test_what_was_in_the_way_days_ago_is_told(practice: Practice) -> None:
    """Nothing before today is searched; the time that is asked about is looked at all the same."""
    visit = await practice.book(at(9))
    await practice.stored(
        "with a as (update appointments set starts_at = starts_at - interval '60 days', ends_at = ends_at - interval"
        " '60 days' where organization_id = $1 returning id), l as (update appointment_lines set starts_at = starts_at"
        " - interval '60 days', ends_at = ends_at - interval '60 days' where organization_id = $1)"
        " update claims set starts_at = starts_at - interval '60 days', ends_at = ends_at - interval '60 days'"
        " where organization_id = $1"
    )
    asked = {"start": at(9, -60), "end": at(10, -60), "room_id": visit["room_id"]} | {
        name: practice.made[made] for name, made in (
            ("clinic_id", "clinic"), ("service_id", "talk"), ("practitioner_id", "ben"))}  # fmt: skip
    found = await practice.done(await practice.admin.get(f"{VISITS}/conflicts", params=asked))
    assert found["has_conflict"]


async def test_a_rule_is_about_what_its_conditions_say(practice: Practice) -> None:
    narrow = rule("first visits", "hard", "practitioner_room", allowed_rooms=[practice.made["room 2"]])
    for when, applies in (
        ({"patient": "new"}, True), ({"patient": "returning"}, False), ({"weekdays": [0]}, True),
        ({"weekdays": [1, 2]}, False), ({"time_from": "09:00", "time_to": "10:00"}, True),
        ({"time_from": "09:15"}, False), ({"service_ids": [practice.made["talk"]]}, True),
        ({"service_ids": [practice.made["funded"]]}, False), ({"needs": ["hoist"]}, False),
    ):  # fmt: skip
        await in_force(practice, narrow | {"when": when})
        seen = await evaluated(practice, at(9))
        assert {each["room_number"] for each in seen["candidates"]} == ({"2"} if applies else {"1", "2"}), (
            when
        )


async def test_rules_that_remember_see_what_was_booked_a_moment_ago(practice: Practice) -> None:
    """Also within one batch: bookings that arrive together are decided one after the other."""
    await in_force(
        practice, rule("same room", "soft", "same_room_as_last_visit"),
        rule("who they know", "soft", "continuity", score_modifier=40),
    )  # fmt: skip
    await practice.book(at(9), room_id="room 2")
    told = await evaluated(practice, at(11))
    assert (told["candidates"][0]["room_number"], told["candidates"][0]["score"]) == ("2", 150)
    assert {line["rule"] for line in told["candidates"][0]["lines"]} == {"same room", "who they know"}
    stranger = await evaluated(practice, at(11), practitioner_id="ben")
    assert stranger["candidates"][0]["score"] == 110
    together = [practice.booking(at(hour, 1), patient_id="quin") for hour in (9, 11, 13, 15)]
    together[0]["room_id"] = practice.made["room 2"]
    answers = await asyncio.gather(*(practice.admin.post(VISITS, json=each) for each in together))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert {answer.json()["room_number"] for answer in answers} == {"2"}
    gone = (await practice.admin.get(VISITS, params={"patient_id": practice.made["pat"]})).json()["items"][0]
    await practice.done(await practice.call(gone, "cancel"))
    assert (await evaluated(practice, at(11)))["candidates"][0]["score"] == 100


async def test_what_would_be_is_what_is(practice: Practice) -> None:
    await in_force(
        practice, rule("likes", "soft", "practitioner_room_preference", preferred_rooms=[practice.made["room 2"]]),
        rule("balance", "soft", "utilization_balancing", visits_per_day_max=3),
        rule("lunch", "hard", "time_range", time_from="12:00", time_to="13:00", allow="outside"),
    )  # fmt: skip
    for hour in (8, 9, 10, 11, 12, 12.5, 13, 14, 16):
        would = await evaluated(practice, at(hour))
        answer = await practice.admin.post(VISITS, json=practice.booking(at(hour)))
        assert (answer.status_code == 201) == would["would_be_booked"]
        if answer.status_code == 201:
            visit = answer.json()
            assert visit["room_id"] == would["room_id"]
            assert visit["assignment"]["score"] == would["candidates"][0]["score"]
            told = await explained(practice, visit)
            for field in ("candidates", "refused", "room_id", "policy_version", "summary"):
                assert told[field] == would[field]
        else:
            problem = answer.json()
            assert [each["code"] for each in problem["reasons"]] == [
                each["code"] for each in would["reasons"]
            ]


async def test_what_is_stored_of_a_choice_leads_to_the_room_again(practice: Practice) -> None:
    """Whatever has become of rooms, rules and the calendar since."""
    await in_force(
        practice, rule("likes", "soft", "practitioner_room_preference", preferred_rooms=[practice.made["room 2"]]),
        rule("balance", "soft", "utilization_balancing", visits_per_day_max=2, penalty=30),
    )  # fmt: skip
    visits = [await practice.book(at(hour)) for hour in (8, 9, 10, 11)]
    visits[0] = await practice.done(await practice.move(visits[0], start=at(14)))
    await practice.change("rooms", "room 1", capacity=9, display_order=99)
    await in_force(practice, rule("size", "hard", "capacity", people=5))
    rows = await practice.stored(
        "select a.id::text, a.room_id::text as room, a.decision, g.body from appointments a"
        " join room_grounds g on g.organization_id = a.organization_id and g.id = a.grounds_id"
        " where a.organization_id = $1"
    )
    assert {row["id"]: row["room"] for row in rows} == {visit["id"]: visit["room_id"] for visit in visits}
    assert {row["room"] for row in rows} == {practice.made["room 1"], practice.made["room 2"]}
    for row in rows:
        assert replayed(row["decision"], row["body"]) == row["room"]
        assert len(row["decision"]) < 60


async def test_a_day_that_is_full_for_a_room_shows_in_its_score(practice: Practice) -> None:
    await in_force(
        practice, rule("balance", "soft", "utilization_balancing", visits_per_day_max=2, low_percent=50)
    )
    rooms = [(await practice.book(at(8 + n)))["room_number"] for n in range(4)]
    assert rooms == ["1", "2", "1", "2"]

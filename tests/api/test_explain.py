"""Why a visit has its room, as it is told: in sentences, as decided and as of now, and how much of it to whom."""

from api.people import Client, Organization
from api.practice import API, VISITS, Practice, at, monday
from api.test_rules import explained, in_force, rule


async def test_why_a_room_was_chosen_is_said_in_a_sentence(practice: Practice) -> None:
    first = await practice.book(at(9))
    assert (await explained(practice, first))[
        "summary"
    ] == "Room 1 comes first in the order of 2 equally good rooms."
    second = await practice.book(at(9), practitioner_id="ben", patient_id="quin")
    told = await explained(practice, second)
    assert told["summary"] == "Room 2 is the only room that suits and is free."
    assert [each["sentence"] for each in told["refused"]] == ["Room 1 is taken."]
    third = await practice.book(at(13), room_id="room 2")
    assert (await explained(practice, third))["summary"] == "Room 2 was asked for; no other was looked at."
    fourth = await practice.book(at(16))
    assert (await explained(practice, fourth))["summary"].startswith("Room 1 ")
    away = await practice.book(at(9, 1), service_id="funded", location="home")
    assert (await explained(practice, away))[
        "summary"
    ] == "The visit is not at the clinic, so it has no room."
    moved = await practice.done(await practice.move(first, start=at(10, 2)))
    assert (await explained(practice, moved))["summary"] == (
        "Room 1 was kept for it or given by a room plan: it suits and is free; no other was looked at."
    )


async def test_where_one_room_was_looked_at_the_others_are_told_as_they_are_now(practice: Practice) -> None:
    """What was decided is told as it was decided; how the rooms compare now stands apart from it."""
    chosen = await practice.book(at(9))
    assert (await explained(practice, chosen))["rooms_now"] is None
    kept = await practice.done(await practice.move(chosen, start=at(10)))
    told = await explained(practice, kept)
    assert [each["room_number"] for each in told["candidates"]] == ["1"]
    now = told["rooms_now"]
    assert [(each["room_number"], each["score"]) for each in now["candidates"]] == [("1", 100), ("2", 100)]
    assert now["room_id"] == kept["room_id"]
    assert now["summary"] == "As things are now, room 1 comes first in the order of 2 equally good rooms."

    await in_force(
        practice,
        rule("likes", "soft", "practitioner_room_preference", preferred_rooms=[practice.made["room 2"]]),
    )
    told = await explained(practice, kept)
    assert [(each["room_number"], each["score"]) for each in told["candidates"]] == [("1", 100)]
    now = told["rooms_now"]
    assert (now["room_id"], now["policy_version"]) == (practice.made["room 2"], 1)
    assert now["summary"] == "As things are now, room 2 has the best score, 110; the next has 95."

    await practice.book(at(10), room_id="room 2", practitioner_id="ben", patient_id="quin")
    now = (await explained(practice, kept))["rooms_now"]
    assert [each["room_number"] for each in now["candidates"]] == ["1"]
    assert [each["sentence"] for each in now["refused"]] == ["Room 2 is taken."]

    body = {"room_id": practice.made["room 1"], "reason": "the family asked for it"}
    pinned = await practice.done(await practice.admin.patch(f"{VISITS}/{kept['id']}/room", json=body))
    told = await explained(practice, pinned)
    assert told["summary"] == "Room 1 was asked for and is pinned; no other was looked at."
    assert told["rooms_now"] is not None
    await practice.done(await practice.call(pinned, "cancel"))
    assert (await explained(practice, pinned))["rooms_now"] is None


async def test_why_is_told_to_those_who_see_the_visit(
    practice: Practice, client: Client, organization: Organization
) -> None:
    visit = await practice.book(at(9))
    path = f"{VISITS}/{visit['id']}/explain"
    async with client(organization.tokens["practitioner"]) as practitioner:
        assert (await practitioner.get(path)).status_code == 403
    async with client(organization.tokens["auditor"]) as auditor:
        assert (await auditor.get(path)).status_code == 200
    missing = await practice.admin.get(f"{VISITS}/00000000-0000-7000-8000-000000000000/explain")
    assert practice.problem(missing, 404)["field"] == "id"


async def test_a_patient_is_told_the_room_and_nothing_of_rules_and_other_rooms(
    practice: Practice, client: Client
) -> None:
    """In every answer that shows the visit: a rule's name may tell why somebody is kept apart from somebody else."""
    await in_force(
        practice, rule("away from Quin", "hard", "practitioner_room", allowed_rooms=[practice.made["room 1"]]),
        rule("secret", "soft", "practitioner_room_preference", preferred_rooms=[practice.made["room 1"]]),
    )  # fmt: skip
    mine = await practice.book(at(9), patient_id=practice.organization.patient_id)
    assert mine["assignment"]["rules_applied"] == ["away from Quin", "secret"]
    day = str(monday())
    shown = {"clinic_id": practice.made["clinic"], "start_date": day, "end_date": day}
    async with client(practice.organization.tokens["patient"]) as patient:
        told = await practice.done(await patient.get(f"{VISITS}/{mine['id']}/explain"))
        one = await practice.done(await patient.get(f"{VISITS}/{mine['id']}"))
        (listed,) = (await practice.done(await patient.get(VISITS)))["items"]
        (seen,) = (await practice.done(await patient.get(f"{API}/calendar", params=shown)))["appointments"]
    assert told == {
        "appointment_id": mine["id"], "room_id": practice.made["room 1"], "method": "auto", "score": None,
        "policy_version": 0, "rules_applied": [], "candidates": [], "refused": [], "summary": "The visit is in room 1.",
        "rooms_now": None,
    }  # fmt: skip
    hidden = {"method": "auto", "policy_version": 0, "score": None, "rules_applied": []}
    for each in (one, listed, seen):
        assert each["assignment"] == hidden
        assert {name for name in mine if each.get(name) != mine[name]} == {
            "assignment",
            "notices",
            "has_alerts",
        }
    assert "cancellation" in one

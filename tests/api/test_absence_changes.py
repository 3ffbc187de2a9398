"""Absences made longer, shorter, and removed: time goes back to who has it by right, and flags say what still holds."""

from typing import Any

import msgspec
import pytest
from api.people import Client, Organization
from api.practice import API, Practice, at

from holdfast import ids

WHO = ("clinics", "rooms", "practitioners")
_CLAIMS = """
  select kind, coalesce(closure_id, time_off_id)::text as owner, starts_at, ends_at from claims
  where organization_id = $1 and resource_id = $2 and kind in ('closure', 'time_off') order by starts_at"""


async def recorded(practice: Practice, noun: str, called: str, start: float, end: float, **more: Any) -> Any:
    kind = "time-off" if noun == "practitioners" else "closures"
    path = f"{API}/{noun}/{practice.made[called]}/{kind}"
    answer = await practice.admin.post(path, json={"start": at(start), "end": at(end), **more})
    assert answer.status_code == 201, answer.text
    return {**answer.json(), "path": f"{path}/{answer.json()['id']}"}


async def changed(practice: Practice, absence: Any, **fields: Any) -> Any:
    answer = await practice.admin.patch(absence["path"], json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def held(practice: Practice, called: str) -> list[tuple[str, str, str]]:
    """The absences' claims on a resource: whose, from when, until when."""
    rows = await practice.stored(_CLAIMS, practice.made[called])
    return [(row["owner"], *(f"{row[n]:%Y-%m-%dT%H:%M:%SZ}" for n in (2, 3))) for row in rows]


async def flag(practice: Practice, visit: Any) -> tuple[str | None, int]:
    found = await practice.get(visit)
    return found["needs_action"], found["version"]


async def test_what_is_cut_off_is_free_again_and_its_visits_are_not_flagged(practice: Practice) -> None:
    early, late = await practice.book(at(9)), await practice.book(at(11), patient_id="quin")
    absence = await recorded(practice, "practitioners", "ana", 8, 16, kind="sick")
    assert [each["kind"] for each in absence["affected"]] == ["appointment"] * 2
    shorter = await changed(practice, absence, end=at(10.5))
    assert (shorter["version"], shorter["end"], shorter["kind"]) == (2, at(10.5), "sick")
    assert [each["id"] for each in shorter["affected"]] == [early["id"]]
    assert await flag(practice, early) == ("practitioner_absent", 2)
    assert await flag(practice, late) == (None, 3)
    assert await held(practice, "ana") == [
        (absence["id"], at(8), at(9)), (absence["id"], at(10), at(10.5)),
    ]  # fmt: skip
    await practice.book(at(12))
    assert (await practice.refused(at(8)))["code"] == "practitioner_unavailable"


async def test_a_longer_one_succeeds_whatever_is_booked(practice: Practice) -> None:
    absence = await recorded(practice, "practitioners", "ana", 8, 9)
    visit = await practice.book(at(10))
    longer = await changed(practice, absence, end=at(12))
    assert [each["id"] for each in longer["affected"]] == [visit["id"]]
    assert await flag(practice, visit) == ("practitioner_absent", 2)
    assert await held(practice, "ana") == [
        (absence["id"], at(8), at(10)), (absence["id"], at(11), at(12)),
    ]  # fmt: skip
    seen = (await practice.admin.get(absence["path"])).json()
    assert seen == longer


@pytest.mark.parametrize("noun", WHO)
async def test_a_removed_one_gives_its_time_and_flags_back(practice: Practice, noun: str) -> None:
    visit = await practice.book(at(9), room_id="room 1")
    called = {"clinics": "clinic", "rooms": "room 1", "practitioners": "ana"}[noun]
    absence = await recorded(practice, noun, called, 8, 12)
    resource = "ana" if noun == "practitioners" else "room 1"
    assert await held(practice, resource)
    assert (await flag(practice, visit))[0] is not None
    assert (await practice.admin.delete(absence["path"])).status_code == 204
    assert await held(practice, resource) == []
    assert await flag(practice, visit) == (None, 3)
    assert (await practice.admin.get(absence["path"])).status_code == 404
    assert (await practice.admin.get(absence["path"].rpartition("/")[0])).json()["total"] == 0
    await practice.book(at(11), room_id="room 1")


async def test_freed_time_inside_another_absence_is_that_others(practice: Practice) -> None:
    visit = await practice.book(at(9), room_id="room 2")
    clinic = await recorded(practice, "clinics", "clinic", 8, 12)
    room = await recorded(practice, "rooms", "room 2", 9, 14)
    assert await flag(practice, visit) == ("room_closed", 3)
    assert (room["id"], at(12), at(14)) in await held(practice, "room 2")
    await changed(practice, clinic, end=at(10))
    assert await held(practice, "room 2") == [
        (clinic["id"], at(8), at(9)), (room["id"], at(10), at(12)), (room["id"], at(12), at(14)),
    ]  # fmt: skip
    assert await flag(practice, visit) == ("room_closed", 3)
    await practice.admin.delete(room["path"])
    assert await flag(practice, visit) == ("clinic_closed", 4)
    await practice.admin.delete(clinic["path"])
    assert await flag(practice, visit) == (None, 5)


async def test_a_flag_goes_though_the_visit_is_over(practice: Practice) -> None:
    """Ended before the absence began, it is not in its way any more; the flag was the absence's all the same."""
    visit = await practice.book(at(9))
    absence = await recorded(practice, "practitioners", "ana", 9.5, 12)
    await practice.done(await practice.call(visit, "complete"))
    before = await flag(practice, visit)
    await practice.admin.delete(absence["path"])
    assert (before[0], await flag(practice, visit)) == ("practitioner_absent", (None, before[1] + 1))


async def test_it_is_told_and_audited(practice: Practice) -> None:
    visit = await practice.book(at(9))
    absence = await recorded(practice, "clinics", "clinic", 8, 12, reason="Mia's birthday")
    await changed(practice, absence, reason="Mia's wedding")
    await changed(practice, absence, end=at(9))
    await practice.admin.delete(absence["path"])
    events = await practice.stored(
        "select kind, body::text as body, body ->> 'version' as version from events where organization_id = $1"
        " and (kind like 'closure.%' or kind = 'appointment.needs_action') order by seq"
    )
    assert [(row["kind"], row["version"]) for row in events] == [
        ("closure.recorded", "1"), ("appointment.needs_action", "2"), ("closure.changed", "2"),
        ("closure.changed", "3"), ("appointment.needs_action", "3"), ("closure.removed", "4"),
    ]  # fmt: skip
    assert "Mia" not in "".join(row["body"] for row in events)
    (removed,) = await practice.stored(
        "select detail::text from audit where organization_id = $1 and action = 'closure.removed' and subject_id = $2",
        absence["id"],
    )
    assert msgspec.json.decode(removed["detail"]) == {"start": at(8), "end": at(9)}
    assert (await practice.get(visit))["needs_action"] is None


async def test_what_would_change_nothing_has_no_effect(practice: Practice) -> None:
    absence = await recorded(practice, "practitioners", "ana", 8, 12, kind="sick")
    assert (await changed(practice, absence, end=at(12)))["version"] == 1
    assert (await changed(practice, absence, kind="holiday"))["version"] == 2
    late = await practice.admin.patch(absence["path"], json={"end": at(10)}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (412, "version_mismatch", 2)
    got = await practice.admin.get(absence["path"])
    assert got.headers["etag"] == '"2"'
    gone = await practice.admin.delete(absence["path"], headers={"If-Match": '"1"'})
    assert gone.status_code == 412


async def test_an_equal_key_has_one_effect(practice: Practice) -> None:
    absence = await recorded(practice, "practitioners", "ana", 8, 12)
    key = {"Idempotency-Key": "shorter"}
    answers = [
        await practice.admin.patch(absence["path"], json={"end": at(10)}, headers=key) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    gone = [
        await practice.admin.delete(absence["path"], headers={"Idempotency-Key": "gone"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in gone] == [204, 204]


async def test_changes_that_cannot_be(practice: Practice) -> None:
    absence = await recorded(practice, "practitioners", "ana", 8, 12)
    for fields, field in (
        ({"end": at(8)}, "end"), ({"start": at(13)}, "end"), ({"end": at(24 * 400)}, "end"),
        ({"start": at(8) + "x"}, "start"), ({"kind": "party"}, "kind"), ({"reason": "x"}, "reason"),
        ({"end": None}, "end"),
    ):  # fmt: skip
        answer = await practice.admin.patch(absence["path"], json=fields)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), fields
    assert (await practice.admin.get(absence["path"])).json()["version"] == 1


async def test_another_ones_is_not_there(practice: Practice, client: Client, stranger: Organization) -> None:
    """Neither under a wrong place or person of one's own nor as another organization's."""
    own = await recorded(practice, "practitioners", "ana", 8, 12)
    room = await recorded(practice, "rooms", "room 1", 8, 12)
    async with client(stranger.tokens["admin"]) as other:
        path = f"{API}/practitioners/{stranger.practitioner_id}/time-off"
        foreign = (await other.post(path, json={"start": at(8), "end": at(9)})).json()["id"]
        answer = await other.get(own["path"])
        assert (answer.status_code, answer.json()["field"]) == (404, "id")
    made = practice.made
    for path in (
        f"practitioners/{made['ben']}/time-off/{own['id']}", f"practitioners/{made['ana']}/time-off/{foreign}",
        f"practitioners/{made['ana']}/time-off/{ids.new()}", f"practitioners/{made['ana']}/time-off/1",
        f"clinics/{made['clinic']}/closures/{room['id']}", f"rooms/{made['room 2']}/closures/{room['id']}",
        f"rooms/{made['room 1']}/closures/{own['id']}",
    ):  # fmt: skip
        field = "time_off_id" if "time-off" in path else "closure_id"
        for method in ("GET", "PATCH", "DELETE"):
            body = {"end": at(10)} if method == "PATCH" else None
            answer = await practice.admin.request(method, f"{API}/{path}", json=body)
            assert (answer.status_code, answer.json()["field"]) == (404, field), path
    assert (await practice.admin.get(room["path"])).json()["version"] == 1


async def test_whoever_sees_busy_time_only_is_not_told_what_is_in_the_way(
    practice: Practice, client: Client
) -> None:
    await practice.book(at(9))
    absence = await recorded(practice, "practitioners", "ana", 8, 12)
    async with client(practice.organization.tokens["practitioner"]) as colleague:
        assert (await colleague.get(absence["path"])).json()["affected"] is None
        assert (await colleague.delete(absence["path"])).status_code == 403
    async with client(practice.organization.tokens["auditor"]) as auditor:
        assert len((await auditor.get(absence["path"])).json()["affected"]) == 1


async def test_a_block_in_the_way_is_named_and_its_time_falls_to_the_absence(practice: Practice) -> None:
    body = {"kind": "meeting", "practitioner_ids": [practice.made["ana"]], "start": at(9), "end": at(10)}
    block = (await practice.admin.post(f"{API}/blocks", json=body)).json()
    visit = await practice.book(at(8))
    absence = await recorded(practice, "practitioners", "ana", 8, 12)
    assert [(each["kind"], each["id"], each["status"]) for each in absence["affected"]] == [
        ("appointment", visit["id"], "scheduled"), ("block", block["id"], "block"),
    ]  # fmt: skip
    assert (await practice.admin.get(absence["path"])).json()["affected"] == absence["affected"]
    assert await held(practice, "ana") == [(absence["id"], at(10), at(12))]
    shorter = await practice.admin.patch(f"{API}/blocks/{block['id']}", json={"end": at(9.5)})
    assert shorter.status_code == 200, shorter.text
    assert await held(practice, "ana") == [
        (absence["id"], at(9.5), at(10)), (absence["id"], at(10), at(12)),
    ]  # fmt: skip
    await practice.admin.delete(f"{API}/blocks/{block['id']}")
    assert (await held(practice, "ana"))[0] == (absence["id"], at(9), at(9.5))
    room = await recorded(practice, "rooms", "room 1", 8, 9)
    assert room["affected"][0]["id"] == visit["id"]

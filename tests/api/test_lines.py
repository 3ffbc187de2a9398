"""Visits of several lines: who joins, changes and leaves; who is absent; what payers allow side by side."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from api.people import Client
from api.practice import VISITS, Practice, at, monday

from holdfast.slot import rfc3339


@pytest.fixture
async def supervised(practice: Practice) -> Practice:
    """Cleo supervises (97155); a payer allows that beside 97153; Pat has an authorization for both."""
    await practice.make(
        "practitioners", "cleo", name="Cleo", credentials=[{"code": "BCBA"}], buffer_minutes=10
    )
    await practice.make(
        "services", "supervision", name="Supervision", code="97155", duration_minutes=30, authorization_required=True,
        required_credentials=["BCBA"], locations=["on_site", "home"],
    )  # fmt: skip
    await practice.make(
        "services", "guidance", name="Guidance", code="97156", duration_minutes=60, attendance="caregiver"
    )
    await practice.change("payers", "payer", concurrent_pairs=[["97153", "97155"]])
    await practice.make(
        "authorizations", "supervision units", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
        service_codes=["97155"], total_units=8, start_date=str(monday()), end_date=str(monday()),
    )  # fmt: skip
    return practice


def line(practice: Practice, practitioner: str, service: str, **more: Any) -> dict[str, Any]:
    return {
        "practitioner_id": practice.made[practitioner], "service_id": practice.made[service], **more,
    }  # fmt: skip


async def joined(practice: Practice, visit: Any, body: dict[str, Any]) -> Any:
    answer = await practice.admin.post(f"{VISITS}/{visit['id']}/lines", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def changed(practice: Practice, visit: Any, line_no: int, **fields: Any) -> httpx2.Response:
    return await practice.admin.patch(f"{VISITS}/{visit['id']}/lines/{line_no}", json=fields)


async def test_a_supervisor_joins_and_leaves(supervised: Practice) -> None:
    """Two lines that overlap: the patient and the room are claimed once, each practitioner for their own line."""
    visit = await supervised.book(at(9), service_id="funded", room_id="room 1")
    visit = await joined(
        supervised, visit, line(supervised, "cleo", "supervision", start=at(9.25), end=at(9.75))
    )
    assert [each["line_no"] for each in visit["lines"]] == [1, 2]
    assert (visit["start"], visit["end"], visit["version"]) == (at(9), at(10), 2)
    assert (visit["practitioner_id"], visit["units_reserved"]) == (supervised.made["ana"], 6)
    assert (visit["lines"][1]["buffer_minutes"], visit["assignment"]["method"]) == (10, "manual")
    assert await supervised.claims(visit) == [
        ("ana", "visit", "09:00", "10:00"), ("cleo", "visit", "09:15", "09:55"), ("pat", "visit", "09:00", "10:00"),
        ("room 1", "turnover", "10:00", "10:10"), ("room 1", "visit", "09:00", "10:00"),
    ]  # fmt: skip
    assert await supervised.units("supervision units") == (2, 6)
    refused = await supervised.refused(at(9.5), practitioner_id="cleo", patient_id="quin")
    assert refused["code"] == "practitioner_conflict"

    left = await supervised.admin.delete(f"{VISITS}/{visit['id']}/lines/2")
    assert [each["line_no"] for each in (await supervised.done(left))["lines"]] == [1]
    assert await supervised.units("supervision units") == (0, 8)
    assert await supervised.entries("supervision units") == [("reserve", 2), ("release", 2)]
    await supervised.book(at(9.5), practitioner_id="cleo", patient_id="quin", room_id="room 2")


async def test_all_lines_are_booked_or_none(supervised: Practice) -> None:
    """Sequential services in one sitting: one claim of the patient, tails only at the outer ends of a practitioner's work."""
    second = line(supervised, "ben", "talk", start=at(10), duration_minutes=30)
    visit = await supervised.book(at(9), practitioner_id="ben", lines=[second], room_id="room 2")
    assert (visit["start"], visit["end"]) == (at(9), at(10.5))
    assert [each["buffer_minutes"] for each in visit["lines"]] == [0, 15]
    assert await supervised.claims(visit) == [
        ("ben", "visit", "09:00", "10:00"), ("ben", "visit", "10:00", "10:45"), ("pat", "visit", "09:00", "10:30"),
        ("room 2", "visit", "09:00", "10:30"),
    ]  # fmt: skip
    refused = await supervised.refused(
        at(9), patient_id="quin", lines=[line(supervised, "ben", "talk", start=at(10))], room_id="room 1"
    )
    assert [each["code"] for each in refused["reasons"]] == ["practitioner_conflict"]
    assert refused["alternatives"]["slots"][0]["practitioner_id"] == supervised.made["ana"]
    rows = await supervised.stored("select 1 from appointments where organization_id = $1")
    assert len(rows) == 1


async def test_the_first_of_the_lines_may_be_the_visit_itself(practice: Practice) -> None:
    whole = [line(practice, "ana", "talk", start=at(9), end=at(9.5)), line(practice, "ben", "talk")]
    visit = await practice.book(at(9), lines=whole)
    assert [(each["start"], each["end"]) for each in visit["lines"]] == [(at(9), at(9.5))] * 2


async def test_nobody_gives_two_lines_at_once(practice: Practice) -> None:
    refused = await practice.refused(at(9), lines=[line(practice, "ana", "talk", start=at(9.5))])
    assert refused["code"] == "practitioner_conflict"
    assert "two lines at once" in refused["detail"]


@pytest.mark.parametrize(
    ("policy", "pairs", "status"),
    [("deny", [], 409), ("deny", [["97153", "97155"]], 201), ("allow", [], 201), ("nonbillable", [], 201)],
)
async def test_side_by_side_as_the_payer_allows(
    supervised: Practice, policy: str, pairs: list[Any], status: int
) -> None:
    await supervised.change("payers", "payer", concurrent_policy=policy, concurrent_pairs=pairs)
    body = supervised.booking(at(9), service_id="funded", lines=[line(supervised, "cleo", "supervision")])
    answer = await supervised.admin.post(VISITS, json=body)
    assert answer.status_code == status, answer.text
    if status == 409:
        problem = supervised.problem(answer, 409)
        assert problem["code"] == "concurrent_not_allowed"
        assert (problem["reasons"][0]["line_no"], problem["reasons"][0]["beside_line_no"]) == (2, 1)
        # In sequence the payer pays for both.
        body["lines"][0] |= {"start": at(10)}
        assert (await supervised.admin.post(VISITS, json=body)).status_code == 201
    else:
        second = answer.json()["lines"][1]
        is_paid = policy != "nonbillable"
        assert (second["billable"], second["units_reserved"]) == (is_paid, 2 if is_paid else 0)
        assert await supervised.units("supervision units") == ((2, 6) if is_paid else (0, 8))


async def test_two_lines_share_what_an_authorization_has(supervised: Practice) -> None:
    """Each alone would fit; together they do not, and nothing is taken."""
    refused = await supervised.refused(
        at(9), service_id="supervision", practitioner_id="cleo", duration_minutes=75,
        lines=[line(supervised, "cleo", "supervision", start=at(10.25), duration_minutes=60)],
    )  # fmt: skip
    assert (refused["code"], refused["available"], refused["requested"]) == ("insufficient_units", 3, 4)
    assert await supervised.units("supervision units") == (0, 8)


async def test_who_is_absent_takes_no_time(supervised: Practice) -> None:
    """Guidance is given to the caregiver: the patient can be elsewhere meanwhile."""
    rosa = await supervised.make("contacts", "rosa", name="Rosa")
    contacts = [{"contact_id": rosa, "relationship": "parent"}]
    await supervised.change("patients", "pat", contacts=contacts)
    await supervised.change("patients", "quin", contacts=contacts)
    visit = await supervised.book(at(9), service_id="guidance", caregiver_id="rosa", room_id="room 2")
    assert (visit["lines"][0]["patient_present"], visit["lines"][0]["caregiver_id"]) == (False, rosa)
    assert await supervised.claims(visit) == [
        ("ana", "visit", "09:00", "10:00"), ("room 2", "visit", "09:00", "10:00"), ("rosa", "visit", "09:00", "10:00"),
    ]  # fmt: skip
    await supervised.book(at(9), practitioner_id="ben", room_id="room 1")
    # Rosa is Quin's too, and cannot be at two places.
    refused = await supervised.refused(
        at(9.5), service_id="guidance", patient_id="quin", practitioner_id="cleo", caregiver_id="rosa"
    )
    assert [each["code"] for each in refused["reasons"]] == ["caregiver_conflict", "no_room_available"]
    assert [each["kind"] for each in refused["conflicts"]] == ["caregiver"]
    # The child comes in, and takes part in another hour.
    visit = await supervised.done(
        await changed(supervised, visit, 1, patient_present=True, start=at(10), end=at(10.5))
    )
    assert ("pat", "visit", "10:00", "10:30") in await supervised.claims(visit)


async def test_a_caregiver_is_the_patients(supervised: Practice) -> None:
    await supervised.make("contacts", "nobody's", name="Nobody")
    body = supervised.booking(at(9), service_id="guidance", caregiver_id="nobody's")
    problem = supervised.problem(await supervised.admin.post(VISITS, json=body), 404)
    assert problem["field"] == "caregiver_id"


async def test_a_home_visit_with_a_drive_before_it(practice: Practice) -> None:
    visit = await practice.book(
        at(9), service_id="funded", location="home", practitioner_id="ben", travel_before_minutes=30
    )
    assert visit["lines"][0]["travel_before_minutes"] == 30
    assert await practice.claims(visit) == [
        ("ben", "visit", "08:30", "10:15"), ("pat", "visit", "09:00", "10:00"),
    ]  # fmt: skip
    refused = await practice.refused(at(8), patient_id="quin", practitioner_id="ben")
    assert refused["code"] == "practitioner_conflict"
    # Before eight Ben does not work, yet may be on the road.
    early = await practice.book(
        at(8, 1), service_id="funded", location="home", practitioner_id="ben", travel_before_minutes=60
    )
    on_site = await practice.done(await practice.move(early, location="on_site"))
    assert on_site["lines"][0]["travel_before_minutes"] == 0
    for wrong in ("on_site", "telehealth"):
        body = practice.booking(at(12), service_id="funded", location=wrong, travel_before_minutes=5)
        problem = practice.problem(await practice.admin.post(VISITS, json=body), 422)
        assert problem["errors"][0]["field"] == "travel_before_minutes"


async def test_a_visit_moves_with_all_its_lines(supervised: Practice) -> None:
    visit = await supervised.book(
        at(9), service_id="funded", lines=[line(supervised, "cleo", "supervision", start=at(9.25), end=at(9.75))]
    )  # fmt: skip
    await supervised.done(await supervised.call(visit, "confirm"))
    moved = await supervised.done(await supervised.move(visit, start=at(13)))
    assert (moved["status"], moved["start"], moved["end"]) == ("scheduled", at(13), at(14))
    assert (moved["lines"][1]["start"], moved["lines"][1]["end"]) == (at(13.25), at(13.75))
    shorter = await supervised.done(await supervised.move(moved, end=at(13.5)))
    assert [each["end"] for each in shorter["lines"]] == [at(13.5), at(13.5)]
    problem = supervised.problem(await supervised.move(shorter, end=at(13.25)), 422)
    assert "line 2" in problem["errors"][0]["message"]
    assert await supervised.units("supervision units") == (1, 7)


async def test_a_line_changes_alone(supervised: Practice) -> None:
    visit = await supervised.book(at(9), service_id="funded", lines=[line(supervised, "cleo", "supervision")])
    await supervised.done(await supervised.call(visit, "confirm"))
    visit = await supervised.done(await changed(supervised, visit, 2, start=at(9.5)))
    assert (visit["lines"][1]["start"], visit["lines"][1]["end"]) == (at(9.5), at(10))
    assert visit["status"] == "confirmed", "the patient comes and goes as before"
    visit = await supervised.done(await changed(supervised, visit, 2, end=at(10.5)))
    assert (visit["status"], visit["end"]) == ("scheduled", at(10.5))
    refused = supervised.problem(
        await changed(supervised, visit, 2, practitioner_id=supervised.made["ben"]), 409
    )
    assert refused["code"] == "credential_missing"
    unbilled = await supervised.done(await changed(supervised, visit, 2, billable=False))
    assert (unbilled["lines"][1]["units_reserved"], unbilled["lines"][1]["authorization_id"]) == (0, None)


async def test_whoever_gives_the_visit_hands_over_all_they_give(supervised: Practice) -> None:
    lines = [line(supervised, "ana", "talk", start=at(10)), line(supervised, "cleo", "supervision")]
    visit = await supervised.book(at(9), service_id="funded", lines=lines)
    moved = await supervised.done(await supervised.move(visit, practitioner_id="ben"))
    names = {made: called for called, made in supervised.made.items()}
    assert [names[each["practitioner_id"]] for each in moved["lines"]] == ["ben", "ben", "cleo"]


async def test_early_completion_trims_every_line(supervised: Practice) -> None:
    """A line that had not begun has left the visit; its units are given back."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    await supervised.change("clinics", "clinic", opening_hours=[])
    for name in ("ana", "ben"):
        await supervised.change("practitioners", name, working_hours=[])

    def when(minutes: int) -> str:
        return rfc3339(int(now.timestamp()) + minutes * 60)

    visit = await supervised.book(
        when(-90), duration_minutes=180, room_id="room 1",
        lines=[line(supervised, "ben", "talk", start=when(-60), end=when(60)),
               line(supervised, "ana", "talk", start=when(90), end=when(120))],
    )  # fmt: skip
    done = await supervised.done(await supervised.call(visit, "complete", at=when(-30)))
    assert [(each["line_no"], each["end"], each["minutes_actual"]) for each in done["lines"]] == [
        (1, when(-30), 60), (2, when(-30), 30),
    ]  # fmt: skip
    rows = await supervised.stored(
        "select resource_id::text, kind, ends_at from claims where organization_id = $1 and appointment_id = $2",
        visit["id"],
    )
    names = {made: called for called, made in supervised.made.items()}
    assert {(names[row[0]], row[1]): row[2].strftime("%Y-%m-%dT%H:%M:%SZ") for row in rows} == {
        ("pat", "visit"): when(-30), ("ana", "visit"): when(-30), ("ben", "visit"): when(-15),
        ("room 1", "visit"): when(-30), ("room 1", "turnover"): when(-20),
    }  # fmt: skip


async def test_what_lines_refuse(supervised: Practice, client: Client) -> None:
    visit = await supervised.book(at(9), service_id="funded")
    first = await supervised.admin.delete(f"{VISITS}/{visit['id']}/lines/1")
    assert supervised.problem(first, 422)["errors"][0]["field"] == "line_no"
    for missing in ("2", "x", "999"):
        answer = await supervised.admin.delete(f"{VISITS}/{visit['id']}/lines/{missing}")
        assert supervised.problem(answer, 404)["field"] == "line_no"
    path = f"{VISITS}/{visit['id']}/lines"
    for fields, field in (
        ({"start": at(10), "end": at(9)}, "end"),
        ({"end": at(10), "duration_minutes": 5}, "duration_minutes"),
        ({"patient_present": False}, "patient_present"),
        ({"travel_before_minutes": 10}, "travel_before_minutes"),
        ({"travel_before_minutes": 121}, "travel_before_minutes"),
        ({"nonsense": 1}, "nonsense"),
    ):
        answer = await supervised.admin.post(path, json=line(supervised, "cleo", "supervision", **fields))
        assert supervised.problem(answer, 422)["errors"][0]["field"] == field, fields
    body = supervised.booking(at(12), lines=[line(supervised, "cleo", "talk") | {"service_id": visit["id"]}])
    assert (
        supervised.problem(await supervised.admin.post(VISITS, json=body), 404)["field"]
        == "lines[0].service_id"
    )
    async with client(supervised.organization.tokens["practitioner"]) as own:
        answer = await own.post(path, json=line(supervised, "cleo", "supervision"))
        assert answer.status_code == 403, answer.text
    await supervised.done(await supervised.call(visit, "cancel"))
    answer = await supervised.admin.post(path, json=line(supervised, "cleo", "supervision"))
    assert supervised.problem(answer, 409)["code"] == "illegal_transition"

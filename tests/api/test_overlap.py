"""A practitioner who can have several visits at once: the second lies beside the first only for a reason, or if its service
is made for it; and never more than there are seats."""

from typing import Any

import httpx2
import pytest
from api.people import Client
from api.practice import VISITS, Practice, at

_REASON = {"reason": "Ana watches both exercises."}


@pytest.fixture
async def two_seats(practice: Practice) -> Practice:
    answer = await practice.admin.patch(
        f"/api/v1/practitioners/{practice.made['ana']}", json={"concurrent_visits_max": 2}
    )
    await practice.done(answer)
    return practice


async def book_beside(practice: Practice, **more: Any) -> httpx2.Response:
    """Half an hour into Ana's visit of nine o'clock."""
    return await practice.admin.post(VISITS, json=practice.booking(at(9.5), patient_id="quin", **more))


async def test_an_overlap_takes_a_reason(two_seats: Practice) -> None:
    first = await two_seats.book(at(9))
    refused = two_seats.problem(await book_beside(two_seats), 409)
    assert (refused["code"], refused["reasons"][0]["may_overlap"]) == ("practitioner_conflict", True)
    assert [each["appointment_id"] for each in refused["conflicts"]] == [first["id"]]
    beside = await book_beside(two_seats, allow_overlap=_REASON)
    assert beside.status_code == 201, beside.text
    (kept,) = await two_seats.stored(
        "select detail from audit where organization_id = $1 and action = 'booked' and detail ? 'reason_encrypted'"
    )
    assert "exercises" not in kept["detail"]
    seats = await two_seats.stored(
        "select seat from claims where organization_id = $1 and resource_id = $2 order by seat",
        two_seats.made["ana"],
    )
    assert [row["seat"] for row in seats] == [0, 1]


async def test_no_reason_makes_a_third_seat(two_seats: Practice) -> None:
    await two_seats.book(at(9))
    assert (await book_beside(two_seats, allow_overlap=_REASON)).status_code == 201
    await two_seats.make("patients", "third", given_name="T", family_name="Person", birth_date="2015-05-05")
    third = two_seats.booking(at(9.75), patient_id="third", allow_overlap=_REASON)
    refused = two_seats.problem(await two_seats.admin.post(VISITS, json=third), 409)
    assert refused["code"] == "practitioner_conflict"
    assert "may_overlap" not in refused["reasons"][0]


async def test_a_service_may_share_its_practitioner(two_seats: Practice) -> None:
    await two_seats.done(await two_seats.admin.patch(
        f"/api/v1/services/{two_seats.made['talk']}", json={"shares_practitioner": True}))  # fmt: skip
    await two_seats.book(at(9))
    assert (await book_beside(two_seats)).status_code == 201


async def test_what_overlaps_may_stay_and_leaves_only_for_a_reason(two_seats: Practice) -> None:
    """Another room, or less time: nothing new lies beside anything. Another time asks again."""
    await two_seats.book(at(9), room_id="room 1")
    beside = (await book_beside(two_seats, allow_overlap=_REASON, room_id="room 2")).json()
    shorter = await two_seats.done(await two_seats.move(beside, end=at(10.25)))
    refused = two_seats.problem(await two_seats.move(shorter, start=at(9.25)), 409)
    assert refused["reasons"][0]["may_overlap"] is True
    await two_seats.done(await two_seats.move(shorter, start=at(9.25), allow_overlap=_REASON))


async def test_only_who_may_override_may_overlap(two_seats: Practice, client: Client) -> None:
    await two_seats.book(at(9))
    async with client(two_seats.organization.tokens["practitioner"]) as own:
        body = two_seats.booking(at(9.5), patient_id="quin", allow_overlap=_REASON)
        assert (await own.post(VISITS, json=body)).status_code == 403
    empty = await book_beside(two_seats, allow_overlap={"reason": ""})
    assert two_seats.problem(empty, 422)["errors"][0]["field"] == "allow_overlap.reason"

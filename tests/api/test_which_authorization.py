"""Which authorization a booking takes, and whether it takes one: the patient's coverages and their payers decide."""

from datetime import timedelta
from typing import Any

import pytest
from api.practice import API, Practice, at, monday


async def payer(practice: Practice, called: str, **more: Any) -> str:
    return await practice.make("payers", called, name=called.title(), **more)


async def authorize(practice: Practice, called: str, of: str, **more: Any) -> str:
    """Thirty days from Monday, for therapy, unless it is said otherwise."""
    fields: dict[str, Any] = {
        "patient_id": practice.made["quin"], "payer_id": practice.made[of], "service_codes": ["97153"],
        "total_units": 40, "start_date": str(monday()), "end_date": str(monday() + timedelta(days=30)),
    } | more  # fmt: skip
    return await practice.make("authorizations", called, **fields)


async def cover(practice: Practice, *held: tuple[str, int, int | None, int | None]) -> None:
    """Payer, rank, from and until as days after Monday."""

    def on(days: int | None) -> str | None:
        return None if days is None else str(monday() + timedelta(days=days))

    await practice.change("patients", "quin", coverages=[
        {"payer_id": practice.made[of], "rank": rank, "valid_from": on(since), "valid_to": on(until)}
        for of, rank, since, until in held
    ])  # fmt: skip


async def active(practice: Practice, day: int = 0, code: str = "97153") -> str | int:
    asked = {
        "patient_id": practice.made["quin"], "service_code": code, "date": str(monday() + timedelta(days=day))
    }  # fmt: skip
    answer = await practice.admin.get(f"{API}/authorizations/active", params=asked)
    return answer.json()["id"] if answer.status_code == 200 else answer.status_code


async def booked(practice: Practice, day: int = 0, hour: float = 9) -> Any:
    """What a booking of that day uses, which is what /active says it would."""
    foretold = await active(practice, day)
    visit = await practice.book(at(hour, day), patient_id="quin", service_id="funded")
    assert visit["authorization_id"] == foretold
    return visit["authorization_id"]


@pytest.fixture
async def insured(practice: Practice) -> Practice:
    """Quin, with an authorization of each of three payers; that of the last ends first."""
    for number, called in enumerate(("sun", "moon", "star")):
        await payer(practice, called)
        until = str(monday() + timedelta(days=30 - number))
        await authorize(practice, f"by {called}", called, end_date=until)
    return practice


async def test_the_payer_who_is_asked_first_that_day_pays(insured: Practice) -> None:
    made = insured.made
    assert await booked(insured) == made["by star"], "without coverage: the earliest end"
    await cover(insured, ("sun", 1, None, 0), ("moon", 1, 1, None), ("sun", 2, 1, 3))
    assert await booked(insured, 0, 11) == made["by sun"]
    assert await booked(insured, 1) == made["by moon"]
    await insured.admin.post(f"{API}/payers", json={"name": "Another"})
    await cover(insured, ("sun", 2, None, None), ("star", 1, 3, None))
    assert await booked(insured, 2) == made["by sun"], "one without coverage comes last"
    assert await booked(insured, 3) == made["by star"]
    await cover(insured)
    assert await booked(insured, 4) == made["by star"]


async def test_a_full_or_pending_one_is_passed_over(insured: Practice) -> None:
    await cover(insured, ("sun", 1, None, None), ("moon", 2, None, None))
    small = await authorize(insured, "small", "sun", total_units=3)
    await authorize(insured, "pending", "sun", status="pending", end_date=str(monday()))
    assert await active(insured) == small, "one unit fits"
    visit = await insured.book(at(9), patient_id="quin", service_id="funded")
    assert visit["authorization_id"] == insured.made["by sun"], "four do not"
    assert await insured.units("by sun") == (4, 36)


async def test_a_move_to_another_day_keeps_what_still_pays(insured: Practice) -> None:
    """An authorization is not exchanged for another while it is good; one that ends is."""
    await cover(insured, ("sun", 1, None, 2), ("moon", 1, 3, None))
    visit = await insured.book(at(9), patient_id="quin", service_id="funded")
    moved = await insured.done(await insured.move(visit, start=at(9, 3)))
    assert moved["authorization_id"] == visit["authorization_id"] == insured.made["by sun"]


async def test_units_are_counted_alike_or_not_at_all(practice: Practice) -> None:
    await payer(practice, "sun")
    daily = await authorize(practice, "daily", "sun", unit_basis="day")
    refused = await practice.refused(at(9), patient_id="quin", service_id="funded")
    assert refused["code"] == "authorization_mismatch"
    assert await active(practice) == 404
    named = await practice.refused(at(9), patient_id="quin", service_id="funded", authorization_id=daily)
    assert named["code"] == "authorization_mismatch"
    await authorize(practice, "timed", "sun")
    assert await booked(practice) == practice.made["timed"]


async def test_a_payer_may_ask_for_an_authorization_that_the_service_does_not(practice: Practice) -> None:
    """Only the one who is asked first that day; who pays for themselves needs none."""
    await payer(practice, "strict", codes_needing_authorization=["TALK"])
    await payer(practice, "easy")
    assert (await practice.book(at(9), patient_id="quin"))["authorization_id"] is None
    await cover(practice, ("strict", 1, 1, 3), ("easy", 2, None, None))
    assert (await practice.book(at(10), patient_id="quin"))["authorization_id"] is None
    refused = await practice.refused(at(10, 1), patient_id="quin")
    assert refused["code"] == "authorization_missing"
    slots = (await practice.admin.get(f"{API}/availability", params={
        "clinic_id": practice.made["clinic"], "service_id": practice.made["talk"], "patient_id": practice.made["quin"],
        "start_date": str(monday()), "end_date": str(monday() + timedelta(days=4)), "limit": 500,
    })).json()["slots"]  # fmt: skip
    days = {n for n in range(5) for slot in slots if at(0, n) <= slot["start"] < at(0, n + 1)}
    assert days == {0, 4}, "what is offered can be booked"
    given = await authorize(practice, "talks", "strict", service_codes=["TALK"])
    visit = await practice.book(at(10, 1), patient_id="quin")
    assert (visit["authorization_id"], visit["units_reserved"]) == (given, 4)
    await cover(practice, ("strict", 2, None, None), ("easy", 1, None, None))
    assert (await practice.book(at(12, 2), patient_id="quin"))["authorization_id"] is None
    await practice.change("payers", "easy", codes_needing_authorization=["TALK"])
    assert (await practice.book(at(14, 2), patient_id="quin"))["authorization_id"] == given

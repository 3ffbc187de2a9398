"""Units by signing: what a session uses, what stays unfunded, and what becomes of the day's others."""

import asyncio
from datetime import timedelta

import pytest
from api.given import SESSIONS, TODAY, Given, on
from api.practice import API


async def test_more_than_was_planned_is_reserved_and_then_used(given: Given) -> None:
    visit = await given.visit()
    await given.signed(await given.draft(visit), minutes_actual=90)
    assert await given.line(visit) == ("signed", 90, 0, 6, 0)
    assert await given.practice.entries() == [("reserve", 4), ("reserve", 2), ("consume", 6)]


async def test_signing_is_never_refused_for_lack_of_units(given: Given) -> None:
    """What is reserved and what is left are used; the rest is the line's, never the counters', and on a work list."""
    await given.practice.stored("update authorizations set total_units = 5 where organization_id = $1")
    visit = await given.visit()
    session = await given.draft(visit)
    signed = await given.signed(session, minutes_actual=120)
    assert (signed["units_used"], signed["unfunded_units"]) == (5, 3)
    assert await given.counters() == (5, 0, 0)
    items = (await given.clients["ana"].get(f"{SESSIONS}/{session['id']}/versions")).json()["items"]
    (version,) = items
    assert (version["unfunded_units"], version["unfunded_reason"]) == (3, "insufficient_units")
    assert version["author_id"] == given.practice.made["ana's user"]
    listed = (await given.practice.admin.get(f"{API}/worklists/unfunded_units")).json()["items"]
    assert [each["appointment"]["id"] for each in listed] == [visit["id"]]


async def test_an_exhausted_authorization_does_not_block_what_it_holds(given: Given) -> None:
    """`exhausted` is a status of counting: used = total. What other visits hold of it is used all the same."""
    await given.practice.stored("update authorizations set total_units = 8 where organization_id = $1")
    first, second = await given.visit(8), await given.visit(10)
    await given.signed(await given.draft(first))
    assert await given.counters() == (4, 4, 0)
    await given.signed(await given.draft(second))
    assert await given.counters() == (8, 0, 0)
    found = await given.practice.admin.get(f"{API}/authorizations/{given.practice.made['authorization']}")
    assert found.json()["status"] == "exhausted"


@pytest.mark.parametrize(
    "how", ["end_date = current_date - 5, start_date = current_date - 9", "approval = 'cancelled'"]
)
async def test_what_was_reserved_is_used_whatever_became_of_the_authorization(given: Given, how: str) -> None:
    """What it held it pays; beyond that it pays nothing any more."""
    visit = await given.visit()
    await given.practice.stored(f"update authorizations set {how} where organization_id = $1")
    session = await given.draft(visit)
    signed = await given.signed(session, minutes_actual=75)
    assert (signed["units_used"], signed["unfunded_units"]) == (4, 1)
    assert await given.counters() == (4, 0, 16)
    (version,) = (await given.clients["ana"].get(f"{SESSIONS}/{session['id']}/versions")).json()["items"]
    assert version["unfunded_reason"] in {"authorization_expired", "authorization_inactive"}


async def test_a_missed_visit_releases_and_uses_nothing(given: Given) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    await given.practice.done(await given.practice.call(visit, "no-show"))
    assert await given.counters() == (0, 0, 20)
    assert (await given.sign(session)).json()["code"] == "illegal_transition"
    assert await given.practice.entries() == [("reserve", 4), ("release", 4)]


async def test_other_times_are_priced_anew_before_and_when_it_is_signed(given: Given) -> None:
    visit = await given.visit()
    session = await given.draft(visit)
    await given.practice.done(await given.practice.move(visit, end=on(-1, 14)))
    assert await given.counters() == (0, 8, 12)
    await given.practice.done(
        await given.practice.call(visit, "complete", lines=[{"line_no": 1, "minutes_actual": 38}])
    )
    signed = await given.signed(session)
    assert (signed["minutes_actual"], signed["units_used"]) == (38, 3)
    assert await given.counters() == (3, 0, 17)


@pytest.mark.parametrize(
    ("rounding", "used"), [("cpt_midpoint", 2), ("cms_8_minute", 2), ("full_units", 1), ("ceil", 2)]
)
async def test_the_payer_says_how_minutes_are_rounded(given: Given, rounding: str, used: int) -> None:
    await given.practice.change("payers", "payer", rounding=rounding)
    signed = await given.signed(await given.draft(await given.visit()), minutes_actual=23)
    assert signed["units_used"] == used


@pytest.mark.parametrize(("basis", "both"), [("visit", 2), ("day", 1)])
async def test_a_visit_and_a_day_count_one(given: Given, basis: str, both: int) -> None:
    """Of two visits on a day the first counts a day, whichever is signed first: the other's is given back."""
    practice = given.practice
    await practice.make(
        "services", "speech", name="Speech", code="92507", duration_minutes=45, authorization_required=True,
        unit_basis=basis,
    )  # fmt: skip
    await practice.make(
        "authorizations", "of speech", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
        service_codes=["92507"], unit_basis=basis, total_units=10, start_date=str(TODAY - timedelta(days=5)),
        end_date=str(TODAY + timedelta(days=5)),
    )  # fmt: skip
    early, late = [await given.visit(hour, 45, service_id="speech") for hour in (9, 15)]
    await given.signed(await given.draft(late))
    assert await given.counters("of speech") == (1, 1, 8)
    await given.signed(await given.draft(early))
    assert await given.counters("of speech") == (both, 0, 10 - both)
    assert (await given.line(early))[3] == 1
    assert (await given.line(late))[3] == both - 1


async def by_day(given: Given, total: int) -> None:
    """Two codes of one payer who counts the day's minutes together."""
    practice = given.practice
    await practice.change("payers", "payer", rounding="cms_8_minute", rounding_scope="day")
    await practice.make(
        "services", "manual", name="Manual", code="97140", duration_minutes=15, authorization_required=True
    )
    await practice.make(
        "authorizations", "of manual", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
        service_codes=["97140"], total_units=total, start_date=str(TODAY - timedelta(days=5)),
        end_date=str(TODAY + timedelta(days=5)),
    )  # fmt: skip


async def test_by_day_signing_prices_the_days_others_anew(given: Given) -> None:
    """33 and 7 minutes are 3 units, the remainder to the most minutes; with 8 more in the evening the 7 lose theirs."""
    await by_day(given, 10)
    morning, noon = await given.visit(8, 33), await given.visit(12, 7, service_id="manual")
    evening = await given.visit(17, 15)
    await given.signed(await given.draft(noon))
    assert (await given.line(noon))[3:] == (0, 0)
    await given.signed(await given.draft(morning))
    assert ((await given.line(morning))[3], (await given.line(noon))[3]) == (2, 1)
    assert await given.practice.entries("of manual") == [("reserve", 1), ("release", 1), ("adjust", 1)]
    before = await given.practice.get(noon)
    await given.signed(await given.draft(evening), minutes_actual=12)
    # 33 + 7 + 12 = 52 minutes are 3 units: two for the 33, the third for the 12.
    assert [(await given.line(each))[3] for each in (morning, noon, evening)] == [2, 0, 1]
    assert (await given.practice.get(noon))["version"] == before["version"] + 1
    assert await given.practice.entries("of manual") == [
        ("reserve", 1), ("release", 1), ("adjust", 1), ("adjust", -1),
    ]  # fmt: skip
    assert await given.counters("of manual") == (0, 0, 10)


async def test_by_day_what_has_run_out_becomes_unfunded(given: Given) -> None:
    await by_day(given, 1)
    noon = await given.visit(12, 7, service_id="manual")
    await given.signed(await given.draft(noon))
    taken = await given.visit(14, 15, day=1, service_id="manual")
    morning = await given.visit(8, 33)
    await given.signed(await given.draft(morning))
    assert (await given.line(noon))[3:] == (0, 1)
    assert await given.counters("of manual") == (0, 1, 0)
    await given.practice.done(await given.practice.call(taken, "cancel"))
    assert (await given.line(noon))[3:] == (0, 1)


async def test_another_days_and_another_patients_sessions_are_left_alone(given: Given) -> None:
    await by_day(given, 10)
    before = await given.visit(12, 7, day=-2, service_id="manual")
    await given.signed(await given.draft(before))
    await given.signed(await given.draft(await given.visit(8, 33)))
    assert (await given.line(before))[3:] == (0, 0)


async def test_amended_minutes_adjust_the_units(given: Given) -> None:
    await given.practice.stored("update authorizations set total_units = 6 where organization_id = $1")
    visit = await given.visit()
    session = await given.draft(visit)
    await given.signed(session)
    found = []
    for minutes in (38, 120, 75, 100):
        amended = await given.practice.done(
            await given.amend(session, minutes_actual=minutes, reason="Another clock")
        )
        found.append((amended["units_used"], amended["unfunded_units"], await given.counters()))
    assert found == [(3, 0, (3, 0, 3)), (6, 2, (6, 0, 0)), (5, 0, (5, 0, 1)), (6, 1, (6, 0, 0))]
    assert await given.practice.entries() == [
        ("reserve", 4), ("consume", 4), ("adjust", -1), ("adjust", 3), ("adjust", -1), ("adjust", 1),
    ]  # fmt: skip
    versions = (await given.clients["ana"].get(f"{SESSIONS}/{session['id']}/versions")).json()["items"]
    assert [each["minutes_actual"] for each in versions] == [60, 38, 120, 75, 100]


async def test_all_sessions_of_a_day_signed_at_once_count_as_one_after_another(given: Given) -> None:
    await by_day(given, 10)
    visits = [
        await given.visit(8, 33),
        await given.visit(12, 7, service_id="manual"),
        await given.visit(15, 20),
    ]
    sessions = [await given.draft(visit) for visit in visits]
    answers = await asyncio.gather(*(given.sign(session) for session in sessions))
    assert {answer.status_code for answer in answers} == {200}
    # 60 minutes are 4 units: 2 and 1 full ones, and the fourth to the 7 minutes, of which most is left.
    assert [(await given.line(visit))[3] for visit in visits] == [2, 1, 1]

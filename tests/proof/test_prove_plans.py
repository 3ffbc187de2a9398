"""What each scenario asks for: the same for the same seed, and such that it shows what it is to show. No server."""

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from holdfast.proof.bench.data import monday
from holdfast.proof.driver import due_after
from holdfast.proof.prove import units
from holdfast.proof.prove.bookings import Asked, Bookings, Times
from holdfast.proof.prove.client import Address
from holdfast.proof.prove.organization import Furniture, Organization
from holdfast.proof.prove.profiles import SCENARIOS
from holdfast.proof.prove.rule_documents import HOURS, rules
from holdfast.proof.prove.scenarios import combined, conflict, mixed, storm
from holdfast.proof.prove.scenarios import rules as rules_scenario
from holdfast.proof.prove.units import Account, Units

FIRST = datetime(2030, 1, 7, tzinfo=UTC)


def organization(furniture: Furniture = storm.FURNITURE) -> Organization:
    def some(what: str, count: int) -> tuple[str, ...]:
        return tuple(f"{what}-{n}" for n in range(count))

    return Organization(
        furniture=furniture, address=Address(host="host", port=1), id="o", email="e", password="p", first=FIRST, clinic="c",
        service="s", rooms=some("room", furniture.rooms), practitioners=some("person", furniture.practitioners),
        patients=some("patient", furniture.patients), authorizations=some("units", len(furniture.authorizations)),
    )  # fmt: skip


def bookings(seed: int = 1, furniture: Furniture = storm.FURNITURE) -> Bookings:
    return Bookings(organization(furniture), "token", seed, "plan")


def accounts(count: int = 55) -> list[Account]:
    return [Account({"host": "host"}, f"units-{n}") for n in range(count)]


PLANS: dict[str, Callable[[int], Asked]] = {
    "storm": lambda seed: bookings(seed).planned(500),
    "conflict": lambda seed: bookings(seed, conflict.FURNITURE).races(10, conflict.RIVALS),
    "contention": lambda seed: Units(accounts(), seed, "plan").one(100, 10),
    "throughput": lambda seed: Units(accounts(), seed, "plan").spread(500, 5),
    "mixed": lambda seed: Units(accounts(), seed, "plan").mixed(500),
    "combined": lambda seed: combined.interleaved([bookings(seed).planned(50), Units(accounts(), seed, "units").mixed(50)], seed),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_the_same_seed_asks_for_the_same_bytes(name: str) -> None:
    asked = PLANS[name](1)
    assert asked == PLANS[name](1)
    assert name == "contention" or asked.requests != PLANS[name](2).requests
    assert len({wish.key for wish in asked.wishes}) == len(asked.wishes) == len(asked)
    for request, wish in zip(asked.requests, asked.wishes, strict=True):
        assert f"idempotency-key: {wish.key}\r\n".encode() in request


def test_no_planned_booking_meets_another() -> None:
    plan = bookings()
    wishes = plan.planned(1500).wishes + plan.planned(1500).wishes
    for people in ("practitioner_id", "patient_id"):
        taken = Counter((wish.start, getattr(wish, people)) for wish in wishes)
        assert max(taken.values()) == 1
    at_once = Counter(wish.start for wish in wishes)
    assert max(at_once.values()) == storm.FURNITURE.rooms
    starts = sorted(at_once, key=lambda start: start or FIRST)
    assert all(other - one >= timedelta(minutes=15) for one, other in pairwise(filter(None, starts)))


def test_fifty_people_race_for_ten_rooms() -> None:
    wishes = bookings(furniture=conflict.FURNITURE).races(4, conflict.RIVALS).wishes
    by_start = Counter(wish.start for wish in wishes)
    assert list(by_start.values()) == [conflict.RIVALS] * 4
    for start in by_start:
        racing = [wish for wish in wishes if wish.start == start]
        assert (
            len({wish.patient_id for wish in racing})
            == len({wish.practitioner_id for wish in racing})
            == conflict.RIVALS
        )
        named = sum(wish.room_id is not None for wish in racing)
        assert 0 < named <= conflict.RIVALS - conflict.FURNITURE.rooms  # fmt: skip


@pytest.mark.parametrize("count", [1_200, 60_000])
def test_of_mixed_work_enough_is_refused_and_most_is_granted(count: int) -> None:
    """As the rules have it, one request after the other."""
    totals = dict(zip((f"units-{n}" for n in range(55)), units.for_mixed(count), strict=True))
    held, used, refused = Counter[str](), Counter[str](), 0
    kinds = Counter[str]()
    for wish in Units(accounts(), 1, "plan").mixed(count).wishes:
        kinds[wish.kind] += 1
        of = wish.subject
        if wish.kind == "reserve":
            fits = held[of] + used[of] + wish.units <= totals[of]
            held[of] += wish.units * fits
        else:
            fits = held[of] >= wish.units
            held[of] -= wish.units * fits
            used[of] += wish.units * fits * (wish.kind == "consume")
        refused += not fits
    least, most = mixed.REFUSED_PERCENT
    assert least < 100 * refused / count < most
    for kind, share in units.SHARES.items():
        assert abs(kinds[kind] / count - share / 100) < 0.04


def test_a_fifth_of_mixed_work_is_on_one_authorization() -> None:
    wishes = Units(accounts(), 1, "plan").mixed(10_000).wishes
    hot = sum(wish.subject == "units-0" for wish in wishes)
    assert abs(hot / 10_000 - units.HOT_SHARE) < 0.02


def test_the_authorizations_are_those_of_the_seed() -> None:
    found = units.for_seed()
    assert Counter(found) == {50: 10, 200: 20, 1000: 25}
    assert found[0] == 50


@pytest.mark.parametrize("profile", ["smoke", "full"])
def test_throughput_has_units_enough_for_its_plan(profile: str) -> None:
    count = SCENARIOS["throughput"].scale(profile).requests
    asked = Counter[str]()
    for wish in Units(accounts(), 1, "plan").spread(count, 5).wishes:
        asked[wish.subject] += wish.units
    assert all(asked[f"units-{n}"] <= total for n, total in enumerate(units.for_spread(count, 5)))


def test_times_are_within_the_hours_and_weeks_that_were_asked_for() -> None:
    times = Times(FIRST, 60, "seed", HOURS, weeks=(2, 3))
    given = [times.next() for _ in range(3 * 5 * len(HOURS))]
    assert len(set(given)) == len(given)
    assert {start.hour for start in given} == set(HOURS)
    assert {start.weekday() for start in given} == set(range(5))
    assert FIRST + timedelta(weeks=2) <= min(given) <= max(given) < FIRST + timedelta(weeks=5)


def test_parts_keep_their_own_order_when_they_are_mixed() -> None:
    parts = [bookings().planned(40), Units(accounts(), 1, "other").mixed(60)]
    asked = combined.interleaved(parts, 1)
    assert len(asked) == 100
    for part in parts:
        keys = {wish.key for wish in part.wishes}
        assert [wish for wish in asked.wishes if wish.key in keys] == part.wishes
    assert asked.wishes[:40] != parts[0].wishes


def test_the_rules_are_ten_hard_and_twenty_soft_over_the_organizations_own_rooms() -> None:
    of = organization(rules_scenario.FURNITURE)
    document = msgspec.structs.replace(
        of, rooms=tuple(f"r{n}" for n in range(50)), practitioners=tuple(f"p{n}" for n in range(50))
    )
    found = rules(document)
    assert Counter(rule["kind"] for rule in found) == {"hard": 10, "soft": 20}
    said = msgspec.json.encode(found).decode()
    assert '"r0"' in said
    assert '"p0"' in said
    assert "room-0" not in said
    assert "person-" not in said


@pytest.mark.parametrize(("rate", "ramp"), [(25.0, 5.0), (150.0, 60.0), (100.0, 0.0)])
def test_the_rate_rises_in_a_straight_line(rate: float, ramp: float) -> None:
    due = [due_after(number, rate, ramp) for number in range(round(rate * (ramp + 10)))]
    assert due[0] == 0
    assert all(one < other for one, other in pairwise(due))
    assert all(
        math.isclose(other - one, 1 / rate, rel_tol=1e-6) for one, other in pairwise(due) if one >= ramp
    )
    assert abs(sum(each < ramp for each in due) - rate * ramp / 2) <= 1  # fmt: skip


@pytest.mark.parametrize("day", range(1, 15))
def test_the_first_day_is_a_monday_a_month_away(day: int) -> None:
    today = datetime(2026, 11, day, 13, 5, tzinfo=UTC)
    found = monday(today)
    assert found.weekday() == found.hour == found.minute == 0
    assert 29 <= (found - today).days <= 37

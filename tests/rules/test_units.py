"""Which authorization pays: whose payer is asked first, approved, earliest end, fewest units that suffice, id; and the
reason of the nearest miss.
"""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules.worlds import NOTHING

from holdfast.errors import Reason
from holdfast.rules.facts import Authorization, Coverage, Payer, Service
from holdfast.rules.units import (
    Held,
    Paid,
    fault,
    fault_by_hand,
    is_required,
    order,
    pay,
    ranked,
    status,
    stranded,
)

ON = date(2026, 3, 8)
SERVICE = Service(
    "s", "S", "97153", 60, ("on_site",), "patient", NOTHING, NOTHING, 1, NOTHING, None, "time", 15,
    authorization_required=True, is_active=True,
)  # fmt: skip
GOOD = Authorization(
    "z", "p", "y", frozenset({"97153"}), "time", 10, 0, 0, 0, ON, ON, "approved", 1
)  # fmt: skip
NEARNESS = ["authorization_mismatch", "authorization_expired", "authorization_inactive", "insufficient_units"]


@st.composite
def authorizations(draw: st.DrawFn) -> list[Authorization]:
    return [
        msgspec.structs.replace(
            GOOD, id=f"z{n}", payer_id=draw(st.sampled_from("xyz")), service_codes=frozenset({draw(st.sampled_from(("97153", "97153", "97155")))}),
            unit_basis=draw(st.sampled_from(("time", "time", "visit"))), total_units=draw(st.integers(0, 10)),
            used_units=0, scheduled_units=0, start_date=ON - timedelta(days=draw(st.integers(-1, 1))),
            end_date=ON + timedelta(days=draw(st.integers(-1, 2))),
            approval=draw(st.sampled_from(("approved", "approved", "pending", "cancelled"))),
        )
        for n in range(draw(st.integers(0, 5)))
    ]  # fmt: skip


@st.composite
def coverages(draw: st.DrawFn) -> list[Coverage]:
    """Of any rank, from and until about the date of service; of one rank at a time, as storage holds it, or not."""
    days = st.none() | st.integers(-1, 1).map(lambda n: ON + timedelta(days=n))
    return draw(
        st.lists(st.builds(Coverage, st.sampled_from("wxy"), st.integers(1, 3), days, days), max_size=4)
    )


def rank_by_hand(authorization: Authorization, held: list[Coverage]) -> int:
    """The least rank at which the payer covers the date; behind all ranks if none does."""
    for rank in range(1, 11):
        for each in held:
            begun = each.valid_from is None or each.valid_from <= ON
            over = each.valid_to is not None and each.valid_to < ON
            if each.payer_id == authorization.payer_id and each.rank == rank and begun and not over:
                return rank
    return 11


def sorted_by_hand(known: list[Authorization], held: list[Coverage]) -> list[Authorization]:
    """Five stable sorts, the least important first."""
    found = sorted(known, key=lambda a: a.id)
    found.sort(key=lambda a: a.total_units - a.used_units - a.scheduled_units)
    found.sort(key=lambda a: a.end_date)
    found.sort(key=lambda a: 0 if a.approval == "approved" else 1)
    found.sort(key=lambda a: rank_by_hand(a, held))
    return found


@given(authorizations(), coverages())
def test_the_order_is_rank_approval_end_units_id(known: list[Authorization], held: list[Coverage]) -> None:
    ranks = ranked(held, ON)
    assert sorted(known, key=lambda each: order(each, ranks)) == sorted_by_hand(known, held)


@given(authorizations(), coverages(), st.integers(0, 10))
def test_the_first_in_order_that_suffices_pays(
    known: list[Authorization], held: list[Coverage], units: int
) -> None:
    chosen = pay(known, SERVICE, ON, units, {}, coverages=held)
    assert pay(known[::-1], SERVICE, ON, units, {}, coverages=held[::-1]) == chosen
    good = [each for each in sorted_by_hand(known, held) if fault(each, SERVICE, ON, units) is None]
    if good:
        assert chosen == Paid(good[0], units, 0, good[0].payer_id)
        return
    assert isinstance(chosen, Reason)
    misses = [fault(a, SERVICE, ON, units) for a in known if "97153" in a.service_codes]
    codes = [miss.code for miss in misses if miss]
    assert chosen.code == (max(codes, key=NEARNESS.index) if codes else "authorization_missing")


@given(authorizations(), st.integers(0, 10))
def test_one_that_suffices_has_no_fault_of_any_kind(known: list[Authorization], units: int) -> None:
    for each in known:
        suffices = (
            "97153" in each.service_codes and each.unit_basis == "time" and each.approval == "approved"
            and each.start_date <= ON <= each.end_date and each.available_units >= units
        )  # fmt: skip
        assert (fault(each, SERVICE, ON, units) is None) == suffices


@given(authorizations(), st.integers(0, 10))
def test_the_one_that_is_named_pays_or_none(known: list[Authorization], units: int) -> None:
    for each in known:
        paid = pay(known, SERVICE, ON, units, {}, wanted=each.id)
        assert paid == (fault(each, SERVICE, ON, units) or Paid(each, units, 0, each.payer_id))
    stranger = pay(known, SERVICE, ON, units, {}, wanted="another patient's")
    assert isinstance(stranger, Reason) and stranger.code == "authorization_mismatch"


@pytest.mark.parametrize(("change", "code"), [
    ({"service_codes": frozenset({"1"})}, "authorization_mismatch"), ({"unit_basis": "day"}, "authorization_mismatch"),
    ({"approval": "pending"}, "authorization_inactive"), ({"approval": "cancelled"}, "authorization_inactive"),
    ({"end_date": ON - timedelta(days=1)}, "authorization_expired"),
    ({"start_date": ON + timedelta(days=1)}, "authorization_expired"), ({"total_units": 3}, "insufficient_units"),
    ({"used_units": 10}, "insufficient_units"), ({"scheduled_units": 7}, "insufficient_units"),
])  # fmt: skip
def test_each_fault_has_its_code(change: dict[str, Any], code: str) -> None:
    found = fault(msgspec.structs.replace(GOOD, **change), SERVICE, ON, 4)
    assert found is not None and found.code == code
    if code == "insufficient_units":
        assert found.members["requested"] == 4
        assert found.members["available"] == msgspec.structs.replace(GOOD, **change).available_units


def test_a_full_one_is_short_of_units_and_never_inactive() -> None:
    found = fault(msgspec.structs.replace(GOOD, used_units=10), SERVICE, ON, 1)
    assert found is not None and (found.code, found.members["available"]) == ("insufficient_units", 0)


@given(coverages(), st.sets(st.sampled_from("wxy")), st.booleans())
def test_the_payer_who_is_asked_first_may_require_one(
    held: list[Coverage], strict: set[str], by_service: bool
) -> None:
    codes = frozenset({SERVICE.code})
    payers = {
        each: Payer(each, each, "deny", codes_needing_authorization=codes if each in strict else NOTHING)
        for each in "wxy"
    }
    service = msgspec.structs.replace(SERVICE, authorization_required=by_service)
    found = is_required(service, held, payers, ON)
    ranks = ranked(held, ON)
    first = {payer for payer, rank in ranks.items() if rank == min(ranks.values())}
    if by_service:
        assert found
    elif len(first) < 2:
        assert found == bool(first & strict)
    elif not first & strict or first <= strict:
        assert found == bool(first & strict), "two of one rank, which storage does not have, agree"


@given(
    st.integers(0, 10), st.integers(0, 10), st.integers(0, 10), st.integers(1, 12), st.integers(-2, 2),
    st.sampled_from(("approved", "pending", "cancelled")), st.sampled_from(("reserve", "release", "consume")),
)  # fmt: skip
def test_by_hand_only_what_was_reserved_by_hand_moves(
    used: int, visits: int, by_hand: int, asked: int, off: int, approval: str, kind: str
) -> None:
    authorization = msgspec.structs.replace(
        GOOD, total_units=20, used_units=min(used, 20 - visits), scheduled_units=visits,
        manual_units=min(by_hand, visits), approval=approval,
    )  # fmt: skip
    on = ON + timedelta(days=off)
    reason = fault_by_hand(authorization, kind, on, asked)
    if kind == "release":
        expected = None if asked <= authorization.manual_units else "units_not_reserved"
    elif approval != "approved":
        expected = "authorization_inactive"
    elif on != ON:
        expected = "authorization_expired"
    elif kind == "reserve":
        expected = None if asked <= authorization.available_units else "insufficient_units"
    else:
        expected = None if asked <= authorization.manual_units else "units_not_reserved"
    assert (reason.code if reason else None) == expected


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 5), st.booleans()), max_size=8), st.integers(0, 25),
    st.sampled_from(("approved", "pending", "cancelled")),
)  # fmt: skip
def test_whom_an_amendment_strands(lines: list[tuple[int, int, bool]], total: int, approval: str) -> None:
    """Those out of its dates or codes, all if it is cancelled; of the others as many, by time, as units suffice for."""
    authorization = msgspec.structs.replace(
        GOOD,
        total_units=total,
        start_date=ON - timedelta(days=1),
        end_date=ON + timedelta(days=1),
        approval=approval,
    )
    held = [
        Held(f"a{number}", 1, ON + timedelta(days=off), "97153" if coded else "92507", units)
        for number, (off, units, coded) in enumerate(sorted(lines))
    ]
    found = {line.appointment_id: reason.code for line, reason in stranded(authorization, held)}
    kept = [each for each in held if each.appointment_id not in found]
    assert sum(each.units for each in kept) <= total
    for each in held:
        code = found.get(each.appointment_id)
        if approval == "cancelled":
            assert code == "authorization_inactive"
        elif each.code != "97153":
            assert code == "authorization_mismatch"
        elif not -1 <= (each.on - ON).days <= 1:
            assert code == "authorization_expired"
        elif code is not None:
            before = sum(other.units for other in kept if other.appointment_id < each.appointment_id)
            assert (code, before + each.units > total) == ("insufficient_units", True)


def test_the_status_is_what_was_decided_then_the_date_then_the_counters() -> None:
    full = msgspec.structs.replace(GOOD, used_units=10)
    held = msgspec.structs.replace(GOOD, scheduled_units=10)
    assert [status(each, ON) for each in (GOOD, held, full)] == ["active", "active", "exhausted"]
    assert status(full, ON + timedelta(days=1)) == "expired"
    for approval in ("pending", "cancelled"):
        assert status(msgspec.structs.replace(full, approval=approval), ON + timedelta(days=9)) == approval


WORDS = ("deny", "warn", "allow")


def paid_by_hand(
    known: list[Authorization], held: list[Coverage], units: int, words: dict[str, str], *, said: bool
) -> tuple[str | None, int, int] | None:
    """Tries everything in the order of the law: authorization, units on it, units on none; None if it is refused."""

    def speaks(payer: str) -> bool:
        return words.get(payer) == "allow" or (words.get(payer) == "warn" and said)

    coded = sorted_by_hand([each for each in known if "97153" in each.service_codes], held)
    approved = [each for each in coded if fault(each, SERVICE, ON, units) is None]
    if approved or any(_does(each) and speaks(each.payer_id) for each in coded):
        does = [each for each in coded if each in approved or (_does(each) and speaks(each.payer_id))]
        missing = {each.id: 0 if each in approved else max(0, units - each.available_units) for each in does}
        least = [each for each in does if missing[each.id] == min(missing.values())]
        free = [each for each in least if each in approved or words[each.payer_id] == "allow"] or least
        return free[0].id, units - missing[free[0].id], missing[free[0].id]
    if any(_does(each) and words.get(each.payer_id) == "warn" for each in coded):
        return None
    ranks = sorted((rank, payer) for payer, rank in ranked(held, ON).items())
    if ranks:
        return (None, 0, units) if speaks(ranks[0][1]) else None
    misses = [(each, fault(each, SERVICE, ON, units)) for each in coded]
    if not misses:
        return None
    nearest = max(
        misses, key=lambda m: (NEARNESS.index(m[1].code), m[0].available_units, m[0].id) if m[1] else ()
    )
    return (None, 0, units) if speaks(nearest[0].payer_id) else None


def _does(authorization: Authorization) -> bool:
    """Whether it is valid for the service that day, were it approved and had it enough."""
    return (
        authorization.approval != "cancelled" and authorization.unit_basis == "time"
        and authorization.start_date <= ON <= authorization.end_date
    )  # fmt: skip


@given(
    authorizations(), coverages(), st.integers(1, 10),
    st.dictionaries(st.sampled_from("wxyz"), st.sampled_from(WORDS)), st.booleans(),
)  # fmt: skip
def test_the_payers_words_decide_as_by_hand(
    known: list[Authorization],
    held: list[Coverage],
    units: int,
    words: dict[str, str],
    said: bool,
) -> None:
    payers = {each: Payer(each, each, word) for each, word in words.items()}  # type: ignore[arg-type]
    paid = pay(known, SERVICE, ON, units, payers, coverages=held, is_acknowledged=said)
    expected = paid_by_hand(known, held, units, words, said=said)
    if isinstance(paid, Reason):
        assert expected is None
        if "may_acknowledge" in paid.members:
            assert not said
            again = pay(known, SERVICE, ON, units, payers, coverages=held, is_acknowledged=True)
            assert isinstance(again, Paid), "what is promised is kept"
        return
    found = None if paid.authorization is None else paid.authorization.id
    assert (found, paid.units, paid.unfunded) == expected
    assert paid.units + paid.unfunded == units
    assert (paid.funding == "unfunded") == (paid.unfunded > 0)

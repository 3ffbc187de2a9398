"""Caps against a reading of them that is slow and obvious."""

from datetime import date, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rules.test_units import GOOD, ON

from holdfast.rules import caps
from holdfast.rules.facts import Authorization, Counted, Payer, UnitCap

CODES = ("97153", "97155")
dates = st.integers(-9, 9).map(lambda n: ON + timedelta(days=n))


@st.composite
def payers(draw: st.DrawFn) -> Payer:
    known = draw(st.dictionaries(st.sampled_from(CODES), st.integers(1, 12)))
    return Payer(
        "y", "Sun", "deny", week_start=draw(st.integers(0, 6)), cap_policy=draw(st.sampled_from(("deny", "warn", "allow"))),
        unit_caps=tuple(UnitCap(units, code) for code, units in known.items()),
    )  # fmt: skip


@st.composite
def authorizations(draw: st.DrawFn) -> Authorization:
    own = draw(
        st.lists(
            st.builds(
                UnitCap,
                st.integers(1, 16),
                st.none() | st.sampled_from(CODES),
                st.sampled_from(("day", "week")),
            ),
            max_size=3,
        )
    )
    return msgspec.structs.replace(GOOD, service_codes=frozenset(CODES), caps=tuple(own))


counted = st.lists(
    st.builds(Counted, dates, st.sampled_from("yz"), st.sampled_from(CODES), st.integers(0, 8), st.integers(0, 4)),
    max_size=8,
)  # fmt: skip
taken = st.lists(st.tuples(st.sampled_from("yz"), st.sampled_from(CODES), st.integers(1, 4)), max_size=2)


def same_time(payer: Payer, per: str, a: date, b: date) -> bool:
    """Walks back from each date to the first day of its week."""
    if per == "day":
        return a == b
    while a.weekday() != payer.week_start:
        a -= timedelta(days=1)
    while b.weekday() != payer.week_start:
        b -= timedelta(days=1)
    return a == b


def broken(
    rows: list[Counted], before: list[caps.Taken], of: Authorization, payer: Payer, code: str, units: int
) -> bool:
    """Whether any cap would be passed by more than what stood already."""
    for cap in [*payer.unit_caps, *of.caps]:
        codes = set(CODES) if cap.code is None else {cap.code}
        if code not in codes:
            continue
        within = [
            row for row in rows if row.payer_id == "y" and row.code in codes and same_time(payer, cap.per, row.on, ON)
        ]  # fmt: skip
        own = units + sum(u for who, what, u in before if who == "y" and what in codes)
        if sum(row.units for row in within) + own > cap.units and own > sum(row.lifted for row in within):
            return True
    return False


@given(counted, taken, authorizations(), payers(), st.sampled_from(CODES), st.integers(0, 8), st.booleans())
def test_a_cap_is_passed_when_adding_up_by_hand_says_so(
    rows: list[Counted],
    before: list[caps.Taken],
    of: Authorization,
    payer: Payer,
    code: str,
    units: int,
    said: bool,
) -> None:
    found = caps.fault(rows, before, of, payer, code, ON, units, is_acknowledged=said)
    asks = payer.cap_policy == "deny" or (payer.cap_policy == "warn" and not said)
    assert (found is not None) == (asks and units > 0 and broken(rows, before, of, payer, code, units))
    if found is not None:
        assert found.code == "cap_exceeded"
        assert found.members["counted"] + units > found.members["cap"]
        assert ("may_acknowledge" in found.members) == (payer.cap_policy == "warn")


@given(counted, taken, authorizations(), payers(), st.sampled_from(CODES))
def test_what_is_left_of_a_cap_may_be_held_and_no_more(
    rows: list[Counted], before: list[caps.Taken], of: Authorization, payer: Payer, code: str
) -> None:
    rows = [row._replace(lifted=0) for row in rows]
    left = caps.left(rows, before, of, payer, code, ON)
    if left is None:
        assert caps.fault(rows, before, of, payer, code, ON, 1_000, is_acknowledged=True) is None
        return
    assert caps.fault(rows, before, of, payer, code, ON, left, is_acknowledged=True) is None
    assert caps.fault(rows, before, of, payer, code, ON, left + 1, is_acknowledged=True) is not None


@given(dates)
def test_every_week_of_a_date_is_read(on: date) -> None:
    _, first, last = caps.around(("p", on, on))
    for start in range(7):
        payer = Payer("y", "Sun", "deny", week_start=start)
        days = [on + timedelta(days=n) for n in range(-14, 15)]
        assert all(first <= each <= last for each in days if same_time(payer, "week", each, on))

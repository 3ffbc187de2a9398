"""What a patient's day uses: whatever the order of signing, each line counts what its payer says; units are used while there
are some, never more, and never put anywhere else.
"""

from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rules.test_units import GOOD, ON, SERVICE

from holdfast.rules.facts import (
    Authorization,
    Constraints,
    Coverage,
    Directory,
    DirectoryDocument,
    Line,
    Organization,
    Patient,
    Payer,
    Visit,
)
from holdfast.rules.rounding import Given, rounded
from holdfast.rules.usage import use, why_unfunded

OTHER = msgspec.structs.replace(SERVICE, id="t", code="97140")


def directory(rounding: Any, scope: Any) -> Directory:
    payer = Payer("y", "Y", "deny", rounding=rounding, rounding_scope=scope)
    return Directory(
        DirectoryDocument(
            1, 1, Organization("o", "O", "UTC", {}), [], [], [], [SERVICE, OTHER], [payer], [], []
        )
    )


PATIENT = Patient(
    "p",
    "P",
    "P",
    frozenset(),
    True,
    stored_constraints=Constraints(coverages=(Coverage("y", 1, None, None),)),
)


def line(n: int, minutes: int, *, service: str = "s", reserved: int = 0, **more: Any) -> Line:
    return Line(
        n, "who", service, n * 60, n * 60 + 60, authorization_id="z", minutes_actual=minutes, units_reserved=reserved,
        line_status="completed", **more,
    )  # fmt: skip


def visit(name: str, *lines: Line) -> Visit:
    return Visit(name, "c", "p", None, "home", 0, 60, "completed", list(lines))


def signed(
    authorization: Authorization, visits: list[Visit], signing: list[Line], known: Directory, on: date = ON
) -> dict[str, int]:
    """Signs, with a ledger that holds what all lines reserve; what is left afterwards."""
    reserved = sum(each.units_reserved for one in visits for each in one.lines)
    used = sum(each.units_used or 0 for one in visits for each in one.lines)
    left = {"z": authorization.total_units - used - reserved}
    use(known, PATIENT, {"z": authorization}, left, on, visits[0], visits[1:], signing)
    return left


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Visit], Authorization]:
    visits = [
        visit(name, *(
            line(n, draw(st.integers(0, 70)), service=draw(st.sampled_from("st")), reserved=draw(st.integers(0, 5)))
            for n in range(1, draw(st.integers(1, 3)) + 1)
        ))
        for name in "abc"[: draw(st.integers(1, 3))]
    ]  # fmt: skip
    reserved = sum(each.units_reserved for one in visits for each in one.lines)
    total = reserved + draw(st.integers(0, 8))
    return visits, msgspec.structs.replace(
        GOOD, total_units=total, service_codes=frozenset({"97153", "97140"}), scheduled_units=reserved
    )


@given(
    days(), st.sampled_from(("cpt_midpoint", "cms_8_minute", "full_units", "ceil")), st.sampled_from(("session", "day")),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_in_whatever_order_a_day_is_signed(
    day: tuple[list[Visit], Authorization], rounding: Any, scope: Any, random: Any
) -> None:
    visits, authorization = day
    known, done = directory(rounding, scope), list[Visit]()
    random.shuffle(visits)
    for each in visits:
        done.append(each)
        lines = list(each.lines)
        random.shuffle(lines)
        for one in lines:
            used = sum(a.units_used or 0 for b in visits for a in b.lines)
            held = sum(a.units_reserved for b in visits for a in b.lines)
            left = {"z": authorization.total_units - used - held}
            use(known, PATIENT, {"z": authorization}, left, ON, each, done[:-1], [one])
            used = sum(a.units_used or 0 for b in visits for a in b.lines)
            held = sum(a.units_reserved for b in visits for a in b.lines)
            assert left["z"] == authorization.total_units - used - held >= 0
    counted = [(one, a) for one in visits for a in one.lines]
    due = rounded(
        [
            Given(one.id, a.line_no, a.start, "97153" if a.service_id == "s" else "97140", "time", 15, a.minutes_actual or 0)
            for one, a in counted
        ],
        rounding, scope,
    )  # fmt: skip
    assert [(a.units_used or 0) + a.unfunded_units for _, a in counted] == due
    assert {(a.line_status, a.units_reserved) for _, a in counted} == {("signed", 0)}


def test_what_is_reserved_is_used_though_the_authorization_is_over() -> None:
    late, known = ON + timedelta(days=1), directory("cpt_midpoint", "session")
    one = line(1, 75, reserved=4)
    signed(GOOD, [visit("v", one)], [one], known, late)
    assert (one.units_used, one.unfunded_units) == (4, 1)
    assert why_unfunded(known, {"z": GOOD}, one, late) == "authorization_expired"


def test_what_waits_for_an_authorization_counts_and_is_unfunded() -> None:
    known = directory("cpt_midpoint", "session")
    one = msgspec.structs.replace(line(1, 30), authorization_id=None, funding="unfunded", unfunded_units=4)
    signed(GOOD, [visit("v", one)], [one], known)
    assert (one.units_used, one.unfunded_units) == (0, 2)
    assert why_unfunded(known, {"z": GOOD}, one, ON) == "authorization_missing"


def test_what_nobody_pays_for_counts_nothing() -> None:
    known = directory("ceil", "day")
    alone, unbilled = msgspec.structs.replace(line(1, 30), authorization_id=None), line(2, 30, billable=False)
    signed(GOOD, [visit("v", alone, unbilled)], [alone, unbilled], known)
    assert {(each.line_status, each.units_used, each.unfunded_units) for each in (alone, unbilled)} == {
        ("signed", 0, 0)
    }
    assert why_unfunded(known, {"z": GOOD}, alone, ON) is None


def test_what_counts_less_is_first_what_was_unfunded() -> None:
    known, one = directory("cpt_midpoint", "session"), line(1, 120, reserved=4)
    tight = msgspec.structs.replace(GOOD, total_units=5)
    found = []
    for minutes in (120, 90, 60, 75):
        one.minutes_actual = minutes
        signed(tight, [visit("v", one)], [one] if one.units_used is None else [], known)
        found.append((one.units_used, one.unfunded_units))
    assert found == [(5, 3), (5, 1), (4, 0), (5, 0)]


def test_another_visit_stays_as_it_was_signed_where_visits_are_counted_apart() -> None:
    """Though the payer rounds otherwise by now."""
    before, now = line(1, 23, reserved=2), line(1, 23, reserved=2)
    signed(GOOD, [visit("v", before)], [before], directory("ceil", "session"))
    signed(GOOD, [visit("w", now), visit("v", before)], [now], directory("full_units", "session"))
    assert (before.units_used, now.units_used) == (2, 1)
    assert why_unfunded(directory("full_units", "day"), {"z": GOOD}, before, ON) is None

"""What a patient's wishes and needs say: whom they may not be with, when they can come, and what whoever books is told."""

from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rules.worlds import NOTHING, World, worlds

from holdfast.rules import people
from holdfast.rules.assess import Wish, assess
from holdfast.rules.facts import Clinic, Constraints, Line, Patient, Visit
from holdfast.slot import MINUTE, day_span

MONDAY = date(2026, 6, 8)
CLINIC = Clinic("c", "C", "America/Phoenix", allow_unassigned=False, is_active=True, hours=())
PATIENT = Patient("p", "G", "F", NOTHING, is_active=True)


def visit(start_minute: int, minutes: int, *, present: bool = True) -> Visit:
    start = day_span(MONDAY, CLINIC.time_zone)[0] + start_minute * MINUTE
    end = start + minutes * MINUTE
    line = Line(1, "a0", "s", start, end, patient_present=present)
    return Visit("", "c", "p", None, "on_site", start, end, "scheduled", [line])


def coming(*availability: tuple[int, int, int]) -> Patient:
    return msgspec.structs.replace(PATIENT, stored_constraints=Constraints(availability=availability))


weekly = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 23), st.integers(1, 24)).filter(lambda w: w[1] < w[2]),
    max_size=6,
).map(lambda found: tuple((weekday, start * 60, end * 60) for weekday, start, end in found))


@given(weekly, st.integers(0, 4 * 24), st.integers(1, 24))
def test_a_patient_comes_if_every_hour_of_the_visit_suits(
    availability: tuple[tuple[int, int, int], ...], start: int, hours: int
) -> None:
    hourly = all(
        any(
            weekday == (at // 24) % 7 and begins <= at % 24 * 60 < ends
            for weekday, begins, ends in availability
        )
        for at in range(start, start + hours)
    )
    wished = visit(start * 60, hours * 60)
    assert people.can_come(coming(*availability), CLINIC, wished) == (hourly or not availability)
    absent = visit(start * 60, hours * 60, present=False)
    assert people.can_come(coming(*availability), CLINIC, absent), "who is not there need not come"
    assert people.can_come(None, CLINIC, wished)


def test_windows_may_meet_at_midnight() -> None:
    whole = coming((0, 1320, 1440), (1, 0, 120))
    assert people.can_come(whole, CLINIC, visit(1380, 120))
    assert not people.can_come(whole, CLINIC, visit(1380, 181))
    assert people.windows(whole, CLINIC, visit(0, 60), [MONDAY + timedelta(days=2)]) == []


@given(worlds())
def test_an_exclusion_is_a_reason_and_the_only_one_of_its_kind(world: World) -> None:
    """Whatever else is decided, it is said once more that the two may not be together, and nothing else changes."""
    if world.patient is None:
        return
    verdicts = {}
    for excluded in (NOTHING, frozenset({"a0", "somebody else"})):
        patient = msgspec.structs.replace(world.patient, stored_constraints=Constraints(excluded=excluded))
        verdicts[excluded] = assess(
            world.directory, world.timetable(), patient, world.authorizations, Wish(world.visit, "chosen")
        )
    free, barred = verdicts.values()
    added = [
        reason for reason in barred.reasons if reason.members.get("rule_type") == "practitioner_excluded"
    ]
    assert [(reason.code, reason.members["practitioner_id"]) for reason in added] == [
        ("rule_violation", "a0")
    ]
    assert [reason for reason in barred.reasons if reason not in added] == free.reasons


def told(world: World, languages: set[str], **patient: Any) -> list[str]:
    """The codes of what is said of a patient with the world's first practitioner, who has these languages."""
    practitioners = world.directory.practitioners
    practitioners["a0"] = msgspec.structs.replace(practitioners["a0"], languages=frozenset(languages))
    return [
        notice.code
        for notice in people.notices(
            world.directory, msgspec.structs.replace(PATIENT, **patient), world.visit
        )
    ]


@given(worlds())
def test_what_whoever_books_is_told(world: World) -> None:
    assert told(world, {"en"}) == []
    assert told(world, {"en"}, language="es") == ["language_differs"]
    assert told(world, {"en", "es-MX"}, language="ES") == []
    assert told(world, set(), language="es") == [], "nobody has recorded what is spoken"
    needed = {"needs_interpreter": True}
    assert told(world, set(), **needed) == ["interpreter_needed"]
    assert told(world, {"en"}, language="ase", **needed) == ["interpreter_needed", "language_differs"]
    assert told(world, {"en", "ase"}, language="ase", **needed) == []
    wish = Constraints(preferred=frozenset({"b"}))
    assert told(world, set(), stored_constraints=wish) == ["not_preferred_practitioner"]
    wish = Constraints(preferred=frozenset({"a0", "b"}))
    assert told(world, set(), stored_constraints=wish) == []

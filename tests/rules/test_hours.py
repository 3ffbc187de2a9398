"""Hours belong to local dates; whether a span lies inside them is asked minute by minute here."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from rules.worlds import World, moments, worlds

from holdfast.rules import hours
from holdfast.rules.facts import Clinic, Practitioner
from holdfast.slot import MINUTE, Span, local_date, wall

QUARTER = 15 * MINUTE


def is_inside(span: Span, zone: str, stretches: list[tuple[date, int, int]]) -> bool:
    """Whether every quarter of an hour of the span lies in one of the dated stretches."""
    spans = [(wall(on, start, zone), wall(on, end, zone, ends=True)) for on, start, end in stretches]
    return all(any(start <= at < end for start, end in spans) for at in range(*span, QUARTER))


def around(span: Span, zone: str) -> list[date]:
    first = local_date(span[0], zone)
    return [first + timedelta(days=n) for n in range(-1, 4)]


def opened(clinic: Clinic, on: date) -> list[tuple[date, int, int]]:
    return [(on, opens, closes) for weekday, opens, closes in clinic.hours if weekday == on.weekday()]


def worked(practitioner: Practitioner, on: date) -> list[tuple[date, int, int]]:
    instead = [x for x in practitioner.exceptions if x.clinic_id == "c" and x.on_date == on]
    if instead:
        return [(on, x.starts, x.ends) for x in instead if x.starts is not None and x.ends is not None]
    return [
        (on, h.starts, h.ends) for h in practitioner.hours
        if h.clinic_id == "c" and h.weekday == on.weekday() and (h.valid_to is None or on <= h.valid_to)
    ]  # fmt: skip


@given(worlds(), st.data())
def test_a_clinic_is_open_when_its_hours_cover_all_of_the_time(world: World, data: st.DataObject) -> None:
    span, clinic = data.draw(moments(world.first)), world.clinic
    stretches = [each for on in around(span, clinic.time_zone) for each in opened(clinic, on)]
    expected = not clinic.hours or is_inside(span, clinic.time_zone, stretches)
    assert hours.is_open(world.directory, clinic, span) == expected
    # Asked again it is remembered, and the same.
    assert hours.is_open(world.directory, clinic, span) == expected


@given(worlds(), st.data())
def test_a_practitioner_works_in_dated_hours_and_exceptions_replace_a_date(
    world: World, data: st.DataObject
) -> None:
    span, clinic = data.draw(moments(world.first)), world.clinic
    for practitioner in world.directory.practitioners.values():
        stretches = [each for on in around(span, clinic.time_zone) for each in worked(practitioner, on)]
        bound = practitioner.hours or practitioner.exceptions
        assert hours.is_working(world.directory, practitioner, clinic, span) == (
            not bound or is_inside(span, clinic.time_zone, stretches)
        )


@given(worlds(), st.data())
def test_absences_are_those_that_overlap(world: World, data: st.DataObject) -> None:
    start, end = data.draw(moments(world.first))
    directory = world.directory
    for resource in ("c", *directory.rooms, *directory.practitioners):
        closed = [
            (x.id, x.start, x.end) for x in directory.closures if (x.room_id or x.clinic_id) == resource
        ]
        away = [(x.id, x.start, x.end) for x in directory.time_off if x.practitioner_id == resource]
        expected = {absence for absence, begins, ends in closed + away if begins < end and start < ends}
        assert {x.id for x in hours.absences(directory, resource, (start, end))} == expected

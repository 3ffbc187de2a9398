"""Trying rules on booked days: those in force change nothing, and the timetable is as it was found."""

from copy import copy
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rules.worlds import World, policies, worlds

from holdfast.rules.dry_run import dry_run
from holdfast.rules.facts import Patient, Visit
from holdfast.rules.timetable import Claim, Timetable
from holdfast.slot import DAY, MINUTE, day_span

_PATIENT = Patient("p", "Given", "Family", frozenset(), is_active=True)


@st.composite
def visits(draw: Any, world: World) -> list[Visit]:
    """Some around the first date, made in another order than they take place in; one was given its room by hand."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        shift = draw(st.integers(-8, 8)) * 30 * MINUTE
        chosen = draw(st.sampled_from((None, None, *world.directory.rooms_of["c"])))
        line = world.visit.lines[0]
        found.append(msgspec.structs.replace(
            world.visit, id=f"d{number}", location="on_site", start=world.visit.start + shift,
            end=world.visit.end + shift, created_at=draw(st.integers(0, 3)),
            room_id=chosen and chosen.id, method="manual" if chosen else "auto",
            lines=[msgspec.structs.replace(line, start=line.start + shift, end=line.end + shift)],
        ))  # fmt: skip
    return found


def held(world: World, timetable: Timetable) -> dict[str, list[Claim]]:
    middle = day_span(world.first, "UTC")[0]
    resources = ("p", *world.directory.rooms, *world.directory.practitioners)
    return {each: timetable.overlapping(each, middle - 6 * DAY, middle + 8 * DAY) for each in resources}


@given(worlds(), st.data())
def test_what_is_in_force_changes_nothing_and_leaves_nothing(world: World, data: st.DataObject) -> None:
    timetable, booked = world.timetable(), data.draw(visits(world))
    before = held(world, timetable)
    patients = {"p": world.patient or _PATIENT}
    outcomes = dry_run(world.directory, world.directory, timetable, booked, patients)
    assert sorted(each.visit.id for each in outcomes) == sorted(each.id for each in booked)
    assert not [each for each in outcomes if each.is_moved or each.against or each.reasons]
    assert held(world, timetable) == before


@given(worlds(), st.data())
def test_a_draft_is_judged_by_itself(world: World, data: st.DataObject) -> None:
    """What it gives is what it gives where it is in force already, whatever was in force before."""
    draft = copy(world.directory)
    draft.policies, draft.remembered = tuple(data.draw(policies())), {}
    timetable, booked = world.timetable(), data.draw(visits(world))
    patients = {"p": world.patient or _PATIENT}
    found = dry_run(world.directory, draft, timetable, booked, patients)
    alone = dry_run(draft, draft, timetable, booked, patients)
    assert [each.after for each in found] == [each.after for each in alone]
    for each in found:
        if each.is_moved and each.after is not None and each.before is not None:
            assert each.before.room.id != each.after.room.id
        if each.visit.method == "manual" and each.after is not None:
            assert each.after.room.id == each.visit.room_id

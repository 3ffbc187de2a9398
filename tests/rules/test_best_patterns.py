"""Patterns against asking `assess` for every time, practitioner and date: the same ones, in the same order, for the same
reasons.
"""

from collections.abc import Generator
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rules.test_free_slots import at
from rules.worlds import World, full_worlds, worlds

from holdfast.rules import people
from holdfast.rules.assess import Wish, assess
from holdfast.rules.patterns import Pattern, Question, patterns
from holdfast.rules.timetable import Timetable
from holdfast.slot import day_span, wall

T = TypeVar("T")
minutes = st.lists(
    st.sampled_from((0, 90, 150, 480, 540, 555, 720, 1020, 1425)), min_size=1, max_size=3, unique=True
)


def returned(going_on: Generator[None, None, T]) -> T:
    while True:
        try:
            next(going_on)
        except StopIteration as done:
            value: T = done.value
            return value


def asked_one_by_one(
    world: World, timetable: Timetable, dates: list[date], minute: int, practitioner: Any, earliest: int
) -> list[tuple[date, int, str | None, list[str]]]:
    """Each date with its start, its room ('' for none) if it is free, and the codes against it."""
    known = list(world.authorizations)
    found: list[tuple[date, int, str | None, list[str]]] = []
    for on in dates:
        visit = at(world.directory, world.visit, wall(on, minute, world.clinic.time_zone), practitioner)
        wish = Wish(visit=visit, room="chosen", now=earliest, earliest=earliest)
        verdict = assess(world.directory, timetable, world.patient, known, wish)
        codes = [reason.code for reason in verdict.reasons]
        if not codes and not people.can_come(world.patient, world.clinic, visit):
            codes = ["outside_patient_availability"]
        if not codes:
            for paid in verdict.paid:
                if paid.authorization is not None:
                    place = [each.id for each in known].index(paid.authorization.id)
                    spent = known[place].scheduled_units + paid.units
                    known[place] = msgspec.structs.replace(known[place], scheduled_units=spent)
        room = None if codes else verdict.room.room.id if verdict.room else ""
        found.append((on, visit.start, room, codes))
    return found


def told(pattern: Pattern) -> list[tuple[date, int, str | None, list[str]]]:
    return [
        (each.on, each.start, None if each.slot is None else each.slot.room_id or "", [r.code for r in each.reasons])
        for each in pattern.dates
    ]  # fmt: skip


@given(
    worlds() | full_worlds(),
    minutes,
    st.integers(1, 4),
    st.integers(0, 30),
    st.sampled_from((1, 2, 50)),
)
def test_patterns_are_the_best_of_all(
    world: World, times: list[int], days: int, hours: int, limit: int
) -> None:
    timetable = world.timetable()
    dates = [world.first + timedelta(days=n) for n in range(days)]
    earliest = day_span(world.first, world.clinic.time_zone)[0] + hours * 3600 if hours > 10 else 0
    everyone = list(world.directory.practitioners.values())
    expected = []
    for practitioner in everyone:
        for minute in times:
            found = asked_one_by_one(world, timetable, dates, minute, practitioner, earliest)
            free = sum(not codes for *_, codes in found)
            if free:
                expected.append((-free, minute, practitioner.id, found))
    expected.sort(key=lambda each: each[:3])
    question = Question(
        directory=world.directory, timetable=timetable, patient=world.patient, authorizations=world.authorizations,
        visit=world.visit, dates=dates, earliest=earliest,
    )  # fmt: skip
    best, truncated = returned(patterns(question, everyone, times, limit))
    assert [(-each.free, each.minute, each.practitioner_id, told(each)) for each in best] == expected[:limit]
    assert truncated == (len(expected) > limit)

"""Which times are free: the same question as booking, asked of many starts. What is found here is bookable on the
facts it was found on, because the same `assess` says so.
"""

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from holdfast.rules import hours
from holdfast.rules.assess import Verdict, Wish, assess
from holdfast.rules.facts import Authorization, Clinic, Directory, Line, Patient, Practitioner, Visit
from holdfast.rules.timetable import Timetable
from holdfast.slot import MINUTE, Span, day_span, intersect, subtract, union, wall


class Slot(msgspec.Struct, frozen=True):
    """A bookable time with the room it would get; instants are epoch seconds."""

    start: int
    end: int
    practitioner_id: str
    room_id: str | None
    score: int


class Grid(msgspec.Struct, frozen=True):
    """Which starts are looked at: every `step` minutes from local midnight, inside a part of the day."""

    step_minutes: int = 15
    weekdays: frozenset[int] = frozenset(range(7))
    from_minute: int = 0
    to_minute: int = 1440


def workable(
    directory: Directory,
    timetable: Timetable,
    clinic: Clinic,
    practitioner: Practitioner,
    on: date,
    location: str,
) -> list[Span]:
    """The parts of a local date in which a practitioner could begin and end a visit."""
    day = [day_span(on, clinic.time_zone)]
    if practitioner.hours or practitioner.exceptions:
        day = hours.working(directory, practitioner, clinic, on)
    if location == "on_site" and clinic.hours:
        day = intersect(day, hours.opening(directory, clinic, on))
    if not day:
        return []
    whole = (day[0][0], day[-1][1])
    away = [(each.start, each.end) for each in hours.absences(directory, practitioner.id, whole)]
    if location == "on_site":
        away += [(each.start, each.end) for each in hours.absences(directory, clinic.id, whole)]
    if practitioner.seats == 1:
        away += [(claim.start, claim.end) for claim in timetable.overlapping(practitioner.id, *whole)]
    return subtract(union(day), away)


def starts(
    clinic: Clinic, grid: Grid, spans: Iterable[Span], on: date, seconds: int, earliest: int
) -> Iterator[int]:
    """The grid's starts of a local date from which `seconds` fit into one of the spans."""
    if on.weekday() not in grid.weekdays:
        return
    midnight = wall(on, 0, clinic.time_zone)
    low = wall(on, grid.from_minute, clinic.time_zone)
    high = wall(on, grid.to_minute, clinic.time_zone, ends=True)
    step = grid.step_minutes * MINUTE
    for span_start, span_end in spans:
        first = max(span_start, low, earliest)
        at = midnight + -(-(first - midnight) // step) * step
        while at + seconds <= min(span_end, high):
            yield at
            at += step


def slot_at(
    directory: Directory,
    timetable: Timetable,
    patient: Patient | None,
    authorizations: Iterable[Authorization],
    visit: Visit,
) -> Slot | None:
    """The visit as a slot if it could be booked as it stands, its room chosen; None otherwise."""
    verdict: Verdict = assess(directory, timetable, patient, authorizations, Wish(visit=visit, room="chosen"))
    if verdict.reasons:
        return None
    choice = verdict.room
    return Slot(
        start=visit.start, end=visit.end, practitioner_id=visit.lines[0].practitioner_id,
        room_id=choice.room.id if choice else None, score=choice.score if choice else 0,
    )  # fmt: skip


def shifted(visit: Visit, start: int, practitioner: Practitioner | None = None) -> Visit:
    """The visit at another start, with another practitioner, or both; its lines keep their places in it."""
    by = start - visit.start
    lines: list[Line] = [
        msgspec.structs.replace(line, start=line.start + by, end=line.end + by) for line in visit.lines
    ]
    if practitioner is not None:
        lines[0].practitioner_id = practitioner.id
        lines[0].buffer_minutes = practitioner.buffer_minutes
    return msgspec.structs.replace(visit, start=start, end=visit.end + by, lines=lines)


def free_slots(
    directory: Directory,
    timetable: Timetable,
    patient: Patient | None,
    authorizations: Iterable[Authorization],
    visit: Visit,
    practitioners: Iterable[Practitioner],
    dates: Iterable[date],
    grid: Grid,
    earliest: int,
    limit: int,
) -> tuple[list[Slot], bool]:
    """One slot per practitioner and start, ordered by start, score descending, practitioner; and whether the limit
    cut the list. `visit` says what is looked for; its own time and practitioner do not matter."""
    clinic = directory.clinics[visit.clinic_id]
    seconds = visit.end - visit.start
    known, everyone = list(authorizations), list(practitioners)
    found: list[Slot] = []
    for on in dates:
        wanted: list[tuple[int, Practitioner]] = []
        for practitioner in everyone:
            spans = workable(directory, timetable, clinic, practitioner, on, visit.location)
            wanted += [(at, practitioner) for at in starts(clinic, grid, spans, on, seconds, earliest)]
        wanted.sort(key=lambda each: each[0])
        todays: list[Slot] = []
        for at, practitioner in wanted:
            if len(found) + len(todays) > limit and at > todays[-1].start:
                break
            slot = slot_at(directory, timetable, patient, known, shifted(visit, at, practitioner))
            if slot is not None:
                todays.append(slot)
        found += sorted(todays, key=lambda s: (s.start, -s.score, s.practitioner_id))
        if len(found) > limit:
            return found[:limit], True
    return found, False


def nearest_slots(
    directory: Directory,
    timetable: Timetable,
    patient: Patient | None,
    authorizations: Iterable[Authorization],
    visit: Visit,
    dates: Iterable[date],
    grid: Grid,
    earliest: int,
    count: int,
) -> list[Slot]:
    """The bookable times nearest to the visit's own, with its own practitioner, nearest first."""
    clinic = directory.clinics[visit.clinic_id]
    practitioner = directory.practitioners[visit.lines[0].practitioner_id]
    known = list(authorizations)
    wanted: list[int] = []
    for on in dates:
        spans = workable(directory, timetable, clinic, practitioner, on, visit.location)
        wanted += starts(clinic, grid, spans, on, visit.end - visit.start, earliest)
    wanted.sort(key=lambda at: (abs(at - visit.start), at))
    found: list[Slot] = []
    for at in wanted:
        slot = slot_at(directory, timetable, patient, known, shifted(visit, at))
        if slot is not None:
            found.append(slot)
            if len(found) == count:
                break
    return found

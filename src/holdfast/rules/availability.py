"""Which times are free: the same question as booking, asked of many starts. What is found here is bookable on the
facts it was found on, because the same `assess` says so.
"""

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from holdfast.rules import hours, people
from holdfast.rules.assess import Verdict, Wish, assess
from holdfast.rules.facts import Authorization, Clinic, Directory, Line, Patient, Practitioner, Visit
from holdfast.rules.lines import set_tails
from holdfast.rules.policy.buffers import buffers
from holdfast.rules.policy.policy import in_force
from holdfast.rules.timetable import Timetable
from holdfast.slot import MINUTE, Span, dates_touched, day_span, intersect, subtract, union, wall


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
    seconds: int,
) -> list[Span]:
    """The parts of a local date in which a practitioner could begin a visit of `seconds`, each as far as that visit
    could reach: hours that meet at midnight are one."""
    midnight, next_midnight = day_span(on, clinic.time_zone)
    reach = (midnight, next_midnight + seconds)
    dates = dates_touched(reach, clinic.time_zone)
    free = [reach]
    if practitioner.hours or practitioner.exceptions:
        free = union(span for each in dates for span in hours.working(directory, practitioner, clinic, each))
    if location == "on_site" and clinic.hours:
        free = intersect(
            free, union(span for each in dates for span in hours.opening(directory, clinic, each))
        )
    free = [span for span in free if span[0] < next_midnight]
    if not free:
        return []
    whole = (free[0][0], min(free[-1][1], reach[1]))
    away = [(each.start, each.end) for each in hours.absences(directory, practitioner.id, whole)]
    if location == "on_site":
        away += [(each.start, each.end) for each in hours.absences(directory, clinic.id, whole)]
    if practitioner.seats == 1:
        away += [(claim.start, claim.end) for claim in timetable.overlapping(practitioner.id, *whole)]
    return subtract(free, away)


def starts(
    zone_name: str, grid: Grid, spans: Iterable[Span], on: date, seconds: int, earliest: int
) -> Iterator[int]:
    """The grid's starts of a local date from which `seconds` fit into one of the spans. A part of the day ends
    with its visits; a day that is looked at whole does not."""
    if on.weekday() not in grid.weekdays:
        return
    midnight, next_midnight = day_span(on, zone_name)
    low = wall(on, grid.from_minute, zone_name)
    high = next_midnight + seconds
    if grid.to_minute < 1440:
        high = wall(on, grid.to_minute, zone_name, ends=True)
    step = grid.step_minutes * MINUTE
    for span_start, span_end in spans:
        first = max(span_start, low, earliest)
        at = midnight + -(-(first - midnight) // step) * step
        while at < next_midnight and at + seconds <= min(span_end, high):
            yield at
            at += step


def slot_at(
    directory: Directory,
    timetable: Timetable,
    patient: Patient | None,
    authorizations: Iterable[Authorization],
    visit: Visit,
    now: int,
) -> Slot | None:
    """The visit as a slot if it could be booked as it stands, its room chosen; None otherwise."""
    wish = Wish(visit=visit, room="chosen", now=now)
    verdict: Verdict = assess(directory, timetable, patient, authorizations, wish)
    if verdict.reasons:
        return None
    choice = verdict.room
    return Slot(
        start=visit.start, end=visit.end, practitioner_id=visit.lines[0].practitioner_id,
        room_id=choice.room.id if choice else None, score=choice.score if choice else 0,
    )  # fmt: skip


def shifted(
    directory: Directory, visit: Visit, start: int, practitioner: Practitioner | None = None
) -> Visit:
    """The visit at another start, with another practitioner, or both; its lines keep their places in it."""
    by = start - visit.start
    lines: list[Line] = [
        msgspec.structs.replace(line, start=line.start + by, end=line.end + by) for line in visit.lines
    ]
    if practitioner is not None:
        lines[0].practitioner_id = practitioner.id
        lines[0].buffer_minutes = practitioner.buffer_minutes
    moved = msgspec.structs.replace(visit, start=start, end=visit.end + by, lines=lines)
    if in_force(directory).asks_buffers:
        set_tails(lines, buffers(directory, moved))
    return moved


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
    cut the list. `visit` says what is looked for; its own time and practitioner do not matter. Only times at which the
    patient can come are free."""
    clinic = directory.clinics[visit.clinic_id]
    seconds = visit.end - visit.start
    known = list(authorizations)
    everyone = [
        each for each in practitioners if patient is None or each.id not in patient.constraints.excluded
    ]
    found: list[Slot] = []
    for on in dates:
        wanted: list[tuple[int, Practitioner]] = []
        reach = (day_span(on, clinic.time_zone)[0], day_span(on, clinic.time_zone)[1] + seconds)
        here = people.windows(patient, clinic, visit, dates_touched(reach, clinic.time_zone))
        for practitioner in everyone if here != [] else ():
            spans = workable(directory, timetable, clinic, practitioner, on, visit.location, seconds)
            spans = spans if here is None else intersect(spans, here)
            wanted += [
                (at, practitioner) for at in starts(clinic.time_zone, grid, spans, on, seconds, earliest)
            ]
        wanted.sort(key=lambda each: each[0])
        todays: list[Slot] = []
        for at, practitioner in wanted:
            if len(found) + len(todays) > limit and at > todays[-1].start:
                break
            slot = slot_at(
                directory, timetable, patient, known, shifted(directory, visit, at, practitioner), earliest
            )
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
    now: int | None = None,
) -> list[Slot]:
    """The bookable times nearest to the visit's own, with its own practitioner: those at which the patient can come,
    nearest first, and then others. `now`, where it is not `earliest`: when they would be booked."""
    clinic = directory.clinics[visit.clinic_id]
    practitioner = directory.practitioners[visit.lines[0].practitioner_id]
    known = list(authorizations)
    wanted: list[int] = []
    for on in dates:
        if day_span(on, clinic.time_zone)[1] <= earliest:
            continue  # what is over has not been read
        spans = workable(
            directory, timetable, clinic, practitioner, on, visit.location, visit.end - visit.start
        )
        wanted += starts(clinic.time_zone, grid, spans, on, visit.end - visit.start, earliest)
    wanted.sort(key=lambda at: (abs(at - visit.start), at))
    if patient is not None and patient.constraints.availability:
        wanted.sort(key=lambda at: not people.can_come(patient, clinic, shifted(directory, visit, at)))
    found: list[Slot] = []
    for at in wanted:
        slot = slot_at(directory, timetable, patient, known, shifted(directory, visit, at), now or earliest)
        if slot is not None:
            found.append(slot)
            if len(found) == count:
                break
    return found

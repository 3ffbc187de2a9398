"""Which times are free: the same question as booking, asked of many starts. What is found here is bookable on the
facts it was found on, because the same `assess` says so.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain, groupby, repeat
from operator import itemgetter
from typing import Final

import msgspec

from holdfast.rules import hours, people, rooms
from holdfast.rules.assess import Verdict, Wish, assess, question_about
from holdfast.rules.facts import Authorization, Clinic, Directory, Line, Patient, Practitioner, Visit
from holdfast.rules.lines import presence, set_tails
from holdfast.rules.policy.buffers import buffers
from holdfast.rules.policy.policy import in_force
from holdfast.rules.timetable import Timetable
from holdfast.slot import MINUTE, Span, dates_touched, day_span, intersect, local_date, subtract, union, wall

_ALL_DAY: Final = frozenset({
    "inactive_resource", "credential_missing", "credential_expired", "authorization_missing",
    "authorization_mismatch", "authorization_inactive", "authorization_expired", "insufficient_units", "cap_exceeded",
})  # fmt: skip
"""Reasons that depend on the date, the service and the practitioner: what one start of a date is refused for with
somebody, every other start of it is."""


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
    key = ("workable", practitioner.id, clinic.id, on, location == "on_site", seconds)
    free: list[Span] | None = directory.remembered.get(key)
    if free is None:
        free = directory.remembered[key] = _there(directory, clinic, practitioner, on, location, seconds)
    if not free or practitioner.seats > 1:
        return free
    claims = timetable.overlapping(practitioner.id, free[0][0], free[-1][1])
    return subtract(free, [(claim.start, claim.end) for claim in claims]) if claims else free


def _there(
    directory: Directory, clinic: Clinic, practitioner: Practitioner, on: date, location: str, seconds: int
) -> list[Span]:
    """The same by the directory alone."""
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
    # What begins on the next date is that date's, and nothing that begins on this one reaches further.
    free = [(start, min(end, reach[1])) for start, end in free if start < next_midnight]
    if not free:
        return []
    whole = (free[0][0], free[-1][1])
    away = [(each.start, each.end) for each in hours.absences(directory, practitioner.id, whole)]
    if location == "on_site":
        away += [(each.start, each.end) for each in hours.absences(directory, clinic.id, whole)]
    return subtract(free, away)


def starts(
    zone_name: str, grid: Grid, spans: Iterable[Span], on: date, seconds: int, earliest: int
) -> Iterator[int]:
    """The grid's starts of a local date from which `seconds` fit into one of the spans, in order."""
    return chain.from_iterable(runs_of_starts(zone_name, grid, spans, on, seconds, earliest))


def runs_of_starts(
    zone_name: str, grid: Grid, spans: Iterable[Span], on: date, seconds: int, earliest: int
) -> list[range]:
    """Such starts, by span. A part of the day ends with its visits; a day that is looked at whole does not."""
    if on.weekday() not in grid.weekdays:
        return []
    midnight, next_midnight = day_span(on, zone_name)
    low = wall(on, grid.from_minute, zone_name)
    high = next_midnight + seconds
    if grid.to_minute < 1440:
        high = wall(on, grid.to_minute, zone_name, ends=True)
    step = grid.step_minutes * MINUTE
    runs = []
    for span_start, span_end in spans:
        first = max(span_start, low, earliest)
        at = midnight + -(-(first - midnight) // step) * step
        runs.append(range(at, min(next_midnight, min(span_end, high) - seconds + 1), step))
    return runs


def slot_of(visit: Visit, verdict: Verdict) -> Slot | None:
    """The visit as a slot, its room chosen; None if the verdict is against it."""
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
    *,
    acknowledged: frozenset[str] = frozenset(),
) -> tuple[list[Slot], bool]:
    """One slot per practitioner and start, ordered by start, score descending, practitioner; and whether the limit
    cut the list. `visit` says what is looked for; its own time and practitioner do not matter. Only times at which the
    patient can come are free. `acknowledged`: as a booking would say it (Wish)."""
    known = list(authorizations)
    able = list(practitioners)
    found: list[Slot] = []
    for on in dates:
        for slots in _by_start(
            directory, timetable, patient, known, visit, able, on, grid, earliest, acknowledged
        ):
            found += slots
            if len(found) > limit:
                return found[:limit], True
    return found, False


def _by_start(
    directory: Directory,
    timetable: Timetable,
    patient: Patient | None,
    authorizations: list[Authorization],
    visit: Visit,
    practitioners: list[Practitioner],
    on: date,
    grid: Grid,
    earliest: int,
    acknowledged: frozenset[str],
) -> Iterator[list[Slot]]:
    """The slots of a local date, all of one start at a time, as far as they are taken. Only what `assess` grants is
    given; what is certain without asking is not asked."""
    clinic = directory.clinics[visit.clinic_id]
    here = patients_time(timetable, patient, clinic, visit, on)
    never: set[int] = set()
    for at, wanted in groupby(
        _starts_of_all(directory, timetable, visit, practitioners, here, on, grid, earliest), itemgetter(0)
    ):
        slots: list[Slot] = []
        for _, number in wanted:
            if number in never:
                continue
            wished = shifted(directory, visit, at, practitioners[number])
            if not _suits_a_room(directory, patient, wished, earliest):
                continue
            wish = Wish(visit=wished, room="chosen", now=earliest, acknowledged=acknowledged)
            verdict = assess(directory, timetable, patient, authorizations, wish)
            slot = slot_of(wished, verdict)
            if slot is not None:
                slots.append(slot)
            elif any(reason.code in _ALL_DAY for reason in verdict.reasons):
                never.add(number)
            elif not has_room(directory, timetable, wished):
                break  # nor has it one with anybody else
        if slots:
            yield sorted(slots, key=lambda slot: (-slot.score, slot.practitioner_id))


def patients_time(
    timetable: Timetable, patient: Patient | None, clinic: Clinic, visit: Visit, on: date
) -> list[Span] | None:
    """When a visit that begins on a local date could be, as far as the patient is concerned; None: at any time."""
    midnight, next_midnight = day_span(on, clinic.time_zone)
    reach = (midnight, next_midnight + visit.end - visit.start)
    here = people.windows(patient, clinic, visit, dates_touched(reach, clinic.time_zone))
    if patient is None or presence(visit) != [(visit.start, visit.end)]:
        return here
    taken = timetable.overlapping(patient.id, *reach)
    if not taken:
        return here
    return subtract([reach] if here is None else here, [(claim.start, claim.end) for claim in taken])


def _starts_of_all(
    directory: Directory,
    timetable: Timetable,
    visit: Visit,
    practitioners: list[Practitioner],
    here: list[Span] | None,
    on: date,
    grid: Grid,
    earliest: int,
) -> Iterator[tuple[int, int]]:
    """The starts of a local date with the place of the practitioner in the list, in order; of those only that could be."""
    if here == [] or on.weekday() not in grid.weekdays:
        return iter(())
    clinic, seconds = directory.clinics[visit.clinic_id], visit.end - visit.start
    ways: list[Iterator[tuple[int, int]]] = []
    for number, practitioner in enumerate(practitioners):
        spans = workable(directory, timetable, clinic, practitioner, on, visit.location, seconds)
        if here is not None:
            spans = intersect(spans, here)
        if spans:
            ways.append(zip(starts(clinic.time_zone, grid, spans, on, seconds, earliest), repeat(number)))
    return heapq.merge(*ways)


def _suits_a_room(directory: Directory, patient: Patient | None, visit: Visit, now: int) -> bool:
    """Whether the rules admit any room for the visit, were it free."""
    if visit.location != "on_site":
        return True
    clinic = directory.clinics[visit.clinic_id]
    return rooms.admits_any(directory, question_about(directory, clinic, patient, visit, now))


def has_room(directory: Directory, timetable: Timetable, visit: Visit) -> bool:
    """Whether a room of the clinic might be had, whatever is asked of it: all of one seat may be taken."""
    if visit.location != "on_site":
        return True
    return any(
        room.seats > 1 or timetable.free_seat(room.id, visit.start, visit.end, 1) is not None
        for room in directory.rooms_of[visit.clinic_id]
    )


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
    *,
    acknowledged: frozenset[str] = frozenset(),
) -> list[Slot]:
    """The bookable times nearest to the visit's own, with its own practitioner: those at which the patient can come,
    nearest first, and then others. `now`, where it is not `earliest`: when they would be booked."""
    clinic = directory.clinics[visit.clinic_id]
    known = list(authorizations)
    wanted: Iterable[int] = _nearest(directory, timetable, visit, list(dates), grid, earliest)
    if patient is not None and patient.constraints.availability:
        every = list(wanted)
        every.sort(key=lambda at: not people.can_come(patient, clinic, shifted(directory, visit, at)))
        wanted = every
    found: list[Slot] = []
    never: set[date] = set()
    for at in wanted:
        on = local_date(at, clinic.time_zone)
        wished = shifted(directory, visit, at)
        if on in never or not has_room(directory, timetable, wished):
            continue
        if not _suits_a_room(directory, patient, wished, now or earliest):
            continue
        wish = Wish(visit=wished, room="chosen", now=now or earliest, acknowledged=acknowledged)
        verdict = assess(directory, timetable, patient, known, wish)
        slot = slot_of(wished, verdict)
        if slot is not None:
            found.append(slot)
            if len(found) == count:
                break
        elif any(reason.code in _ALL_DAY for reason in verdict.reasons):
            never.add(on)
    return found


def _nearest(
    directory: Directory, timetable: Timetable, visit: Visit, dates: list[date], grid: Grid, earliest: int
) -> Iterator[int]:
    """The grid's starts of these dates (in order), the nearest to the visit's own first, as far as they are taken."""
    clinic, seconds = directory.clinics[visit.clinic_id], visit.end - visit.start
    practitioner = directory.practitioners[visit.lines[0].practitioner_id]

    def on_date(on: date) -> list[range]:
        if day_span(on, clinic.time_zone)[1] <= earliest:
            return []  # what is over has not been read
        spans = workable(directory, timetable, clinic, practitioner, on, visit.location, seconds)
        return runs_of_starts(clinic.time_zone, grid, spans, on, seconds, earliest)

    own = local_date(visit.start, clinic.time_zone)
    today = on_date(own) if own in dates else []
    later = chain([today], (on_date(on) for on in dates if on > own))
    earlier = chain([today], (on_date(on) for on in reversed(dates) if on < own))
    after = (at for runs in later for run in runs for at in run if at >= visit.start)
    before = (at for runs in earlier for run in reversed(runs) for at in reversed(run) if at < visit.start)
    ahead = next(after, None)
    for back in before:
        while ahead is not None and ahead - visit.start < visit.start - back:
            yield ahead
            ahead = next(after, None)
        yield back
    if ahead is not None:
        yield ahead
        yield from after

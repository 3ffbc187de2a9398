"""When several people, and maybe a room, are free and working at once: by the hours, absences and claims that
availability looks at.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from holdfast.rules import hours
from holdfast.rules.availability import Grid, starts
from holdfast.rules.facts import Clinic, Directory, Practitioner, Room
from holdfast.rules.timetable import Timetable
from holdfast.slot import Span, dates_touched, day_span, intersect, subtract, union


def nearest_free(
    directory: Directory,
    timetable: Timetable,
    practitioners: Sequence[Practitioner],
    room: Room | None,
    span: Span,
    dates: Iterable[date],
    zone_name: str,
    earliest: int,
    count: int,
) -> list[int]:
    """The starts nearest to the span's own, nearest first, from which each has a free seat for as long as the span is,
    nobody is away, and all of it lies inside everybody's hours and the clinic's of the room. Dates are the zone's."""
    seconds = span[1] - span[0]
    wanted: list[int] = []
    for on in dates:
        midnight, next_midnight = day_span(on, zone_name)
        if next_midnight <= earliest:
            continue  # what is over has not been read
        reach = (midnight, next_midnight + seconds)
        free = _open(directory, practitioners, room, reach)
        wanted += starts(zone_name, Grid(), free, on, seconds, earliest)
    wanted.sort(key=lambda at: (abs(at - span[0]), at))
    seats = [(each.id, each.seats) for each in practitioners] + ([(room.id, room.seats)] if room else [])
    found: list[int] = []
    for at in wanted:
        if all(timetable.free_seat(each, at, at + seconds, most) is not None for each, most in seats):
            found.append(at)
            if len(found) == count:
                break
    return found


def _open(
    directory: Directory, practitioners: Iterable[Practitioner], room: Room | None, reach: Span
) -> list[Span]:
    """The parts of a reach in which everybody works, nobody is away, and the room's clinic is open."""
    clinic = directory.clinics[room.clinic_id] if room is not None else None
    free, away = [reach], []
    for practitioner in practitioners:
        free = intersect(free, _working(directory, practitioner, clinic, reach))
        away += hours.absences(directory, practitioner.id, reach)
    if clinic is not None and room is not None:
        if clinic.hours:
            dates = dates_touched(reach, clinic.time_zone)
            free = intersect(
                free, union(each for on in dates for each in hours.opening(directory, clinic, on))
            )
        away += hours.absences(directory, clinic.id, reach) + hours.absences(directory, room.id, reach)
    return subtract(free, [(each.start, each.end) for each in away])


def _working(
    directory: Directory, practitioner: Practitioner, clinic: Clinic | None, reach: Span
) -> list[Span]:
    """When somebody works at a clinic, or at any of theirs if none is named. Who has no hours works when asked."""
    if not practitioner.hours and not practitioner.exceptions:
        return [reach]
    named = {each.clinic_id for each in practitioner.hours}
    named |= {each.clinic_id for each in practitioner.exceptions}
    clinics = [clinic] if clinic is not None else [directory.clinics[each] for each in sorted(named)]
    return union(
        span
        for each in clinics
        for on in dates_touched(reach, each.time_zone)
        for span in hours.working(directory, practitioner, each, on)
    )

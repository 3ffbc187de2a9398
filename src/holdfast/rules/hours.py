"""When a clinic is open and a practitioner works: wall-clock hours of a date become spans of instants.

A clinic without recorded hours is bound by none; a practitioner without any recorded hours works when asked, within
the clinic's hours. Closures and time off are not hours: they are looked at by the span they cover.
"""

from datetime import date

from holdfast.rules.facts import Clinic, Closure, Directory, Practitioner, TimeOff
from holdfast.slot import Span, contains, dates_touched, overlaps, union, wall


def opening(directory: Directory, clinic: Clinic, on: date) -> list[Span]:
    """The opening hours that belong to a local date, as disjoint spans in order."""
    remembered = directory.remembered.get(("open", clinic.id, on))
    if remembered is None:
        remembered = union(
            _span(on, opens, closes, clinic.time_zone)
            for weekday, opens, closes in clinic.hours
            if weekday == on.weekday()
        )
        directory.remembered["open", clinic.id, on] = remembered
    return list(remembered)


def working(directory: Directory, practitioner: Practitioner, clinic: Clinic, on: date) -> list[Span]:
    """A practitioner's hours of a local date at a clinic, as disjoint spans in order."""
    key = ("work", practitioner.id, clinic.id, on)
    remembered = directory.remembered.get(key)
    if remembered is None:
        remembered = union(
            _span(on, starts, ends, clinic.time_zone)
            for starts, ends in _wall_hours(practitioner, clinic.id, on)
        )
        directory.remembered[key] = remembered
    return list(remembered)


def _wall_hours(practitioner: Practitioner, clinic_id: str, on: date) -> list[tuple[int, int]]:
    exceptions = [x for x in practitioner.exceptions if x.clinic_id == clinic_id and x.on_date == on]
    if exceptions:
        return [(x.starts, x.ends) for x in exceptions if x.starts is not None and x.ends is not None]
    return [
        (hours.starts, hours.ends)
        for hours in practitioner.hours
        if hours.clinic_id == clinic_id
        and hours.weekday == on.weekday()
        and (hours.valid_from is None or hours.valid_from <= on)
        and (hours.valid_to is None or on <= hours.valid_to)
    ]


def _span(on: date, starts: int, ends: int, zone_name: str) -> Span:
    return wall(on, starts, zone_name), wall(on, ends, zone_name, ends=True)


def is_open(directory: Directory, clinic: Clinic, span: Span) -> bool:
    """Whether all of the span lies inside opening hours (which may meet at midnight)."""
    if not clinic.hours:
        return True
    dates = dates_touched(span, clinic.time_zone)
    return contains(union(s for on in dates for s in opening(directory, clinic, on)), span)


def is_working(directory: Directory, practitioner: Practitioner, clinic: Clinic, span: Span) -> bool:
    """Whether all of the span lies inside the practitioner's hours at the clinic."""
    if not practitioner.hours and not practitioner.exceptions:
        return True
    dates = dates_touched(span, clinic.time_zone)
    return contains(union(s for on in dates for s in working(directory, practitioner, clinic, on)), span)


def absences(directory: Directory, resource_id: str, span: Span) -> list[Closure | TimeOff]:
    """The closures or time off of a clinic, room or practitioner that overlap the span."""
    known = directory.absences_of.get(resource_id)
    return [each for each in known if overlaps((each.start, each.end), span)] if known else []

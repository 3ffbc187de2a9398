"""A time of the week that somebody wants for many weeks: which time, with whom, on how many of the dates it is free, and
why not on the others. Every date is asked of `assess`, one after the other as they would be booked.
"""

import heapq
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from datetime import date

import msgspec

from holdfast.errors import Reason
from holdfast.rules import people
from holdfast.rules.assess import Wish, assess
from holdfast.rules.availability import Slot, has_room, patients_time, shifted, slot_of, workable
from holdfast.rules.facts import Authorization, Clinic, Counted, Directory, Patient, Practitioner, Visit
from holdfast.rules.timetable import Timetable
from holdfast.rules.units import Paid
from holdfast.slot import Span, contains, wall


class PatternDate(msgspec.Struct, frozen=True):
    """One date of a pattern; instants are epoch seconds. `slot` None: not free, for these reasons."""

    on: date
    start: int
    end: int
    slot: Slot | None
    reasons: tuple[Reason, ...]


class Pattern(msgspec.Struct, frozen=True):
    """`minute`: the wall-clock time, since midnight."""

    practitioner_id: str
    minute: int
    dates: tuple[PatternDate, ...]

    @property
    def free(self) -> int:
        """On how many dates it is free."""
        return sum(each.slot is not None for each in self.dates)


class Question(msgspec.Struct, frozen=True):
    """What is looked for. `visit`: its own time and practitioner do not matter. `earliest`: nothing begins before."""

    directory: Directory
    timetable: Timetable
    patient: Patient | None
    authorizations: Sequence[Authorization]
    visit: Visit
    dates: Sequence[date]
    earliest: int
    acknowledged: frozenset[str] = frozenset()

    @property
    def clinic(self) -> Clinic:
        return self.directory.clinics[self.visit.clinic_id]

    def span(self, on: date, minute: int) -> Span:
        """The same time on the wall, whatever the clock does in between."""
        start = wall(on, minute, self.clinic.time_zone)
        return start, start + self.visit.end - self.visit.start


_Rank = tuple[int, int, str]
"""What patterns are ordered by: the most free dates, then the earlier time, then the practitioner."""


def patterns(
    sought: Question, practitioners: Sequence[Practitioner], minutes: Sequence[int], limit: int
) -> Generator[None, None, tuple[list[Pattern], bool]]:
    """The best patterns that are free on some date, and whether there are more. Yields where others may have their turn.

    A pattern is looked at only if the dates on which it may be free, as far as is plain without asking, could bring it
    among the best: so what is left out is certainly not better.
    """
    waiting: list[tuple[_Rank, Practitioner, list[date]]] = []
    for practitioner in practitioners:
        waiting += _hopeful(sought, practitioner, minutes)
        yield
    order = [(rank, number) for number, (rank, _, _) in enumerate(waiting)]
    heapq.heapify(order)
    full: set[Span] = set()
    best: list[tuple[_Rank, Pattern]] = []
    while order and not (len(best) > limit and best[limit][0] <= order[0][0]):
        (hope, minute, _), number = heapq.heappop(order)
        _, practitioner, dates = waiting[number]
        fewer = sum(sought.span(on, minute) not in full for on in dates)
        if fewer < -hope:
            if fewer:
                heapq.heappush(order, ((-fewer, minute, practitioner.id), number))
            continue
        pattern = _pattern(sought, practitioner, minute, full)
        if pattern.free:
            best.append(((-pattern.free, minute, practitioner.id), pattern))
            best.sort(key=lambda each: each[0])
            del best[limit + 1 :]
        yield
    return [pattern for _, pattern in best[:limit]], len(best) > limit


def _hopeful(
    sought: Question, practitioner: Practitioner, minutes: Sequence[int]
) -> list[tuple[_Rank, Practitioner, list[date]]]:
    """Each time of day with the dates on which the practitioner and the patient might be there."""
    dates: dict[int, list[date]] = {minute: [] for minute in minutes}
    visit = sought.visit
    for on in sought.dates:
        spans = workable(
            sought.directory, sought.timetable, sought.clinic, practitioner, on, visit.location, visit.end - visit.start
        )  # fmt: skip
        here = patients_time(sought.timetable, sought.patient, sought.clinic, visit, on) if spans else None
        for minute in minutes if spans else ():
            span = sought.span(on, minute)
            if (
                span[0] >= sought.earliest
                and contains(spans, span)
                and (here is None or contains(here, span))
            ):
                dates[minute].append(on)
    return [
        ((-len(days), minute, practitioner.id), practitioner, days) for minute, days in dates.items() if days
    ]


def _pattern(sought: Question, practitioner: Practitioner, minute: int, full: set[Span]) -> Pattern:
    """All dates of one pattern. The units that a date takes, the next does not find. `full` learns at which times no room
    can be had with anybody."""
    known, patient = list(sought.authorizations), sought.patient
    dates: list[PatternDate] = []
    for on in sought.dates:
        visit = shifted(sought.directory, sought.visit, sought.span(on, minute)[0], practitioner)
        wish = Wish(
            visit=visit, room="chosen", now=sought.earliest, earliest=sought.earliest, acknowledged=sought.acknowledged
        )  # fmt: skip
        verdict = assess(sought.directory, sought.timetable, patient, known, wish)
        slot, reasons = slot_of(visit, verdict), verdict.reasons
        if slot is not None and not people.can_come(sought.patient, sought.clinic, visit):
            slot, reasons = None, [people.OUTSIDE]
        if slot is not None:
            known = _spent(known, verdict.paid)
            patient = _counting(patient, sought.directory, visit, on, verdict.paid)
        elif not has_room(sought.directory, sought.timetable, visit):
            full.add((visit.start, visit.end))
        dates.append(PatternDate(on, visit.start, visit.end, slot, tuple(reasons)))
    return Pattern(practitioner.id, minute, tuple(dates))


def _spent(known: list[Authorization], paid: Iterable[Paid]) -> list[Authorization]:
    taken = Counter[str]()
    for each in paid:
        if each.authorization is not None:
            taken[each.authorization.id] += each.units
    if not taken:
        return known
    return [
        msgspec.structs.replace(each, scheduled_units=each.scheduled_units + taken[each.id])
        if each.id in taken
        else each
        for each in known
    ]


def _counting(
    patient: Patient | None, directory: Directory, visit: Visit, on: date, paid: Sequence[Paid]
) -> Patient | None:
    """The patient with what a date takes counted for the dates to come."""
    if patient is None:
        return None
    more = [
        Counted(on, each.authorization.payer_id, directory.service_code(line.service_id), each.units)
        for line, each in zip(visit.lines, paid, strict=True)
        if each.authorization is not None
    ]
    return msgspec.structs.replace(patient, counted=(*patient.counted, *more)) if more else patient

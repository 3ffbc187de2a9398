"""What is asked of rules and rooms for one visit."""

from functools import cached_property
from typing import Literal

from holdfast.rules.facts import Clinic, Patient, Room, Service, Visit
from holdfast.slot import MINUTE, Span, day_span, local_date, wall_clock

NOBODY_NEEDS: frozenset[str] = frozenset()


class Question:
    """One visit as the rules see it. `practitioner_ids` in the order of its lines. Rooms are scored by the rules that
    hold for the first; the hard rules of each of the others are asked besides (`of`).

    `people`: how many the room must hold: as many as the service says, or as a group may have members. `turnover_minutes`:
    of a group's member those of the group, whatever is said by now of rooms.
    `rooms`: all of the clinic. `now`: when it is asked, epoch seconds; reserved time is released by it. Nothing here is
    looked up: what a rule must know beside this stands in the room, the timetable or the patient's past.
    """

    def __init__(
        self,
        clinic: Clinic,
        rooms: tuple[Room, ...],
        service: Service,
        patient: Patient | None,
        visit: Visit,
        now: int,
    ) -> None:
        self.clinic = clinic
        self.rooms = rooms
        self.service = service
        self.patient = patient
        self.needs = NOBODY_NEEDS if patient is None else patient.needs
        self.visit = visit
        self.people = (
            service.capacity if visit.group is None else max(service.capacity, visit.group.members_max)
        )
        self.turnover_minutes = (
            None if visit.group is None or visit.group_id is None else visit.group.turnover_minutes
        )
        self.span: Span = (visit.start, visit.end)
        self.now = now
        lines = visit.lines
        self.practitioner_ids: tuple[str, ...] = (
            (lines[0].practitioner_id,)
            if len(lines) == 1
            else tuple(dict.fromkeys(line.practitioner_id for line in lines))
        )

    @cached_property
    def day(self) -> Span:
        """The local day on which the visit begins, for counting."""
        return day_span(local_date(self.span[0], self.clinic.time_zone), self.clinic.time_zone)

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return wall_clock(self.span[0], self.clinic.time_zone)[0].weekday()

    @cached_property
    def minutes(self) -> Span:
        """From when until when by the clinic's clock, in minutes since midnight of the day on which it begins: beyond 1440
        for a visit that crosses midnight."""
        first, start = wall_clock(self.span[0], self.clinic.time_zone)
        last, end = wall_clock(self.span[1] - MINUTE, self.clinic.time_zone)
        return start, (last - first).days * 1440 + end + 1

    @cached_property
    def kind(self) -> Literal["new", "returning"] | None:
        """Whether the patient has had a visit before this one that took place or will; None where no patient is named."""
        if self.patient is None:
            return None
        return (
            "returning" if any(self.is_before(each.start, each.id) for each in self.patient.past) else "new"
        )

    def of(self, practitioner_id: str) -> "Question":
        """The same as asked of one of the visit's practitioners."""
        if len(self.practitioner_ids) == 1:
            return self
        own = Question(self.clinic, self.rooms, self.service, self.patient, self.visit, self.now)
        own.practitioner_ids = (practitioner_id,)
        return own

    def is_before(self, start: int, visit_id: str) -> bool:
        return start < self.span[0] and visit_id != self.visit.id

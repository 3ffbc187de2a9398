"""Move a visit in time, to another practitioner, room or place, or change its notes: the same laws as booking,
with the visit itself out of its own way. Also the room override, which differs in permission, reason and pin.
"""

import msgspec

from holdfast.actor import Asked
from holdfast.commands.desk import Desk
from holdfast.commands.in_group import check_alone
from holdfast.commands.intent import (
    Placing,
    check_overlap,
    check_time,
    copied,
    dates_of,
    enclose,
    kept_wish,
    known,
    place_anew,
    sealed_notes,
    sealed_reason,
    tails,
)
from holdfast.commands.line_wish import TRAVELLED_TO
from holdfast.errors import FieldError, Invalid, Refused
from holdfast.rules.assess import Wish
from holdfast.rules.facts import DatesOf, Directory, Visit
from holdfast.states import MOVABLE, TRANSITIONS


class Move(Placing, kw_only=True):
    """Only the fields that are given change; a new start without an end keeps the length."""

    id: str
    start: int | None = None
    end: int | None = None
    practitioner_id: str | None = None
    room_id: str | None = None
    location: str | None = None
    notes: str | msgspec.UnsetType | None = msgspec.UNSET
    override_reason: str | None = None
    overlap_reason: str | None = None
    handed_over_by: str | None = None
    """Who hands over to `practitioner_id` all that they give in the visit; nobody named: whoever gives the first line."""

    is_planned: bool = False
    """A plan found the room: it must be that one, but nobody has chosen it by hand."""

    @property
    def is_placing(self) -> bool:
        return True

    @property
    def is_placing_anew(self) -> bool:
        """Whether more than notes is asked for."""
        return not self._fields() <= {"notes"}

    @property
    def visit_id(self) -> str | None:
        return self.id

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        assert before is not None, "a move has a visit"  # noqa: S101 the transaction reads it first
        visit = copied(before)
        self._place(directory, visit)
        if self.start is not None:
            for line in visit.lines:
                line.start += self.start - before.start
                line.end += self.start - before.start
        if self.practitioner_id is not None:
            known(directory.practitioners, self.practitioner_id, "practitioner_id")
            gives = self.handed_over_by or before.lines[0].practitioner_id
            for line in visit.lines:
                if line.practitioner_id == gives:
                    line.practitioner_id = self.practitioner_id
        enclose(visit)
        if self.end is not None:
            self._end(visit, self.end)
        if before.lines != visit.lines:
            tails(directory, visit)
        if (visit.start, visit.end) != (before.start, before.end) and before.status == "confirmed":
            visit.status = "scheduled"
        return visit

    def _end(self, visit: Visit, end: int) -> None:
        """Lines that ended with the visit still do, and none goes on after it."""
        for line in visit.lines:
            if line.end == visit.end or line.end > end:
                if line.start >= end and len(visit.lines) > 1:
                    raise Invalid(
                        FieldError("end", "invalid_value", f"line {line.line_no} begins no earlier than that")
                    )
                line.end = end
        visit.end = end

    def _place(self, directory: Directory, visit: Visit) -> None:
        service = directory.services[visit.lines[0].service_id]
        if self.location is not None:
            if self.location not in service.locations:
                offered = ", ".join(service.locations)
                raise Invalid(FieldError("location", "invalid_value", f"{service.code} is given {offered}"))
            visit.location = self.location
            if visit.location != "on_site":
                visit.room_id = None
            if visit.location not in TRAVELLED_TO:
                for line in visit.lines:
                    line.travel_before_minutes = 0
        if self.room_id is not None:
            known(directory.rooms, self.room_id, "room_id")
            if visit.location != "on_site":
                raise Invalid(FieldError("room_id", "invalid_value", "only an on-site visit has a room"))
            visit.room_id = self.room_id

    def _fields(self) -> set[str]:
        given = {
            name
            for name in ("start", "end", "practitioner_id", "room_id", "location")
            if getattr(self, name) is not None
        }
        return given if self.notes is msgspec.UNSET else given | {"notes"}

    def dates(self, directory: Directory, before: Visit | None, now: int) -> list[DatesOf]:
        return [] if before is None else dates_of(directory, before, self.start)

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        wish = kept_wish(directory, visit, before or visit, self.acknowledged)
        if self.room_id is not None:
            wish.room = "given"
        wish.overlap = self.overlap_reason is not None or (
            before is not None and _stays_within(visit, before)
        )
        return wish

    def decide(self, desk: Desk, asked: Asked) -> Visit:
        before = desk.visit(asked, self.id)
        fields = self._fields()
        if not fields <= MOVABLE[before.status]:
            raise Refused(
                "illegal_transition",
                f"A visit that is {before.status} cannot change {', '.join(sorted(fields - MOVABLE[before.status]))}.",
                allowed=sorted(TRANSITIONS[before.status]),
                movable=sorted(MOVABLE[before.status]),
                status_now=before.status,
                version=before.version,
            )
        visit = self.wished(desk.directory, before, desk.now)
        if not isinstance(self.notes, msgspec.UnsetType):
            visit.notes_encrypted = sealed_notes(desk.keeping, visit.id, self.notes)
        if not self.is_placing_anew:
            desk.put(asked, "appointment.noted", visit, before)
            return visit
        check_alone(before)
        check_time(desk.settings, desk.now, visit.start, visit.end, "end")
        desk.allow_times(asked, before, visit)
        check_overlap(asked, self.overlap_reason)
        self._place_anew(desk, asked, before, visit)
        return visit

    def _place_anew(self, desk: Desk, asked: Asked, before: Visit, visit: Visit) -> None:
        by_hand = self.room_id is not None and not self.is_planned
        manual = by_hand or (before.method == "manual" and visit.room_id == before.room_id)
        held, new = place_anew(
            desk, asked, before, visit, self.wish(desk.directory, visit, before), manual=manual
        )
        kind, detail = "appointment.moved", sealed_reason(desk.keeping, visit.id, self.overlap_reason)
        if self.override_reason is not None:
            visit.pinned, kind = True, "appointment.room_overridden"
            detail = sealed_reason(desk.keeping, visit.id, self.override_reason) | {
                "room_id": visit.room_id or ""
            }
        desk.put(asked, kind, visit, before, gone=held, new=new, **detail)


def _stays_within(visit: Visit, before: Visit) -> bool:
    """No time of a practitioner is new: what was allowed beside others stays so."""
    return (
        before.start <= visit.start
        and visit.end <= before.end
        and [line.practitioner_id for line in visit.lines] == [line.practitioner_id for line in before.lines]
    )

"""The status calls: confirm, check in, start, complete, cancel, no-show, reinstate, reopen. The table in
`states.TRANSITIONS` says which are legal; this file says what each does to claims, units and times.
"""

from typing import ClassVar

import msgspec

from holdfast.actor import Asked
from holdfast.commands.claims_kept import HeldClaim
from holdfast.commands.desk import Desk
from holdfast.commands.intent import (
    MOVES,
    RELEASES,
    Placing,
    copied,
    dates_of,
    granted,
    illegal,
    kept_wish,
    reason_context,
    settle,
    tails,
)
from holdfast.errors import FieldError, Invalid, Refused
from holdfast.events import AFTER_CALL
from holdfast.rules.assess import Wish
from holdfast.rules.facts import DatesOf, Directory, Visit
from holdfast.rules.lines import taken
from holdfast.rules.timetable import Claim
from holdfast.slot import DAY, MINUTE
from holdfast.states import TRANSITIONS, WITHOUT_CLAIMS

_LATE_MINUTES = "late_cancellation_minutes"
_LATE_MINUTES_DEFAULT = 24 * 60
_REASON_CODES = "cancellation_reason_codes"


class LineMinutes(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a line really took."""

    line_no: int
    minutes_actual: int


class Transition(Placing, kw_only=True):
    """`at`: when it happened (default: now). The cancellation's fields and `lines` belong to their calls."""

    id: str
    call: str
    at: int | None = None
    lines: tuple[LineMinutes, ...] = ()
    cancelled_by: str | None = None
    reason_code: str | None = None
    reason: str | None = None

    releasing: ClassVar[frozenset[str]] = frozenset({"cancel", "no-show", "complete"})
    happening: ClassVar[frozenset[str]] = frozenset({"check-in", "start", "complete"})

    @property
    def is_placing(self) -> bool:
        return self.call == "reinstate"

    @property
    def visit_id(self) -> str | None:
        return self.id

    @property
    def rank(self) -> int:
        return RELEASES if self.call in self.releasing else MOVES

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        assert before is not None, "a status call has a visit"  # noqa: S101 the transaction reads it first
        if before.status not in WITHOUT_CLAIMS:
            return before
        visit = copied(before)  # its time is taken again with the buffers of today
        tails(directory, visit)
        return visit

    def dates(self, directory: Directory, before: Visit | None, now: int) -> list[DatesOf]:
        return [] if before is None else dates_of(directory, before)

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        return kept_wish(directory, visit, before or visit, self.acknowledged)

    def keeps_start(self, visit: Visit, before: Visit | None, now: int) -> bool:
        """Who comes late comes while the visit is not over; otherwise time is taken again as it is booked."""
        return self.call == "check-in" and visit.end > now

    def decide(self, desk: Desk, asked: Asked) -> Visit:
        before = desk.visit(asked, self.id)
        status = TRANSITIONS[before.status].get(self.call)
        if status is None:
            raise illegal(before, self.call)
        if before.status == "completed" and any(line.line_status == "signed" for line in before.lines):
            raise signed(before)
        self._check_reason(desk)
        visit = copied(before)
        visit.status = status
        self._stamp(desk, visit)
        gone: list[HeldClaim] = []
        new: list[HeldClaim] = []
        if status in WITHOUT_CLAIMS:
            gone = desk.lift(before)
            self._release(desk, visit)
        elif before.status in WITHOUT_CLAIMS:
            new = self._take_again(desk, asked, before, visit)
        elif self.call == "complete":
            gone, new = self._complete(desk, before, visit)
        desk.put(asked, AFTER_CALL[self.call], visit, before, gone=gone, new=new)
        return visit

    def _check_reason(self, desk: Desk) -> None:
        codes = desk.directory.organization.settings.get(_REASON_CODES)
        if codes and self.reason_code is not None and self.reason_code not in codes:
            raise Invalid(FieldError("reason_code", "invalid_value", f"must be one of {', '.join(codes)}"))

    def _stamp(self, desk: Desk, visit: Visit) -> None:
        at = desk.now if self.at is None else self.at
        if at > desk.now + MINUTE:
            raise Invalid(FieldError("at", "invalid_value", "is in the future"))
        if self.call in self.happening and self.at is not None and at < visit.start - DAY:
            raise Invalid(FieldError("at", "invalid_value", "is more than a day before the visit"))
        if self.call == "check-in":
            visit.checked_in_at = at
        elif self.call == "start":
            visit.started_at = at
        elif self.call == "complete":
            visit.completed_at = at
        elif self.call == "reopen":
            visit.completed_at = None
            for line in visit.lines:
                line.line_status, line.minutes_actual = "planned", None
            if visit.status != "in_progress":
                visit.started_at = None
            if visit.status == "scheduled":
                visit.checked_in_at = None

    def _release(self, desk: Desk, visit: Visit) -> None:
        """Claims and units go back; a cancellation keeps who, why, and how much notice there was."""
        visit.needs_action = None
        for line in visit.lines:
            line.units_reserved = line.unfunded_units = 0
            line.funding = None
        if self.call != "cancel":
            return
        visit.cancelled_at = desk.now if self.at is None else self.at
        visit.cancelled_by = self.cancelled_by
        visit.cancel_reason_code = self.reason_code
        visit.notice_minutes = (visit.start - visit.cancelled_at) // MINUTE
        late_below = desk.directory.organization.settings.get(_LATE_MINUTES, _LATE_MINUTES_DEFAULT)
        # An error is not held against anyone (practice.md, Status).
        visit.cancelled_late = self.cancelled_by != "error" and visit.notice_minutes < late_below
        if self.reason:
            sealed = desk.keeping.seal.seal(self.reason.encode(), reason_context(visit.id))
            visit.cancel_reason_encrypted = sealed.hex()

    def _take_again(self, desk: Desk, asked: Asked, before: Visit, visit: Visit) -> list[HeldClaim]:
        """A visit that had let go of its time and units asks for them again: all checks as for a booking."""
        visit.cancelled_at = visit.cancelled_by = visit.cancelled_late = visit.notice_minutes = None
        visit.cancel_reason_code = visit.cancel_reason_encrypted = None
        if visit.status == "scheduled":
            visit.checked_in_at = visit.started_at = None
        tails(desk.directory, visit)
        wish = self.wish(desk.directory, visit, before)
        stays = self.keeps_start(visit, before, desk.now)
        verdict = granted(desk, asked, desk.patient(visit.patient_id), wish, stays=stays)
        kept_room = verdict.room is not None and verdict.room.room.id == before.room_id
        settle(desk.directory, visit, verdict, manual=before.method == "manual" and kept_room)
        return desk.claims_for(visit, verdict)

    def completed(self, desk: Desk, before: Visit) -> tuple[Visit, list[HeldClaim], list[HeldClaim]]:
        """The visit completed and not put down yet, the claims that go and those that come. Raises Refused, Invalid."""
        if "complete" not in TRANSITIONS[before.status]:
            raise illegal(before, "complete")
        visit = copied(before)
        visit.status = "completed"
        self._stamp(desk, visit)
        return visit, *self._complete(desk, before, visit)

    def _complete(self, desk: Desk, before: Visit, visit: Visit) -> tuple[list[HeldClaim], list[HeldClaim]]:
        """Fixes the minutes; a visit that ended early gives back the rest of its time."""
        numbers = {line.line_no for line in visit.lines}
        for given in self.lines:
            if given.line_no not in numbers:
                raise Invalid(FieldError("lines", "invalid_value", f"the visit has no line {given.line_no}"))
            if not 0 <= given.minutes_actual <= desk.settings.visit_minutes_max:
                raise Invalid(FieldError("lines", "invalid_value", "minutes_actual is out of range"))
        actual = {given.line_no: given.minutes_actual for given in self.lines}
        # The first line is the visit's own, and others that were given have begun too: a minute of each at least.
        begun = [line.start + MINUTE for line in visit.lines if line.line_no == 1 or actual.get(line.line_no)]
        ended = min(visit.end, max(self._ended(desk, before), *begun))
        visit.lines = [line for line in visit.lines if line.start < ended]
        for line in visit.lines:
            line.line_status = "completed"
            line.end = min(line.end, ended)
            # Who came late was given less: what is not said is counted from when it began.
            began = max(line.start, visit.started_at or line.start)
            line.minutes_actual = actual.get(line.line_no, max(0, line.end - began) // MINUTE)
        if ended == visit.end:
            return [], []
        held = desk.lift(before)
        visit.end = max(line.end for line in visit.lines)
        return held, trimmed(held, visit)

    def _ended(self, desk: Desk, before: Visit) -> int:
        """When the visit was over, in whole minutes: the one that has begun is the visit's. Who completes it ahead of its
        time without saying when says nothing about its end."""
        if self.at is None:
            at = -(-desk.now // MINUTE) * MINUTE
            return at if at > before.start else before.end
        began = before.start if before.started_at is None else before.started_at
        if self.at <= began:
            raise Invalid(FieldError("at", "invalid_value", "is not after the visit's beginning"))
        return max(-(-self.at // MINUTE) * MINUTE, before.start + MINUTE)


def signed(visit: Visit) -> Refused:
    return Refused(
        "illegal_transition", "A visit whose note is signed stays completed.", allowed=[],
        status_now=visit.status, version=visit.version,
    )  # fmt: skip


def trimmed(held: list[HeldClaim], visit: Visit) -> list[HeldClaim]:
    """The claims of a visit that ended early: what followed the old end follows the new, on the seat that it had. A line
    that had not begun has left the visit."""
    return [
        (each.resource_id, Claim(each.start, each.end, claim.seat, each.kind, visit.id))
        for each in taken(visit)
        for resource, claim in held
        if resource == each.resource_id and claim.start <= each.start < claim.end
    ]

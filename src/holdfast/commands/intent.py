"""What every verb on a visit has in common. One verb, one file; each says which facts it needs and decides on the
desk, without awaiting anything.
"""

import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeGuard

import msgspec

from holdfast.abstract import AbstractStruct
from holdfast.actor import Asked
from holdfast.commands import in_group
from holdfast.commands.claims_kept import HeldClaim
from holdfast.commands.desk import Desk, View, earliest_start
from holdfast.db.keeping import Keeping
from holdfast.errors import REFUSALS, FieldError, Invalid, NotFound, Refused
from holdfast.rules.assess import Verdict, Wish, assess, spans
from holdfast.rules.decision import NONE, Kept, kept, rules_applied
from holdfast.rules.facts import DatesOf, Directory, Patient, SpanOf, Visit
from holdfast.rules.lines import set_tails
from holdfast.rules.policy.buffers import buffers
from holdfast.rules.policy.policy import in_force
from holdfast.rules.rooms import Account
from holdfast.settings import Settings
from holdfast.slot import DAY, MINUTE, local_date
from holdfast.states import TRANSITIONS

RELEASES, MOVES, BOOKINGS = 0, 1, 2
"""The order in which one batch is decided: what frees time goes first."""


class Errand(msgspec.Struct, metaclass=AbstractStruct):
    """What a request sends through the lane: a verb on a visit, several that are granted together, or one on units."""

    @property
    def rank(self) -> int:
        return MOVES

    @property
    def needs_turn(self) -> bool:
        """Whether it is decided in the turn only, never ahead of it."""
        return False

    @property
    @abstractmethod
    def parts(self) -> tuple["Intent", ...]:
        """The verbs on visits that it is made of."""

    @property
    def authorization_ids(self) -> tuple[str, ...]:
        """The authorizations that the request names; any number of requests about one travel in a batch."""
        return ()

    @property
    @abstractmethod
    def status(self) -> int:
        """Of the answer, when it is granted."""

    @abstractmethod
    def carry_out(self, desk: Desk, asked: Asked, view: View) -> tuple[bytes, int | None]:
        """Grants: puts everything down on the desk and returns the answer, and the version of what it shows if that is one
        visit. Raises Refused, NotFound, Invalid, and then nothing has changed."""


class Intent(Errand):
    """A verb on one visit, as asked for."""

    @property
    def parts(self) -> tuple["Intent", ...]:
        return (self,)

    @property
    def is_placing(self) -> bool:
        """Whether the visit is given its time by this: then the answer says what is to be known of its patient."""
        return False

    @property
    def visit_id(self) -> str | None:
        """The stored visit that the verb is about; at most one verb on it travels in a batch."""
        return None

    @property
    def other_visit_ids(self) -> tuple[str, ...]:
        """Stored visits that are only looked at."""
        return ()

    @property
    def patient_id(self) -> str | None:
        """The patient, where the request names one and not a visit."""
        return None

    @property
    def caregiver_ids(self) -> tuple[str, ...]:
        """The contacts that the request names."""
        return ()

    @property
    def hold_id(self) -> str | None:
        """The hold that the request uses up or releases."""
        return None

    @property
    def group_id(self) -> str | None:
        """The group that a booking is for."""
        return None

    @property
    def status(self) -> int:
        return 200 if self.visit_id else 201

    @abstractmethod
    def spans(self, directory: Directory, before: Visit | None, now: int) -> list[SpanOf]:
        """The time on resources that deciding looks at, beside that of the hold."""

    def dates(self, directory: Directory, before: Visit | None, now: int) -> list[DatesOf]:
        """The local dates on which the patient's units are counted for it, beside that of the stored visit."""
        return []

    @abstractmethod
    def decide(self, desk: Desk, asked: Asked) -> Visit:
        """Grants: puts the visit down on the desk and returns it. Raises Refused, NotFound, Invalid."""

    def carry_out(self, desk: Desk, asked: Asked, view: View) -> tuple[bytes, int | None]:
        visit = self.decide(desk, asked)
        patient = desk.patient(visit.patient_id) if self.is_placing else None
        return view(visit, desk.directory, asked, patient), visit.version


class Placing(Intent, kw_only=True):
    """A verb that asks for time: there is a visit as it shall be. `acknowledged`: what shall be so although a payer warns of
    it (Wish)."""

    acknowledged: frozenset[str] = frozenset()

    @abstractmethod
    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        """The visit as it shall be. Raises NotFound and Invalid naming the field."""

    @abstractmethod
    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        """What is asked of the visit as it shall be, `before` being as it is stored."""

    def foresee(self, directory: Directory, visit: Visit) -> None:
        """The visit whose time was looked at last. Who is asked often may give it once more instead of making it anew."""

    def spans(self, directory: Directory, before: Visit | None, now: int) -> list[SpanOf]:
        """Of the visit as it is and as it shall be; of the latter nothing, if it cannot be."""
        looked_at = spans(directory, before) if before is not None else []
        try:
            visit = self.wished(directory, before, now)
        except (NotFound, Invalid):
            return looked_at
        if visit.end - visit.start > DAY:
            return looked_at  # longer than storage allows: refused by check_time, and not read for a thousand years
        self.foresee(directory, visit)
        return looked_at + spans(directory, visit)

    def dates(self, directory: Directory, before: Visit | None, now: int) -> list[DatesOf]:
        try:
            visit = self.wished(directory, before, now)
        except (NotFound, Invalid):
            return []
        return dates_of(directory, visit)

    def keeps_start(self, visit: Visit, before: Visit | None, now: int) -> bool:
        """Whether the start is not new, so that it may lie in the past."""
        return before is not None and before.start == visit.start


def dates_of(directory: Directory, visit: Visit, start: int | None = None) -> list[DatesOf]:
    """The local date of a visit's start (or of another), if it may take units."""
    if not any(line.authorization_id or line.service_id in directory.paid_services for line in visit.lines):
        return []
    on = local_date(visit.start if start is None else start, directory.clinics[visit.clinic_id].time_zone)
    return [(visit.patient_id, on, on)]


def is_explained(errand: Errand, refusal: Exception) -> TypeGuard[Placing]:
    """Whether a refusal is looked at once more, on the state of then, before it is told."""
    return isinstance(errand, Placing) and isinstance(refusal, Refused) and refusal.code in REFUSALS


def copied(visit: Visit) -> Visit:
    """A visit whose changes leave the original alone."""
    return msgspec.structs.replace(visit, lines=[msgspec.structs.replace(line) for line in visit.lines])


def known(table: Mapping[str, Any], key: str, field: str) -> None:
    """Raises NotFound naming the field if the directory has no such id."""
    if key not in table:
        raise NotFound(field)


def check_time(settings: Settings, now: int, start: int, end: int, end_field: str) -> None:
    """Raises Invalid for a visit that is reversed, empty, too long or too far ahead."""
    minutes = (end - start) // MINUTE
    if minutes < 1:
        raise Invalid(FieldError(end_field, "invalid_value", "must be after the start"))
    if minutes > settings.visit_minutes_max:
        raise Invalid(
            FieldError(
                end_field, "invalid_value", f"makes a visit longer than {settings.visit_minutes_max} minutes"
            )
        )
    if start > now + settings.start_ahead_days_max * DAY:
        raise Invalid(FieldError("start", "invalid_value", "is more than five years ahead"))


def check_overlap(asked: Asked, reason: str | None) -> None:
    """Raises Refused (forbidden) for a reason to overlap from somebody who may not give one."""
    if reason is not None and asked.actor.reach("appointments.override") is None:
        raise Refused("forbidden", "Only who may override can let visits of one practitioner overlap.")


def illegal(visit: Visit, call: str) -> Refused:
    return Refused(
        "illegal_transition",
        f"A visit that is {visit.status} cannot be asked to {call}.",
        allowed=sorted(TRANSITIONS[visit.status]),
        status_now=visit.status,
        version=visit.version,
    )


def granted(desk: Desk, asked: Asked, patient: Patient, wish: Wish, *, stays: bool = False) -> Verdict:
    """The verdict of a wish that is granted. Raises Refused with every reason otherwise.

    `stays`: the start is not new, so it may lie in the past.
    """
    wish.now, wish.in_full = desk.now, True
    wish.earliest = wish.visit.start if stays else earliest_start(desk.settings, desk.now, asked)
    wish.unassigned = wish.unassigned and asked.actor.reach("appointments.override") is not None
    judge = assess if wish.visit.group_id is None else in_group.judge
    began = time.perf_counter() if desk.rules_seconds is None else 0.0
    verdict = judge(
        desk.directory, desk.timetable, patient, desk.authorizations_of(wish.visit.patient_id), wish
    )
    if began:
        desk.rules_seconds = time.perf_counter() - began
    if verdict.reasons:
        first = verdict.reasons[0]
        raise Refused(first.code, first.detail, reasons=tuple(verdict.reasons), **first.members)
    return verdict


def kept_wish(
    directory: Directory, visit: Visit, before: Visit, acknowledged: frozenset[str] = frozenset()
) -> Wish:
    """A stored visit wished for again: a pinned room must be had, another is kept if it can be."""
    return Wish(
        visit=visit,
        acknowledged=acknowledged,
        room="chosen" if visit.room_id is None else "given" if before.pinned else "kept",
        authorization="kept",
        unassigned=directory.clinics[visit.clinic_id].allow_unassigned,
    )


def settle(directory: Directory, visit: Visit, verdict: Verdict, *, manual: bool) -> None:
    """Writes what was chosen into the visit: room, turnover, score and why, authorizations and units."""
    settle_room(directory, visit, verdict, manual=manual)
    for line, paid in zip(visit.lines, verdict.paid, strict=True):
        line.authorization_id = paid.authorization.id if paid.authorization else None
        line.units_reserved, line.unfunded_units = paid.units, paid.unfunded
        line.funding, line.billable = paid.funding, paid.billable


def settle_room(directory: Directory, visit: Visit, verdict: Verdict, *, manual: bool) -> None:
    """Writes the room that was chosen, its turnover, the score and why."""
    choice = verdict.room
    visit.room_id = choice.room.id if choice else None
    visit.turnover_minutes = choice.turnover_minutes if choice else 0
    visit.score = choice.score if choice else None
    visit.method = ("manual" if manual else "auto") if choice else "none"
    _keep_decision(directory, visit, verdict.account)


def _keep_decision(directory: Directory, visit: Visit, account: Account | None) -> None:
    if account is None:
        visit.policy_version, visit.rules_applied = in_force(directory).version, []
        visit.decision = Kept(NONE, None, NONE)
        return
    visit.policy_version = account.policy_version
    visit.rules_applied = rules_applied(account)
    visit.decision = kept(directory, account)


def sealed_notes(keeping: Keeping, visit_id: str, notes: str | None) -> str | None:
    """Notes as they are stored: sealed, in hex; None for none."""
    return keeping.seal.seal(notes.encode(), notes_context(visit_id)).hex() if notes else None


def sealed_reason(keeping: Keeping, visit_id: str, reason: str | None) -> dict[str, Any]:
    """Why somebody overrode, as an audit row keeps it; nothing for no reason."""
    if reason is None:
        return {}
    return {"reason_encrypted": keeping.seal.seal(reason.encode(), f"audit.reason/{visit_id}").hex()}


def notes_context(visit_id: str) -> str:
    return f"appointments.notes/{visit_id}"


def reason_context(visit_id: str) -> str:
    return f"appointments.cancel_reason/{visit_id}"


def tails(directory: Directory, visit: Visit) -> None:
    """Gives the visit's lines the buffers that their practitioners have now, within what their other lines leave. Those of a group's
    visits are the group's."""
    if visit.group_id is not None:
        return
    set_tails(visit.lines, buffers(directory, visit))


def enclose(visit: Visit) -> None:
    """A visit lasts from its first line to its last."""
    lines = visit.lines
    visit.start, visit.end = lines[0].start, lines[0].end
    if len(lines) > 1:
        visit.start = min(line.start for line in lines)
        visit.end = max(line.end for line in lines)


def place_anew(
    desk: Desk, asked: Asked, before: Visit, visit: Visit, wish: Wish, *, manual: bool = False
) -> tuple[list[HeldClaim], list[HeldClaim]]:
    """Decides on a visit that changes, itself out of its own way: the claims that go and those that come.

    `manual`: the room that it wants was chosen by hand. Raises Refused, and then nothing has changed.
    """
    held = desk.lift(before)
    try:
        patient = desk.patient(visit.patient_id)
        verdict = granted(desk, asked, patient, wish, stays=visit.start == before.start)
    except Exception:
        desk.lower(before, held)
        raise
    is_kept = verdict.room is not None and verdict.room.room.id == visit.room_id
    settle(desk.directory, visit, verdict, manual=manual and is_kept)
    visit.needs_action = None
    return held, desk.claims_for(visit, verdict)

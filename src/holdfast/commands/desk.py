"""The desk on which one batch is decided: facts plus what the batch has granted so far, and the rows to write.

Verbs (book, move, …) ask questions here and put visits down; nothing here awaits, and nothing is written until the
transaction sends the rows.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from holdfast.actor import Asked
from holdfast.commands.claims_kept import ClaimsKept, HeldClaim
from holdfast.db.keeping import Keeping
from holdfast.db.written import (
    ChangedAppointment,
    ChangedAuthorization,
    ChangedLine,
    NewAppointment,
    NewEntry,
    NewLine,
)
from holdfast.errors import NotFound, Refused
from holdfast.rules.absences import filled
from holdfast.rules.assess import Verdict, busy_span
from holdfast.rules.facts import Authorization, Directory, Facts, Line, Patient, Visit
from holdfast.rules.seats import Seating
from holdfast.rules.timetable import Claim, Timetable
from holdfast.settings import Settings
from holdfast.slot import DAY, MINUTE, rfc3339
from holdfast.states import WITHOUT_CLAIMS

View = Callable[[Visit, Directory, Asked], bytes]
"""How the caller sees a visit: its answer's bytes."""


class Desk:
    def __init__(
        self, settings: Settings, directory: Directory, timetable: Timetable, facts: Facts, keeping: Keeping
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.timetable = timetable
        self.keeping = keeping
        self.now = facts.now
        self._visits: dict[str, Visit] = {}
        self._patients: dict[str, Patient] = {}
        self._authorizations: dict[str, Authorization] = {}
        self._inherited: dict[str, Authorization] = {}
        self._lifted: set[str] = set()
        self.learn(facts)
        self.claims = ClaimsKept()
        self.appointments_new: list[NewAppointment] = []
        self.appointments_changed: list[ChangedAppointment] = []
        self.lines_new: list[NewLine] = []
        self.lines_changed: list[ChangedLine] = []
        self.entries_new: list[NewEntry] = []

    # What is known

    def learn(self, facts: Facts) -> None:
        """Takes in more facts of the same state. What the desk has changed already stays as it has it."""
        self._visits |= {visit.id: visit for visit in facts.appointments or ()}
        self._patients |= {patient.id: patient for patient in facts.patients or ()}
        for read in facts.authorizations or ():
            if read.id not in self._authorizations:
                authorization = self._inherited.get(read.id, read)
                authorization.version_read = authorization.version
                self._authorizations[read.id] = authorization

    def inherit(self, before: "Desk") -> None:
        """Puts the counters as the desk before leaves them over what was read while it was being written."""
        for each in before._authorizations.values():  # noqa: SLF001 a desk may look into another
            if each.version != each.version_read:
                kept = msgspec.structs.replace(each, version_read=each.version)
                self._inherited[each.id] = kept
                if each.id in self._authorizations:
                    self._authorizations[each.id] = kept

    def visit(self, asked: Asked, visit_id: str) -> Visit:
        """The stored visit that a request names, if the caller may change it and knows its version.

        Raises NotFound, Refused (forbidden, version_mismatch).
        """
        visit = self._visits.get(visit_id)
        if visit is None:
            raise NotFound("id")
        self.allow(asked, visit)
        if asked.if_match is not None and asked.if_match != visit.version:
            raise Refused(
                "version_mismatch", f"The visit is at version {visit.version}.", version=visit.version
            )
        return visit

    def allow(self, asked: Asked, visit: Visit) -> None:
        """Raises Refused (forbidden) if the caller writes own visits only and this is another's."""
        if asked.actor.reach("appointments.write") == "own" and any(
            line.practitioner_id != asked.actor.practitioner_id for line in visit.lines
        ):
            raise Refused("forbidden", "Only your own visits can be changed.")

    def stored(self, visit_id: str) -> Visit | None:
        """A stored visit that is only looked at."""
        return self._visits.get(visit_id)

    def has_authorization(self, authorization_id: str) -> bool:
        return authorization_id in self._authorizations

    def patient(self, patient_id: str) -> Patient:
        """Raises NotFound."""
        patient = self._patients.get(patient_id)
        if patient is None:
            raise NotFound("patient_id")
        return patient

    @property
    def authorizations(self) -> Iterable[Authorization]:
        return self._authorizations.values()

    def authorizations_of(self, patient_id: str) -> Iterable[Authorization]:
        return [each for each in self._authorizations.values() if each.patient_id == patient_id]

    # What is taken and given

    def lift(self, visit: Visit) -> list[HeldClaim]:
        """Takes a visit's claims and units off the desk, so that it does not meet itself; `lower` puts them back."""
        held: list[HeldClaim] = []
        if visit.status not in WITHOUT_CLAIMS:
            spans = [(visit.patient_id, visit.start, visit.end)]
            spans += [(line.practitioner_id, *busy_span(line)) for line in visit.lines]
            if visit.room_id is not None:
                spans.append((visit.room_id, visit.start, visit.end + visit.turnover_minutes * MINUTE))
            for resource, start, end in spans:
                for claim in self.timetable.owned(resource, start, end, visit.id):
                    held.append((resource, claim))
                    self.timetable.remove(resource, claim)
        self._lifted.add(visit.id)
        self._promise(visit, -1)
        return held

    def lower(self, visit: Visit, held: list[HeldClaim]) -> None:
        for resource, claim in held:
            self.timetable.add(resource, claim)
        self._lifted.discard(visit.id)
        self._promise(visit, +1)

    def _promise(self, visit: Visit, sign: int) -> None:
        for line in visit.lines:
            if line.units_reserved and line.authorization_id is not None:
                self._authorizations[line.authorization_id].scheduled_units += sign * line.units_reserved

    def claims_for(self, visit: Visit, verdict: Verdict) -> list[HeldClaim]:
        """The claims that a granted visit makes: patient, each practitioner, the room and its turnover. Others change
        their seats for it here."""
        held: list[HeldClaim] = []
        if any(line.patient_present for line in visit.lines):
            held.append((visit.patient_id, Claim(visit.start, visit.end, 0, "visit", visit.id)))
        for line, seating in zip(visit.lines, verdict.practitioner_seatings, strict=True):
            start, end = busy_span(line)
            self._reseat(line.practitioner_id, seating)
            held.append((line.practitioner_id, Claim(start, end, seating.seat, "visit", visit.id)))
        if verdict.room is not None and visit.room_id is not None:
            self._reseat(visit.room_id, verdict.room.seating)
            held += room_claims(visit, verdict.room.seating.seat)
        return held

    def _reseat(self, resource: str, seating: Seating) -> None:
        for claim, _ in seating.moved:
            self.timetable.remove(resource, claim)
        for claim, seat in seating.moved:
            self.timetable.add(resource, claim._replace(seat=seat))
        if seating.moved:
            self.claims.move(resource, seating.moved)

    # What is put down

    def put(
        self,
        asked: Asked,
        kind: str,
        visit: Visit,
        before: Visit | None = None,
        gone: Iterable[HeldClaim] = (),
        new: Iterable[HeldClaim] = (),
        **detail: Any,
    ) -> None:
        """Puts a granted visit down: its rows, claims, units, event and audit row.

        `gone` has been lifted from the timetable; `new` is added to it here. A claim that is both is not touched.
        """
        new, gone = list(new), list(gone)
        for resource, claim in new:
            self.timetable.add(resource, claim)
        same = {held for held in gone if held in new}
        freed = [held for held in gone if held not in same]
        self.claims.take(freed)
        self.claims.give([held for held in new if held not in same])
        self._fill(freed)
        self._units(asked, visit, before)
        visit.updated_at = self.now
        if before is None:
            visit.created_at = self.now
            self.appointments_new.append(_appointment(visit))
            self.lines_new += [_line(visit, line) for line in visit.lines]
        else:
            visit.version = before.version + 1
            self.appointments_changed.append(_appointment_changed(visit))
            self.lines_changed += [_line_changed(visit, line) for line in visit.lines]
        self.keeping.tell(kind, visit_body(visit))
        self.keeping.note(
            asked, kind.partition(".")[2], "appointment", visit.id, version=visit.version, **detail
        )

    def _fill(self, freed: list[HeldClaim]) -> None:
        """What is given back inside an absence is the absence's."""
        for resource, claim in freed:
            for filling in filled(self.directory, self.timetable, resource, claim):
                self.timetable.add(resource, filling)
                self.claims.give([(resource, filling)])

    def _units(self, asked: Asked, visit: Visit, before: Visit | None) -> None:
        """Ledger entries for what changes between the visit before and after."""
        if before is not None and before.id not in self._lifted:
            self._promise(before, -1)
        self._lifted.discard(visit.id)
        old = {line.line_no: line for line in before.lines} if before else {}
        for line in visit.lines:
            was = old.get(line.line_no)
            promised = (line.authorization_id, line.units_reserved)
            if was is not None and (was.authorization_id, was.units_reserved) == promised:
                self._move_counter(line.authorization_id, line.units_reserved)
                continue
            if was is not None and was.units_reserved:
                self._entry(asked, visit, line, was.authorization_id, "release", was.units_reserved)
            if line.units_reserved:
                self._move_counter(line.authorization_id, line.units_reserved)
                self._entry(asked, visit, line, line.authorization_id, "reserve", line.units_reserved)

    def _move_counter(self, authorization_id: str | None, units: int) -> None:
        if authorization_id is not None and units:
            self._authorizations[authorization_id].scheduled_units += units

    def _entry(
        self, asked: Asked, visit: Visit, line: Line, authorization_id: str | None, kind: str, units: int
    ) -> None:
        authorization = self._authorizations[authorization_id or ""]
        authorization.version += 1
        seq = self.keeping.tell("authorization.changed", authorization_body(authorization))
        self.entries_new.append(
            NewEntry(
                authorization.id,
                authorization.version,
                kind,
                units,
                visit.id,
                line.line_no,
                seq,
                asked.actor.user_id,
            )
        )

    @property
    def authorizations_changed(self) -> list[ChangedAuthorization]:
        return [
            ChangedAuthorization(
                each.id,
                each.version,
                each.version_read,
                each.used_units,
                each.scheduled_units,
                each.manual_units,
            )
            for each in self._authorizations.values()
            if each.version != each.version_read
        ]


def earliest_start(settings: Settings, now: int, asked: Asked) -> int:
    """The earliest start that the caller may book: the running minute, or some days back by permission."""
    back = settings.backdate_days_max * DAY if asked.actor.reach("appointments.override") else 0
    return now - now % MINUTE - back


def room_claims(visit: Visit, seat: int) -> list[HeldClaim]:
    """A visit's claim on its room, and the turnover after it as a claim of its own."""
    room_id = visit.room_id or ""
    held = [(room_id, Claim(visit.start, visit.end, seat, "visit", visit.id))]
    if visit.turnover_minutes:
        after = visit.end + visit.turnover_minutes * MINUTE
        held.append((room_id, Claim(visit.end, after, seat, "turnover", visit.id)))
    return held


def authorization_body(authorization: Authorization) -> dict[str, Any]:
    """An authorization's counters, as events carry them."""
    return {
        "id": authorization.id, "patient_id": authorization.patient_id,
        "total_units": authorization.total_units, "used_units": authorization.used_units,
        "scheduled_units": authorization.scheduled_units, "manual_units": authorization.manual_units,
        "version": authorization.version,
    }  # fmt: skip


def visit_body(visit: Visit) -> dict[str, Any]:
    """A visit as events carry it: ids, times, statuses and counters; no names, notes or reasons in words."""
    return {
        "id": visit.id, "clinic_id": visit.clinic_id, "patient_id": visit.patient_id, "room_id": visit.room_id,
        "location": visit.location, "start": rfc3339(visit.start), "end": rfc3339(visit.end),
        "status": visit.status, "needs_action": visit.needs_action, "pinned": visit.pinned,
        "turnover_minutes": visit.turnover_minutes,
        "units_reserved": sum(line.units_reserved for line in visit.lines),
        "assignment": {
            "method": visit.method, "policy_version": visit.policy_version, "score": visit.score,
            "rules_applied": visit.rules_applied,
        },
        "version": visit.version, "lines": [_line_body(line) for line in visit.lines],
        "created_at": rfc3339(visit.created_at), "updated_at": rfc3339(visit.updated_at),
    }  # fmt: skip


def _line_body(line: Line) -> dict[str, Any]:
    return {
        "line_no": line.line_no, "practitioner_id": line.practitioner_id, "service_id": line.service_id,
        "start": rfc3339(line.start), "end": rfc3339(line.end), "patient_present": line.patient_present,
        "authorization_id": line.authorization_id, "billable": line.billable,
        "units_reserved": line.units_reserved, "unfunded_units": line.unfunded_units,
        "minutes_actual": line.minutes_actual, "travel_before_minutes": line.travel_before_minutes,
        "buffer_minutes": line.buffer_minutes, "line_status": line.line_status,
    }  # fmt: skip


def _appointment(visit: Visit) -> NewAppointment:
    return NewAppointment(
        visit.id, visit.clinic_id, visit.patient_id, visit.room_id, visit.location, visit.start, visit.end,
        visit.status, visit.pinned, visit.turnover_minutes, visit.method, visit.policy_version, visit.score,
        visit.rules_applied, visit.replaces_appointment_id, _bytes(visit.notes_encrypted), visit.created_by,
    )  # fmt: skip


def _appointment_changed(visit: Visit) -> ChangedAppointment:
    return ChangedAppointment(
        id=visit.id, version=visit.version, room_id=visit.room_id, location=visit.location, starts_at=visit.start,
        ends_at=visit.end, status=visit.status, needs_action=visit.needs_action, pinned=visit.pinned,
        turnover_minutes=visit.turnover_minutes, assignment_method=visit.method,
        policy_version=visit.policy_version, score=visit.score, rules_applied=visit.rules_applied,
        cancelled_by=visit.cancelled_by, cancel_reason_code=visit.cancel_reason_code,
        cancel_reason_encrypted=_bytes(visit.cancel_reason_encrypted), cancelled_at=visit.cancelled_at,
        notice_minutes=visit.notice_minutes, cancelled_late=visit.cancelled_late,
        checked_in_at=visit.checked_in_at, started_at=visit.started_at, completed_at=visit.completed_at,
        notes_encrypted=_bytes(visit.notes_encrypted),
    )  # fmt: skip


def _line(visit: Visit, line: Line) -> NewLine:
    return NewLine(
        visit.id, line.line_no, line.practitioner_id, line.service_id, line.start, line.end, line.patient_present,
        line.authorization_id, line.billable, line.units_reserved, line.unfunded_units,
        line.travel_before_minutes, line.buffer_minutes,
    )  # fmt: skip


def _line_changed(visit: Visit, line: Line) -> ChangedLine:
    return ChangedLine(
        visit.id, line.line_no, line.practitioner_id, line.start, line.end, line.authorization_id,
        line.units_reserved, line.minutes_actual, line.buffer_minutes, line.line_status,
    )  # fmt: skip


def _bytes(hexadecimal: str | None) -> bytes | None:
    return None if hexadecimal is None else bytes.fromhex(hexadecimal)

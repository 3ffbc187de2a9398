"""The desk on which one batch is decided: facts plus what the batch has granted so far, and the rows to write.

Verbs (book, move, …) ask questions here and put visits down; nothing here awaits, and nothing is written until the
transaction sends the rows.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from holdfast.actor import Asked
from holdfast.db.keeping import Keeping
from holdfast.errors import NotFound, Refused
from holdfast.rules.assess import Verdict, busy_span
from holdfast.rules.facts import Authorization, Directory, Facts, Line, Patient, Visit
from holdfast.rules.timetable import Claim, Timetable
from holdfast.settings import Settings
from holdfast.slot import DAY, MINUTE, rfc3339
from holdfast.states import WITHOUT_CLAIMS

View = Callable[[Visit, Directory, Asked], bytes]
"""How the caller sees a visit: its answer's bytes."""

HeldClaim = tuple[str, Claim]
"""A resource and a claim on it."""


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
        self.claims_gone: list[dict[str, Any]] = []
        self.claims_new: list[dict[str, Any]] = []
        self.appointments_new: list[dict[str, Any]] = []
        self.appointments_changed: list[dict[str, Any]] = []
        self.lines_new: list[dict[str, Any]] = []
        self.lines_changed: list[dict[str, Any]] = []
        self.entries_new: list[dict[str, Any]] = []

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

    def has_visit(self, visit_id: str) -> bool:
        return visit_id in self._visits

    def has_authorization(self, authorization_id: str) -> bool:
        return authorization_id in self._authorizations

    def patient(self, patient_id: str) -> Patient:
        """Raises NotFound."""
        patient = self._patients.get(patient_id)
        if patient is None:
            raise NotFound("patient_id")
        return patient

    def authorizations_of(self, patient_id: str) -> Iterable[Authorization]:
        return [each for each in self._authorizations.values() if each.patient_id == patient_id]

    def earliest_start(self, asked: Asked) -> int:
        """The earliest start that the caller may book: the running minute, or some days back by permission."""
        running_minute = self.now - self.now % MINUTE
        if asked.actor.reach("appointments.override"):
            return running_minute - self.settings.backdate_days_max * DAY
        return running_minute

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
        """The claims that a granted visit makes: patient, each practitioner, the room and its turnover."""
        held: list[HeldClaim] = []
        if any(line.patient_present for line in visit.lines):
            held.append((visit.patient_id, Claim(visit.start, visit.end, 0, "visit", visit.id)))
        for line, seat in zip(visit.lines, verdict.practitioner_seats, strict=True):
            start, end = busy_span(line)
            held.append((line.practitioner_id, Claim(start, end, seat, "visit", visit.id)))
        if verdict.room is not None and visit.room_id is not None:
            held += room_claims(visit, verdict.room.seat)
        return held

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
        self.claims_gone += [_claim_key(held) for held in gone if held not in same]
        self.claims_new += [_claim_row(held) for held in new if held not in same]
        self._units(asked, visit, before)
        visit.updated_at = self.now
        if before is None:
            visit.created_at = self.now
            self.appointments_new.append(_appointment_row(visit))
            self.lines_new += [_line_row(visit, line) for line in visit.lines]
        else:
            visit.version = before.version + 1
            self.appointments_changed.append(_appointment_row(visit))
            self.lines_changed += [_line_row(visit, line) for line in visit.lines]
        self.keeping.tell(kind, visit_body(visit))
        self.keeping.note(
            asked, kind.partition(".")[2], "appointment", visit.id, version=visit.version, **detail
        )

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
        self.entries_new.append({
            "authorization_id": authorization.id, "entry_no": authorization.version, "kind": kind, "units": units,
            "appointment_id": visit.id, "line_no": line.line_no, "seq": seq, "actor_id": asked.actor.user_id,
        })  # fmt: skip

    @property
    def authorizations_changed(self) -> list[dict[str, Any]]:
        return [
            {
                "id": each.id, "used_units": each.used_units, "scheduled_units": each.scheduled_units,
                "manual_units": each.manual_units, "version": each.version, "version_read": each.version_read,
            }
            for each in self._authorizations.values()
            if each.version != each.version_read
        ]  # fmt: skip


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


def _claim_key(held: HeldClaim) -> dict[str, Any]:
    resource, claim = held
    return {"resource_id": resource, "starts_at": rfc3339(claim.start), "seat": claim.seat}


def _claim_row(held: HeldClaim) -> dict[str, Any]:
    resource, claim = held
    return {
        "resource_id": resource, "seat": claim.seat, "starts_at": rfc3339(claim.start),
        "ends_at": rfc3339(claim.end), "kind": claim.kind, "appointment_id": claim.owner,
    }  # fmt: skip


def _appointment_row(visit: Visit) -> dict[str, Any]:
    return {
        "id": visit.id, "clinic_id": visit.clinic_id, "patient_id": visit.patient_id, "room_id": visit.room_id,
        "location": visit.location, "starts_at": rfc3339(visit.start), "ends_at": rfc3339(visit.end),
        "status": visit.status, "needs_action": visit.needs_action, "pinned": visit.pinned,
        "turnover_minutes": visit.turnover_minutes, "assignment_method": visit.method,
        "policy_version": visit.policy_version, "score": visit.score, "rules_applied": visit.rules_applied,
        "cancelled_by": visit.cancelled_by, "cancel_reason_code": visit.cancel_reason_code,
        "cancel_reason_encrypted": _bytea(visit.cancel_reason_encrypted),
        "cancelled_at": _time(visit.cancelled_at), "notice_minutes": visit.notice_minutes,
        "cancelled_late": visit.cancelled_late, "checked_in_at": _time(visit.checked_in_at),
        "started_at": _time(visit.started_at), "completed_at": _time(visit.completed_at),
        "replaces_appointment_id": visit.replaces_appointment_id,
        "notes_encrypted": _bytea(visit.notes_encrypted), "created_by": visit.created_by,
        "version": visit.version, "created_at": rfc3339(visit.created_at),
        "updated_at": rfc3339(visit.updated_at),
    }  # fmt: skip


def _line_row(visit: Visit, line: Line) -> dict[str, Any]:
    return {
        "appointment_id": visit.id, "line_no": line.line_no, "practitioner_id": line.practitioner_id,
        "service_id": line.service_id, "starts_at": rfc3339(line.start), "ends_at": rfc3339(line.end),
        "patient_present": line.patient_present, "authorization_id": line.authorization_id,
        "billable": line.billable, "units_reserved": line.units_reserved, "unfunded_units": line.unfunded_units,
        "minutes_actual": line.minutes_actual, "travel_before_minutes": line.travel_before_minutes,
        "buffer_minutes": line.buffer_minutes, "line_status": line.line_status,
    }  # fmt: skip


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else rfc3339(seconds)


def _bytea(hexadecimal: str | None) -> str | None:
    return None if hexadecimal is None else "\\x" + hexadecimal

"""Visits, their lines and holds as the rows of a write."""

import msgspec

from holdfast.db.written import BookedVisit, ChangedVisit, NewHold, VisitLine
from holdfast.rules.facts import Hold, Line, Visit


def appointment_new(visit: Visit) -> BookedVisit:
    return BookedVisit(
        visit.id, visit.clinic_id, visit.patient_id, visit.room_id, visit.location, visit.start, visit.end,
        visit.status, visit.pinned, visit.turnover_minutes, visit.method, visit.policy_version, visit.score,
        visit.rules_applied, visit.replaces_appointment_id, _bytes(visit.notes_encrypted), visit.created_by,
        *decided(visit), visit.series_id, visit.group_id,
    )  # fmt: skip


def appointment_changed(visit: Visit) -> ChangedVisit:
    decision, grounds_id = decided(visit)
    return ChangedVisit(
        id=visit.id, version=visit.version, room_id=visit.room_id, location=visit.location, starts_at=visit.start,
        ends_at=visit.end, status=visit.status, needs_action=visit.needs_action, pinned=visit.pinned,
        turnover_minutes=visit.turnover_minutes, assignment_method=visit.method,
        policy_version=visit.policy_version, score=visit.score, rules_applied=visit.rules_applied,
        cancelled_by=visit.cancelled_by, cancel_reason_code=visit.cancel_reason_code,
        cancel_reason_encrypted=_bytes(visit.cancel_reason_encrypted), cancelled_at=visit.cancelled_at,
        notice_minutes=visit.notice_minutes, cancelled_late=visit.cancelled_late,
        checked_in_at=visit.checked_in_at, started_at=visit.started_at, completed_at=visit.completed_at,
        notes_encrypted=_bytes(visit.notes_encrypted), decision=decision, grounds_id=grounds_id,
    )  # fmt: skip


def line_row(visit: Visit, line: Line) -> VisitLine:
    return VisitLine(
        visit.id, line.line_no, line.practitioner_id, line.service_id, line.start, line.end, line.patient_present,
        line.authorization_id, line.billable, line.units_reserved, line.unfunded_units, line.minutes_actual,
        line.travel_before_minutes, line.buffer_minutes, line.line_status, line.caregiver_id,
        line.units_used, line.funding,
    )  # fmt: skip


def hold_new(hold: Hold, created_by: str) -> NewHold:
    first = hold.lines[0]
    return NewHold(
        hold.id, hold.clinic_id, hold.patient_id, first.practitioner_id, first.service_id, hold.room_id, hold.location,
        hold.start, hold.end, hold.turnover_minutes, msgspec.json.encode(hold.lines).decode(), hold.expires_at,
        created_by,
    )  # fmt: skip


def decided(visit: Visit) -> tuple[str | None, str | None]:
    """What is written of how the room was chosen; nothing leaves what is stored as it is."""
    return (None, None) if visit.decision is None else (visit.decision.decision, visit.decision.grounds_id)


def _bytes(hexadecimal: str | None) -> bytes | None:
    return None if hexadecimal is None else bytes.fromhex(hexadecimal)

"""What events tell of a visit, a hold and an authorization: ids, times, statuses and counters; no names, notes or reasons
in words. And an authorization as whoever changed its units is shown it.
"""

from datetime import date
from typing import Any

from holdfast.rules import units
from holdfast.rules.facts import Authorization, Hold, Line, UnitCap, Visit
from holdfast.slot import rfc3339


def authorization_body(authorization: Authorization) -> dict[str, Any]:
    return {
        "id": authorization.id, "patient_id": authorization.patient_id,
        "total_units": authorization.total_units, "used_units": authorization.used_units,
        "scheduled_units": authorization.scheduled_units, "manual_units": authorization.manual_units,
        "version": authorization.version,
    }  # fmt: skip


def authorization_document(
    authorization: Authorization, payer: str, today: date, updated_at: int
) -> dict[str, Any]:
    """The authorization as the API shows it, after it was changed; `payer` is its payer's name."""
    return {
        "id": authorization.id, "patient_id": authorization.patient_id, "payer_id": authorization.payer_id,
        "payer": payer, "authorization_number": authorization.authorization_number,
        "service_codes": authorization.service_codes, "unit_basis": authorization.unit_basis,
        "total_units": authorization.total_units, "used_units": authorization.used_units,
        "scheduled_units": authorization.scheduled_units, "manual_units": authorization.manual_units,
        "available_units": authorization.available_units, "start_date": authorization.start_date,
        "end_date": authorization.end_date, "caps": [_cap(each) for each in authorization.caps],
        "approval": authorization.approval,
        "status": units.status(authorization, today), "version": authorization.version,
        "created_at": rfc3339(authorization.created_at), "updated_at": rfc3339(updated_at),
    }  # fmt: skip


def _cap(cap: UnitCap) -> dict[str, Any]:
    return ({} if cap.code is None else {"code": cap.code}) | {"units": cap.units, "per": cap.per}


def visit_body(visit: Visit) -> dict[str, Any]:
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
        "series_id": visit.series_id, "group_id": visit.group_id,
        "version": visit.version, "lines": [_line_body(line) for line in visit.lines],
        "created_at": rfc3339(visit.created_at), "updated_at": rfc3339(visit.updated_at),
    }  # fmt: skip


def hold_body(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.id, "clinic_id": hold.clinic_id, "patient_id": hold.patient_id, "room_id": hold.room_id,
        "location": hold.location, "start": rfc3339(hold.start), "end": rfc3339(hold.end),
        "turnover_minutes": hold.turnover_minutes, "expires_at": rfc3339(hold.expires_at),
        "practitioner_ids": sorted({line.practitioner_id for line in hold.lines}),
    }  # fmt: skip


def _line_body(line: Line) -> dict[str, Any]:
    return {
        "line_no": line.line_no, "practitioner_id": line.practitioner_id, "service_id": line.service_id,
        "start": rfc3339(line.start), "end": rfc3339(line.end), "patient_present": line.patient_present,
        "authorization_id": line.authorization_id, "billable": line.billable,
        "units_reserved": line.units_reserved, "unfunded_units": line.unfunded_units,
        "minutes_actual": line.minutes_actual, "travel_before_minutes": line.travel_before_minutes,
        "buffer_minutes": line.buffer_minutes, "line_status": line.line_status, "caregiver_id": line.caregiver_id,
        "units_used": line.units_used, "funding": line.funding,
    }  # fmt: skip

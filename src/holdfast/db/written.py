"""The rows that a write carries, with the fields of the types in `sql/tables/09_write.sql`, in their order (a test
compares them). Instants are epoch seconds, ids are text; `body` and `detail` are JSON.
"""

from datetime import date
from typing import NamedTuple


class NewClaim(NamedTuple):
    resource_id: str
    seat: int
    starts_at: int
    ends_at: int
    kind: str
    owner_id: str


class GoneClaim(NamedTuple):
    resource_id: str
    starts_at: int
    seat: int


class MovedClaim(NamedTuple):
    resource_id: str
    starts_at: int
    seat: int
    seat_new: int


class BookedVisit(NamedTuple):
    id: str
    clinic_id: str
    patient_id: str
    room_id: str | None
    location: str
    starts_at: int
    ends_at: int
    status: str
    pinned: bool
    turnover_minutes: int
    assignment_method: str
    policy_version: int
    score: int | None
    rules_applied: list[str]
    replaces_appointment_id: str | None
    notes_encrypted: bytes | None
    created_by: str | None
    decision: str | None
    grounds_id: str | None
    series_id: str | None
    group_id: str | None


class ChangedVisit(NamedTuple):
    id: str
    version: int
    room_id: str | None
    location: str
    starts_at: int
    ends_at: int
    status: str
    needs_action: str | None
    pinned: bool
    turnover_minutes: int
    assignment_method: str
    policy_version: int
    score: int | None
    rules_applied: list[str]
    cancelled_by: str | None
    cancel_reason_code: str | None
    cancel_reason_encrypted: bytes | None
    cancelled_at: int | None
    notice_minutes: int | None
    cancelled_late: bool | None
    checked_in_at: int | None
    started_at: int | None
    completed_at: int | None
    notes_encrypted: bytes | None
    decision: str | None
    grounds_id: str | None


class NewGrounds(NamedTuple):
    id: str
    body: str


class VisitLine(NamedTuple):
    appointment_id: str
    line_no: int
    practitioner_id: str
    service_id: str
    starts_at: int
    ends_at: int
    patient_present: bool
    authorization_id: str | None
    billable: bool
    units_reserved: int
    unfunded_units: int
    minutes_actual: int | None
    travel_before_minutes: int
    buffer_minutes: int
    line_status: str
    caregiver_id: str | None
    units_used: int | None
    funding: str | None


class GoneLine(NamedTuple):
    appointment_id: str
    line_no: int


class NewHold(NamedTuple):
    id: str
    clinic_id: str
    patient_id: str
    practitioner_id: str
    service_id: str
    room_id: str | None
    location: str
    starts_at: int
    ends_at: int
    turnover_minutes: int
    lines: str
    expires_at: int
    created_by: str


class EndedHold(NamedTuple):
    id: str
    ended_as: str
    appointment_id: str | None


class ChangedAuthorization(NamedTuple):
    id: str
    version: int
    version_read: int
    used_units: int
    scheduled_units: int
    manual_units: int


class LedgerEntry(NamedTuple):
    authorization_id: str
    entry_no: int
    kind: str
    units: int
    appointment_id: str | None
    line_no: int | None
    seq: int
    actor_id: str
    is_manual: bool = False
    note_encrypted: bytes | None = None


class UnitCount(NamedTuple):
    patient_id: str
    on_date: date
    payer_id: str
    code: str
    units: int


class NewEvent(NamedTuple):
    kind: str
    body: str


class NewAudit(NamedTuple):
    actor_id: str | None
    action: str
    subject: str
    subject_id: str
    detail: str
    request_id: str


class NewKey(NamedTuple):
    user_id: str
    key: str
    fingerprint: bytes
    status: int
    answer_encrypted: bytes

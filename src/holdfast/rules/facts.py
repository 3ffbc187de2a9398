"""What decisions are made on: the directory (what is the same for every request until someone changes it) and the
facts of one batch. Pure data; instants are epoch seconds, ids are text.
"""

from collections.abc import Collection, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Literal, NamedTuple

import msgspec

from holdfast.rules.rounding import Rounding, Scope


class Line(msgspec.Struct):
    """One practitioner giving one service inside a visit."""

    line_no: int
    practitioner_id: str
    service_id: str
    start: int
    end: int
    patient_present: bool = True
    authorization_id: str | None = None
    billable: bool = True
    units_reserved: int = 0
    unfunded_units: int = 0
    minutes_actual: int | None = None
    travel_before_minutes: int = 0
    buffer_minutes: int = 0
    line_status: str = "planned"
    caregiver_id: str | None = None
    """The contact who takes part, for the patient or with them."""

    units_used: int | None = None
    """None until its note is signed."""

    funding: Literal["pending", "unfunded"] | None = None
    """Of a billable line that waits for an approval, or that nobody has approved."""


class Membership(msgspec.Struct, frozen=True):
    """The group of a visit as it is by now: practitioner, room and turnover are the group's; it has `members_max` seats."""

    start: int
    end: int
    practitioner_id: str
    room_id: str | None
    members_max: int
    turnover_minutes: int
    is_cancelled: bool = False


class Visit(msgspec.Struct):
    """An appointment as it is stored; `*_encrypted` are hex."""

    id: str
    clinic_id: str
    patient_id: str
    room_id: str | None
    location: str
    start: int
    end: int
    status: str
    lines: list[Line]
    needs_action: str | None = None
    pinned: bool = False
    turnover_minutes: int = 0
    method: str = "none"
    policy_version: int = 0
    score: int | None = None
    rules_applied: list[str] = []
    cancelled_by: str | None = None
    cancel_reason_code: str | None = None
    cancel_reason_encrypted: str | None = None
    cancelled_at: int | None = None
    notice_minutes: int | None = None
    cancelled_late: bool | None = None
    checked_in_at: int | None = None
    started_at: int | None = None
    completed_at: int | None = None
    replaces_appointment_id: str | None = None
    is_replaced: bool = False
    notes_encrypted: str | None = None
    created_by: str | None = None
    version: int = 1
    created_at: int = 0
    updated_at: int = 0
    patient_name: str = ""
    series_id: str | None = None
    group_id: str | None = None
    group: Membership | None = None
    decision: Any = None
    """How its room was chosen, as it is to be stored (rules/decision.py, Kept); None: as it stands."""


class Clinic(msgspec.Struct, frozen=True):
    """`hours`: (weekday 0 = Monday, opens, closes) in minutes since local midnight."""

    id: str
    name: str
    time_zone: str
    allow_unassigned: bool
    is_active: bool
    hours: tuple[tuple[int, int, int], ...]


class Room(msgspec.Struct, frozen=True):
    """`seats`: how many visits at once; `capacity`: how many people."""

    id: str
    clinic_id: str
    number: str
    name: str
    room_type: str
    capacity: int
    seats: int
    equipment: frozenset[str]
    accessibility: frozenset[str]
    cleaning_minutes: int
    is_available: bool
    display_order: int


class Credential(NamedTuple):
    code: str
    valid_from: date | None
    valid_to: date | None


class WorkingHours(NamedTuple):
    """One weekly stretch at one clinic, minutes since local midnight, between two dates inclusive."""

    clinic_id: str
    weekday: int
    starts: int
    ends: int
    valid_from: date | None
    valid_to: date | None


class HoursException(NamedTuple):
    """The only work of a date at a clinic; without times: no work there that date."""

    clinic_id: str
    on_date: date
    starts: int | None
    ends: int | None


class Practitioner(msgspec.Struct, frozen=True):
    id: str
    name: str
    buffer_minutes: int
    seats: int
    is_active: bool
    clinic_ids: frozenset[str]
    credentials: tuple[Credential, ...]
    hours: tuple[WorkingHours, ...]
    exceptions: tuple[HoursException, ...]
    languages: frozenset[str] = frozenset()


class Service(msgspec.Struct, frozen=True):
    id: str
    name: str
    code: str
    duration_minutes: int
    locations: tuple[str, ...]
    attendance: str
    room_types: frozenset[str]
    equipment: frozenset[str]
    capacity: int
    required_credentials: frozenset[str]
    turnover_minutes: int | None
    unit_basis: str
    unit_minutes: int
    authorization_required: bool
    is_active: bool
    shares_practitioner: bool = False


class UnitCap(msgspec.Struct, frozen=True):
    """So many units at most are paid for in a day or a week: of a code, or of all codes together."""

    units: int
    code: str | None = None
    per: Literal["day", "week"] = "day"


class Payer(msgspec.Struct, frozen=True):
    id: str
    name: str
    over_units: Literal["deny", "warn", "allow"]
    concurrent_policy: Literal["deny", "nonbillable", "allow"] = "deny"
    concurrent_pairs: frozenset[frozenset[str]] = frozenset()
    """Service codes that may be billed for the same time of one patient, in pairs."""
    codes_needing_authorization: frozenset[str] = frozenset()
    rounding: Rounding = "cpt_midpoint"
    rounding_scope: Scope = "session"
    week_start: int = 0
    unit_caps: tuple[UnitCap, ...] = ()
    cap_policy: Literal["deny", "warn", "allow"] = "warn"


class Closure(NamedTuple):
    """A closure of a clinic, or of one of its rooms."""

    id: str
    clinic_id: str
    room_id: str | None
    start: int
    end: int


class TimeOff(NamedTuple):
    id: str
    practitioner_id: str
    start: int
    end: int


class PolicyDocument(msgspec.Struct, frozen=True):
    """The rules of one scope as they were saved; `scope_id` is null for the organization's own."""

    id: str
    scope: str
    scope_id: str | None
    version: int
    rules: list[dict[str, Any]]


class Organization(msgspec.Struct, frozen=True):
    id: str
    name: str
    time_zone: str
    settings: dict[str, Any]


class DirectoryDocument(msgspec.Struct):
    """What the SQL function `directory` returns."""

    seq: int
    directory_seq: int
    organization: Organization
    clinics: list[Clinic]
    rooms: list[Room]
    practitioners: list[Practitioner]
    services: list[Service]
    payers: list[Payer]
    closures: list[Closure]
    time_off: list[TimeOff]
    policy_version: int = 0
    policies: list[PolicyDocument] = []
    """Those that are active."""


class Directory:
    """An organization's places, people and services, true at `seq` (its last change)."""

    def __init__(self, document: DirectoryDocument) -> None:
        self.seq = document.directory_seq
        self.organization = document.organization
        self.clinics = {each.id: each for each in document.clinics}
        self.rooms = {each.id: each for each in document.rooms}
        self.practitioners = {each.id: each for each in document.practitioners}
        self.services = {each.id: each for each in document.services}
        self.payers = {each.id: each for each in document.payers}
        self.closures = tuple(document.closures)
        self.time_off = tuple(document.time_off)
        self.policy_version = document.policy_version
        self.policies = tuple(document.policies)
        self.remembered: dict[Any, Any] = {}
        """What is derived from the directory alone, kept as long as the directory is."""

    @classmethod
    def decode(cls, document: str) -> "Directory":
        return cls(msgspec.json.decode(document, type=DirectoryDocument))

    @cached_property
    def rooms_of(self) -> dict[str, tuple[Room, ...]]:
        """Rooms by clinic, in display order, then number."""
        found: dict[str, list[Room]] = {clinic: [] for clinic in self.clinics}
        for room in self.rooms.values():
            found[room.clinic_id].append(room)
        return {
            clinic: tuple(sorted(rooms, key=lambda r: (r.display_order, r.number, r.id)))
            for clinic, rooms in found.items()
        }

    @cached_property
    def paid_services(self) -> frozenset[str]:
        """The services that may ask for units although nobody names an authorization."""
        codes = {code for payer in self.payers.values() for code in payer.codes_needing_authorization}
        return frozenset(
            each.id for each in self.services.values() if each.authorization_required or each.code in codes
        )

    @cached_property
    def absences_of(self) -> dict[str, tuple[Closure | TimeOff, ...]]:
        """Closures and time off by the clinic, room or practitioner that they are of."""
        found: dict[str, list[Closure | TimeOff]] = {}
        for closure in self.closures:
            found.setdefault(closure.room_id or closure.clinic_id, []).append(closure)
        for absence in self.time_off:
            found.setdefault(absence.practitioner_id, []).append(absence)
        return {resource: tuple(sorted(each, key=lambda a: a.start)) for resource, each in found.items()}

    def practitioner_name(self, practitioner_id: str) -> str:
        found = self.practitioners.get(practitioner_id)
        return found.name if found else ""

    def room_number(self, room_id: str | None) -> str | None:
        found = self.rooms.get(room_id or "")
        return found.number if found else None

    def service_code(self, service_id: str) -> str:
        found = self.services.get(service_id)
        return found.code if found else ""


class Coverage(NamedTuple):
    """Who pays between two dates inclusive; rank 1 is asked first."""

    payer_id: str
    rank: int
    valid_from: date | None
    valid_to: date | None


class Constraints(msgspec.Struct, frozen=True):
    """What a patient's bookings are decided by, beside the patient: as `patient_constraints` writes it.

    `availability`: (weekday 0 = Monday, starts, ends) in minutes since a clinic's midnight; at any time when empty.
    """

    excluded: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    availability: tuple[tuple[int, int, int], ...] = ()
    coverages: tuple[Coverage, ...] = ()


UNCONSTRAINED = Constraints()


class Past(NamedTuple):
    """A visit of a patient that keeps its time: when it begins, where, and who gives it."""

    id: str
    start: int
    room_id: str | None
    practitioner_ids: tuple[str, ...]


class Counted(NamedTuple):
    """Units of a code that a payer pays for on a local date: what the patient's visits hold and have used. `lifted`: those of
    the visit that is decided on anew, which are not among `units`."""

    on: date
    payer_id: str
    code: str
    units: int
    lifted: int = 0


class Patient(msgspec.Struct, frozen=True, array_like=True):
    id: str
    given_name: str
    family_name: str
    needs: frozenset[str]
    is_active: bool
    language: str | None = None
    needs_interpreter: bool = False
    has_alerts: bool = False
    stored_constraints: Constraints | None = None
    """None, as for most patients: nothing is stored."""

    past: tuple[Past, ...] = ()
    """Visits that keep their time, earlier and later ones; read where some rule in force asks for them."""

    counted: tuple[Counted, ...] = ()
    """Around the dates that are decided on, where units are asked for."""

    @property
    def constraints(self) -> Constraints:
        return self.stored_constraints or UNCONSTRAINED

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


class Authorization(msgspec.Struct, array_like=True):
    """What an insurer approved; the counters change as a batch grants, `version_read` stays."""

    id: str
    patient_id: str
    payer_id: str
    service_codes: Collection[str]
    unit_basis: str
    total_units: int
    used_units: int
    scheduled_units: int
    manual_units: int
    start_date: date
    end_date: date
    approval: str
    version: int
    created_at: int = 0
    """Fourteenth in the row: a server of the release before has a number there, which it does not use."""
    authorization_number: str = ""
    caps: tuple[UnitCap, ...] = ()
    version_read: int = 0

    @property
    def available_units(self) -> int:
        return self.total_units - self.used_units - self.scheduled_units


class StoredAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The kept answer of an idempotency key; the bytes in base64."""

    user_id: str
    key: str
    fingerprint: str
    status: int
    answer_encrypted: str


class StoredClaim(msgspec.Struct, frozen=True, array_like=True):
    resource_id: str
    seat: int
    start: int
    end: int
    kind: str
    owner: str


class Hold(Visit, kw_only=True):
    """Time kept for a booking: like a visit, with the claims that it has. It ends as booked, released or expired."""

    expires_at: int
    ended_as: str | None = None
    claims: list[StoredClaim] = []

    def is_open(self, now: int) -> bool:
        return self.ended_as is None and now < self.expires_at


DatesOf = tuple[str, date, date]
"""A patient, and the first and last local date on which units are counted for a decision."""


class StoredCount(NamedTuple):
    patient_id: str
    on_date: date
    payer_id: str
    code: str
    units: int


class Facts(msgspec.Struct):
    """What the SQL function `facts` returns: one snapshot, true at `seq`."""

    seq: int
    directory_seq: int
    now: int
    appointments: list[Visit] | None = None
    patients: list[Patient] | None = None
    authorizations: list[Authorization] | None = None
    keys: list[StoredAnswer] | None = None
    claims: list[StoredClaim] | None = None
    holds: list[Hold] | None = None
    """All that have not ended, and those that were named."""

    caregivers: list[tuple[str, str]] | None = None
    """The patients of the contacts that were named: patient, contact."""

    counts: list[StoredCount] | None = None
    counted_dates: list[DatesOf] = []
    """For which all `counts` were read."""

    is_remembered: bool = False
    """Nothing was read for it: whether there are stored answers is not known."""

    def with_counts(self, patient: Patient) -> Patient:
        """The patient as caps are asked about: with the counts that were read."""
        own = [each for each in self.counts or () if each.patient_id == patient.id]
        counted = tuple([Counted(each.on_date, each.payer_id, each.code, each.units) for each in own])
        return msgspec.structs.replace(patient, counted=counted) if counted else patient

    @classmethod
    def decode(cls, document: str) -> "Facts":
        return msgspec.json.decode(document, type=cls)


SpanOf = tuple[str, int, int]
"""A resource and the time on it that a decision looks at."""

Spans = Sequence[SpanOf]

"""The appointment on the wire: the one place that makes it, and the one place that hides of it what the caller may
not see. Made from a stored visit or from an event's body; both give the same for the same state. Reads nothing.
"""

from typing import Final, Literal, Protocol

import msgspec

from holdfast.actor import Actor
from holdfast.rules import people
from holdfast.rules.facts import Directory, Patient, Visit
from holdfast.slot import rfc3339

Sight = Literal["whole", "own", "busy"]
"""How much of an appointment someone sees: all of it, what is for the patient, or that the time is taken."""


class Names(Protocol):
    """What ids are called. The directory answers it; so does whatever else has the names at hand."""

    def practitioner_name(self, practitioner_id: str) -> str: ...

    def room_number(self, room_id: str | None) -> str | None: ...

    def service_code(self, service_id: str) -> str: ...


class Line(msgspec.Struct, kw_only=True):
    """One practitioner giving one service inside a visit; instants in RFC 3339, UTC. Travel before and buffer after are
    the practitioner's time too. `caregiver_id`: the contact who takes part. `units_used` is null until the line's note is
    signed; `funding` says why units of a billable line are not reserved: they wait for an approval, or have none."""

    line_no: int
    practitioner_id: str
    service_id: str | None = None
    start: str
    end: str
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
    units_used: int | None = None
    funding: Literal["pending", "unfunded"] | None = None


class Assignment(msgspec.Struct, kw_only=True):
    """How the room was chosen."""

    method: str = "none"
    policy_version: int = 0
    score: int | None = None
    rules_applied: list[str] = []


class Appointment(msgspec.Struct, kw_only=True):
    """The flat practitioner_id, service_id and authorization_id are the first line's; units_reserved is the sum
    over the lines. Where only "busy" may be seen, what tells of the patient is null, false or 0; patients see of `assignment`
    the method alone."""

    id: str
    clinic_id: str
    patient_id: str | None
    practitioner_id: str = ""
    service_id: str | None = None
    room_id: str | None = None
    authorization_id: str | None = None
    location: str
    start: str
    end: str
    status: str
    needs_action: str | None = None
    pinned: bool = False
    units_reserved: int = 0
    version: int
    series_id: str | None = None
    group_id: str | None = None
    lines: list[Line]
    turnover_minutes: int = 0
    assignment: Assignment
    patient_name: str | None = None
    practitioner_name: str = ""
    room_number: str | None = None
    service_code: str | None = None
    created_at: str
    updated_at: str
    notes: str | msgspec.UnsetType | None = msgspec.UNSET


class Notice(msgspec.Struct, kw_only=True):
    """Something to know about a visit that stands all the same."""

    code: Literal[
        "outside_patient_availability", "interpreter_needed", "language_differs", "not_preferred_practitioner"
    ]
    detail: str


class PlacedAppointment(Appointment, kw_only=True):
    """A visit that was booked, moved or reinstated. `has_alerts`: whoever books must read the patient's `alerts` (at
    `/patients/{id}`); null for those who may not read patients."""

    notices: list[Notice]
    has_alerts: bool | None


class CancellationSeen(msgspec.Struct, kw_only=True):
    """`notice_minutes` before the start; negative after it. `late`: with less notice than the organization asks for."""

    cancelled_at: str
    cancelled_by: str | None
    reason_code: str | None
    reason: str | None
    notice_minutes: int | None
    late: bool | None


class AppointmentInFull(Appointment, kw_only=True):
    """One visit with what happened to it. `cancellation` is null unless it is cancelled; where only "busy" may be seen,
    nothing of this is there."""

    checked_in_at: str | msgspec.UnsetType | None = msgspec.UNSET
    started_at: str | msgspec.UnsetType | None = msgspec.UNSET
    completed_at: str | msgspec.UnsetType | None = msgspec.UNSET
    replaces_appointment_id: str | msgspec.UnsetType | None = msgspec.UNSET
    cancellation: CancellationSeen | msgspec.UnsetType | None = msgspec.UNSET


_event_body = msgspec.json.Decoder(Appointment)


def of_event(body: str | bytes, patient_name: str | None, names: Names) -> Appointment:
    """From the body of an appointment event, as JSON."""
    return _flattened(_event_body.decode(body), patient_name, names)


def of_visit(
    visit: Visit, names: Names, notes: str | msgspec.UnsetType | None = msgspec.UNSET
) -> Appointment:
    """From a stored visit (which knows its patient's name). `notes` are given where they belong: a single read."""
    appointment = Appointment(
        id=visit.id,
        clinic_id=visit.clinic_id,
        patient_id=visit.patient_id,
        room_id=visit.room_id,
        location=visit.location,
        start=rfc3339(visit.start),
        end=rfc3339(visit.end),
        status=visit.status,
        needs_action=visit.needs_action,
        pinned=visit.pinned,
        version=visit.version,
        series_id=visit.series_id,
        group_id=visit.group_id,
        lines=[
            Line(
                line_no=line.line_no,
                practitioner_id=line.practitioner_id,
                service_id=line.service_id,
                start=rfc3339(line.start),
                end=rfc3339(line.end),
                patient_present=line.patient_present,
                authorization_id=line.authorization_id,
                billable=line.billable,
                units_reserved=line.units_reserved,
                unfunded_units=line.unfunded_units,
                minutes_actual=line.minutes_actual,
                travel_before_minutes=line.travel_before_minutes,
                buffer_minutes=line.buffer_minutes,
                line_status=line.line_status,
                caregiver_id=line.caregiver_id,
                units_used=line.units_used,
                funding=line.funding,
            )
            for line in visit.lines
        ],
        turnover_minutes=visit.turnover_minutes,
        assignment=Assignment(
            method=visit.method,
            policy_version=visit.policy_version,
            score=visit.score,
            rules_applied=visit.rules_applied,
        ),
        created_at=rfc3339(visit.created_at),
        updated_at=rfc3339(visit.updated_at),
        notes=notes,
    )
    return _flattened(appointment, visit.patient_name, names)


def in_full(appointment: Appointment, visit: Visit, reason: str | None) -> AppointmentInFull:
    """The appointment of a stored visit with its history; `reason`: that of its cancellation, opened."""
    seen = {name: getattr(appointment, name) for name in Appointment.__struct_fields__}
    return AppointmentInFull(
        **seen, checked_in_at=_when(visit.checked_in_at), started_at=_when(visit.started_at),
        completed_at=_when(visit.completed_at), replaces_appointment_id=visit.replaces_appointment_id,
        cancellation=None if visit.cancelled_at is None else CancellationSeen(
            cancelled_at=rfc3339(visit.cancelled_at), cancelled_by=visit.cancelled_by,
            reason_code=visit.cancel_reason_code, reason=reason, notice_minutes=visit.notice_minutes,
            late=visit.cancelled_late,
        ),
    )  # fmt: skip


def _when(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)


_NOTHING_TO_KNOW: Final = b',"notices":[],"has_alerts":false}'


def placed(appointment: bytes, directory: Directory, patient: Patient, visit: Visit, actor: Actor) -> bytes:
    """An encoded appointment as a PlacedAppointment: with what is to be known of its patient. Alerts themselves stay
    where they are sealed: an answer is kept for a day."""
    notices = people.notices(directory, patient, visit)
    if not notices and not patient.has_alerts and actor.reach("patients.read"):
        return appointment[:-1] + _NOTHING_TO_KNOW
    said = {
        "notices": notices,
        "has_alerts": patient.has_alerts if actor.reach("patients.read") else None,
    }
    return appointment[:-1] + b"," + msgspec.json.encode(said)[1:]


def _flattened(appointment: Appointment, patient_name: str | None, names: Names) -> Appointment:
    """Adds what repeats the lines, and the names."""
    first = appointment.lines[0]
    appointment.practitioner_id = first.practitioner_id
    appointment.service_id = first.service_id
    appointment.authorization_id = first.authorization_id
    appointment.units_reserved = sum([line.units_reserved for line in appointment.lines])
    appointment.patient_name = patient_name
    appointment.practitioner_name = names.practitioner_name(first.practitioner_id)
    appointment.room_number = names.room_number(appointment.room_id)
    appointment.service_code = names.service_code(first.service_id or "")
    return appointment


def sight(actor: Actor, appointment: Appointment | Visit) -> Sight | None:
    """How much of the whole appointment, or of a hold, the actor may see; None: not even that it is there."""
    reach = actor.reach("appointments.read")
    if reach == "all":
        return "whole"
    if reach is None:
        return None
    if actor.role == "practitioner":
        own = any(line.practitioner_id == actor.practitioner_id for line in appointment.lines)
        return "whole" if own else "busy"
    mine = appointment.patient_id is not None and (
        appointment.patient_id == actor.patient_id or appointment.patient_id in actor.patient_ids
    )
    return "own" if mine else None


def seen_by(actor: Actor, appointment: Appointment) -> Appointment | None:
    """The appointment as the actor may see it; None if it is left out."""
    how = sight(actor, appointment)
    return None if how is None else shown(appointment, how)


def shown(appointment: Appointment, how: Sight) -> Appointment:
    """As much of the appointment."""
    return appointment if how == "whole" else _own(appointment) if how == "own" else _busy(appointment)


def _own(appointment: Appointment) -> Appointment:
    """All but how the room was chosen: a rule's name may tell of others, and is the clinic's."""
    return msgspec.structs.replace(appointment, assignment=Assignment(method=appointment.assignment.method))


def _busy(appointment: Appointment) -> Appointment:
    """That the time is taken: where, when, by which practitioner, in which state. Built from nothing rather than
    cut down, so that a field that comes later is hidden until someone decides otherwise. How the room was chosen
    is left out because a rule's name may tell of the patient."""
    return Appointment(
        id=appointment.id,
        clinic_id=appointment.clinic_id,
        patient_id=None,
        practitioner_id=appointment.practitioner_id,
        room_id=appointment.room_id,
        location=appointment.location,
        start=appointment.start,
        end=appointment.end,
        status=appointment.status,
        needs_action=appointment.needs_action,
        pinned=appointment.pinned,
        version=appointment.version,
        lines=[
            Line(
                line_no=line.line_no,
                practitioner_id=line.practitioner_id,
                start=line.start,
                end=line.end,
                travel_before_minutes=line.travel_before_minutes,
                buffer_minutes=line.buffer_minutes,
            )
            for line in appointment.lines
        ],
        turnover_minutes=appointment.turnover_minutes,
        assignment=Assignment(method=appointment.assignment.method),
        practitioner_name=appointment.practitioner_name,
        room_number=appointment.room_number,
        created_at=appointment.created_at,
        updated_at=appointment.updated_at,
    )

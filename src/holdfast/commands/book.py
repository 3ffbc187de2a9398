"""Book a visit: the patient's, the practitioner's and a room's time and the insurer's units, all or nothing."""

from holdfast import ids
from holdfast.actor import Asked
from holdfast.commands.desk import Desk
from holdfast.commands.intent import (
    BOOKINGS,
    Intent,
    check_overlap,
    check_time,
    granted,
    known,
    line_of,
    sealed_notes,
    sealed_reason,
    settle,
)
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules.assess import Wish
from holdfast.rules.facts import Directory, Visit
from holdfast.slot import MINUTE
from holdfast.states import WITHOUT_CLAIMS


class Book(Intent, kw_only=True):
    """`end` or `duration_minutes` or neither (the service's duration); `room_id` given or assigned."""

    clinic_id: str
    patient: str
    practitioner_id: str
    service_id: str
    start: int
    end: int | None = None
    duration_minutes: int | None = None
    location: str | None = None
    room_id: str | None = None
    authorization: str | None = None
    replaces_appointment_id: str | None = None
    notes: str | None = None
    overlap_reason: str | None = None

    @property
    def rank(self) -> int:
        return BOOKINGS

    @property
    def patient_id(self) -> str | None:
        return self.patient

    @property
    def authorization_id(self) -> str | None:
        return self.authorization

    @property
    def other_visit_ids(self) -> tuple[str, ...]:
        return (self.replaces_appointment_id,) if self.replaces_appointment_id else ()

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        known(directory.clinics, self.clinic_id, "clinic_id")
        known(directory.practitioners, self.practitioner_id, "practitioner_id")
        known(directory.services, self.service_id, "service_id")
        if self.room_id is not None:
            known(directory.rooms, self.room_id, "room_id")
        service = directory.services[self.service_id]
        location = self.location or service.locations[0]
        if location not in service.locations:
            offered = ", ".join(service.locations)
            raise Invalid(FieldError("location", "invalid_value", f"{service.code} is given {offered}"))
        if self.room_id is not None and location != "on_site":
            raise Invalid(FieldError("room_id", "invalid_value", "only an on-site visit has a room"))
        end = self.end
        if end is None:
            end = self.start + (self.duration_minutes or service.duration_minutes) * MINUTE
        line = line_of(directory, self.practitioner_id, self.service_id, self.start, end)
        line.authorization_id = self.authorization
        return Visit(
            id="", clinic_id=self.clinic_id, patient_id=self.patient, room_id=self.room_id, location=location,
            start=self.start, end=end, status="scheduled", lines=[line],
            replaces_appointment_id=self.replaces_appointment_id,
        )  # fmt: skip

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        return Wish(
            visit=visit,
            room="given" if self.room_id else "chosen",
            unassigned=directory.clinics[visit.clinic_id].allow_unassigned,
            overlap=self.overlap_reason is not None,
        )

    def decide(self, desk: Desk, asked: Asked) -> Visit:
        visit = self.wished(desk.directory, None, desk.now)
        check_time(
            desk.settings,
            desk.now,
            visit.start,
            visit.end,
            "duration_minutes" if self.duration_minutes else "end",
        )
        patient = desk.patient(visit.patient_id)
        desk.allow(asked, visit)
        check_overlap(asked, self.overlap_reason)
        for other in self.other_visit_ids:
            _check_replaced(desk.stored(other), visit)
        if self.authorization is not None and not desk.has_authorization(self.authorization):
            raise NotFound("authorization_id")
        verdict = granted(desk, asked, patient, self.wish(desk.directory, visit, None))
        visit.id = ids.new()
        visit.created_by = asked.actor.user_id
        visit.patient_name = patient.name
        visit.notes_encrypted = sealed_notes(desk.keeping, visit.id, self.notes)
        settle(visit, verdict, manual=self.room_id is not None)
        desk.put(
            asked, "appointment.booked", visit, new=desk.claims_for(visit, verdict),
            **sealed_reason(desk.keeping, visit.id, self.overlap_reason),
        )  # fmt: skip
        return visit


def _check_replaced(missed: Visit | None, visit: Visit) -> None:
    """A make-up is for a visit of the same patient that did not take place and that no other makes up for."""
    if missed is None:
        raise NotFound("replaces_appointment_id")
    if missed.patient_id != visit.patient_id:
        raise Invalid(FieldError("replaces_appointment_id", "invalid_value", "is another patient's visit"))
    if missed.status not in WITHOUT_CLAIMS:
        why = f"The visit to make up for is {missed.status}, neither cancelled nor missed."
        raise Refused("not_replaceable", why, status_now=missed.status)
    if missed.is_replaced:
        raise Refused("already_replaced", "Another visit makes up for that one.")

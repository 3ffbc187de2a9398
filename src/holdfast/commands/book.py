"""Book a visit: the patient's, the practitioner's and a room's time and the insurer's units, all or nothing."""

from holdfast import ids
from holdfast.actor import Asked
from holdfast.commands.claims_kept import HeldClaim
from holdfast.commands.desk import Desk
from holdfast.commands.intent import (
    BOOKINGS,
    Placing,
    check_overlap,
    check_time,
    enclose,
    granted,
    known,
    sealed_notes,
    sealed_reason,
    settle,
    tails,
)
from holdfast.commands.line_wish import LineWish
from holdfast.commands.lines_of import check_named
from holdfast.errors import FieldError, Invalid, NotFound, Reason, Refused
from holdfast.rules.assess import Verdict, Wish
from holdfast.rules.facts import DatesOf, Directory, Hold, Membership, Visit
from holdfast.slot import local_date
from holdfast.states import WITHOUT_CLAIMS


class Book(Placing, kw_only=True):
    """`first` is the visit's own line, `others` those beside or after it, each with what the request calls it. A room is
    given or assigned."""

    clinic_id: str
    patient: str
    start: int
    first: LineWish
    others: tuple[tuple[str, LineWish], ...] = ()
    location: str | None = None
    room_id: str | None = None
    replaces_appointment_id: str | None = None
    notes: str | None = None
    overlap_reason: str | None = None
    hold: str | None = None
    series_id: str | None = None
    group_id: str | None = None
    group: Membership | None = None
    """The group that the visit is one of, as it is by now."""

    _foreseen: tuple[Directory, Visit] | None = None
    """The visit as it was looked at last, to be decided on once."""

    @property
    def rank(self) -> int:
        return BOOKINGS

    @property
    def is_placing(self) -> bool:
        return True

    @property
    def patient_id(self) -> str | None:
        return self.patient

    @property
    def lines(self) -> list[tuple[str, LineWish]]:
        return [("", self.first), *self.others]

    @property
    def authorization_ids(self) -> tuple[str, ...]:
        return tuple([line.authorization_id for _, line in self.lines if line.authorization_id])

    @property
    def caregiver_ids(self) -> tuple[str, ...]:
        return tuple([line.caregiver_id for _, line in self.lines if line.caregiver_id])

    @property
    def hold_id(self) -> str | None:
        return self.hold

    @property
    def other_visit_ids(self) -> tuple[str, ...]:
        return (self.replaces_appointment_id,) if self.replaces_appointment_id else ()

    def foresee(self, directory: Directory, visit: Visit) -> None:
        self._foreseen = (directory, visit)

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is not None and foreseen[0] is directory:
            return foreseen[1]
        known(directory.clinics, self.clinic_id, "clinic_id")
        known(directory.services, self.first.service_id, "service_id")
        if self.room_id is not None:
            known(directory.rooms, self.room_id, "room_id")
        service = directory.services[self.first.service_id]
        location = self.location or service.locations[0]
        if location not in service.locations:
            offered = ", ".join(service.locations)
            raise Invalid(FieldError("location", "invalid_value", f"{service.code} is given {offered}"))
        if self.room_id is not None and location != "on_site":
            raise Invalid(FieldError("room_id", "invalid_value", "only an on-site visit has a room"))
        lines = [self.first.line(directory, 1, self.start, None, location, "")]
        for number, (field, wish) in enumerate(self.others, start=2):
            lines.append(wish.line(directory, number, self.start, lines[0].end, location, field))
        visit = Visit(
            id="", clinic_id=self.clinic_id, patient_id=self.patient, room_id=self.room_id, location=location,
            start=self.start, end=lines[0].end, status="scheduled", lines=lines,
            replaces_appointment_id=self.replaces_appointment_id, series_id=self.series_id,
            group_id=self.group_id, group=self.group,
        )  # fmt: skip
        enclose(visit)
        tails(directory, visit)
        return visit

    def dates(self, directory: Directory, before: Visit | None, now: int) -> list[DatesOf]:
        paid, first = directory.paid_services, self.first
        if not self.others and first.service_id not in paid and first.authorization_id is None:
            return []
        clinic = directory.clinics.get(self.clinic_id)
        if clinic is None or not any(
            line.service_id in paid or line.authorization_id for _, line in self.lines
        ):
            return []
        starts = [self.start, *(line.start for _, line in self.others if line.start is not None)]
        on = local_date(min(starts), clinic.time_zone)
        return [(self.patient, on, on)]

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        return Wish(
            visit=visit,
            room="given" if self.room_id else "chosen" if visit.room_id is None else "kept",
            unassigned=directory.clinics[visit.clinic_id].allow_unassigned,
            overlap=self.overlap_reason is not None,
            acknowledged=self.acknowledged,
        )

    def looked_over(self, desk: Desk, asked: Asked) -> tuple[Visit, Hold | None]:
        """The visit as it shall be, and the hold that it uses up, before the question whether there is time for it. Raises
        Refused, NotFound, Invalid."""
        visit = self.wished(desk.directory, None, desk.now)
        length_field = "duration_minutes" if self.first.duration_minutes else "end"
        check_time(desk.settings, desk.now, visit.start, visit.end, length_field)
        desk.patient(visit.patient_id)
        desk.allow_times(asked, None, visit)
        check_overlap(asked, self.overlap_reason)
        for other in self.other_visit_ids:
            _check_replaced(desk.stored(other), visit)
        for field, line in self.lines:
            check_named(desk, visit.patient_id, line.authorization_id, line.caregiver_id, field)
        hold = None if self.hold is None else self._held(desk, asked, visit, self.hold)
        if hold is not None and self.room_id is None and visit.location == "on_site":
            visit.room_id = hold.room_id
        return visit, hold

    def judged(self, desk: Desk, asked: Asked) -> tuple[Visit, Verdict, Hold | None, list[HeldClaim]]:
        """The visit as it is granted, and the hold that it uses up with the claims that this had. Raises Refused, NotFound,
        Invalid, and then nothing has changed."""
        visit, hold = self.looked_over(desk, asked)
        patient = desk.patient(visit.patient_id)
        held = desk.lift(hold) if hold is not None else []
        try:
            verdict = granted(desk, asked, patient, self.wish(desk.directory, visit, None))
        except Exception:
            if hold is not None:
                desk.lower(hold, held)
            raise
        visit.patient_name = patient.name
        return visit, verdict, hold, held

    def _held(self, desk: Desk, asked: Asked, visit: Visit, hold_id: str) -> Hold:
        """Raises NotFound, Refused (hold_expired, hold_mismatch, forbidden)."""
        hold = desk.hold(asked, hold_id, "hold_id")
        for name, ours, its in (
            ("patient_id", visit.patient_id, hold.patient_id),
            ("practitioner_id", visit.lines[0].practitioner_id, hold.lines[0].practitioner_id),
            ("service_id", visit.lines[0].service_id, hold.lines[0].service_id),
        ):
            if ours != its:
                why = f"The hold is for another {name.removesuffix('_id')}."
                raise Refused(
                    "hold_mismatch", why, reasons=(Reason("hold_mismatch", why, {"field": name}),), field=name,
                    alternatives={"rooms": [], "slots": []}, as_of_seq=desk.keeping.seq_after,
                )  # fmt: skip
        return hold

    def decide(self, desk: Desk, asked: Asked) -> Visit:
        visit, verdict, hold, held = self.judged(desk, asked)
        visit.id = ids.new()
        visit.created_by = asked.actor.user_id
        visit.notes_encrypted = sealed_notes(desk.keeping, visit.id, self.notes)
        settle(desk.directory, visit, verdict, manual=self.room_id is not None and self.group is None)
        desk.put(
            asked, "appointment.booked", visit, gone=held, new=desk.claims_for(visit, verdict),
            **sealed_reason(desk.keeping, visit.id, self.overlap_reason),
        )  # fmt: skip
        if hold is not None:
            desk.end_hold(hold, "booked", visit.id)
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

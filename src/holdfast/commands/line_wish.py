"""A line as a request wishes for it: who gives what, within which time of the visit, with or without the patient."""

from typing import Final

import msgspec

from holdfast.commands.intent import known
from holdfast.errors import FieldError, Invalid
from holdfast.rules.facts import Directory, Line, Service
from holdfast.slot import MINUTE

TRAVELLED_TO: Final = frozenset({"home", "school", "community"})


class LineWish(msgspec.Struct, kw_only=True, frozen=True):
    """No start: the visit's. No end: `duration_minutes`, or the service's duration, but not beyond `end_latest`."""

    practitioner_id: str
    service_id: str
    start: int | None = None
    end: int | None = None
    duration_minutes: int | None = None
    patient_present: bool | None = None
    authorization_id: str | None = None
    billable: bool = True
    caregiver_id: str | None = None
    travel_before_minutes: int = 0

    def line(
        self,
        directory: Directory,
        line_no: int,
        start: int,
        end_latest: int | None,
        location: str,
        field: str,
    ) -> Line:
        """The line, its tails not yet set. `start`: where it begins if it does not say; `field`: what the request calls it
        ("" for the visit's own fields, "lines[0]."). Raises NotFound and Invalid naming the field."""
        known(directory.practitioners, self.practitioner_id, f"{field}practitioner_id")
        known(directory.services, self.service_id, f"{field}service_id")
        service = directory.services[self.service_id]
        if self.travel_before_minutes and location not in TRAVELLED_TO:
            raise Invalid(
                FieldError(f"{field}travel_before_minutes", "invalid_value", "nobody travels to this place")
            )
        begins = start if self.start is None else self.start
        ends = self.end
        if ends is None:
            ends = begins + (self.duration_minutes or service.duration_minutes) * MINUTE
            if self.duration_minutes is None and end_latest is not None and begins < end_latest:
                ends = min(ends, end_latest)
        if ends <= begins:
            raise Invalid(FieldError(f"{field}end", "invalid_value", "must be after the start"))
        return Line(
            line_no=line_no, practitioner_id=self.practitioner_id, service_id=self.service_id, start=begins, end=ends,
            patient_present=presence_of(service, self.patient_present, self.caregiver_id, f"{field}patient_present"),
            authorization_id=self.authorization_id, billable=self.billable, caregiver_id=self.caregiver_id,
            travel_before_minutes=self.travel_before_minutes,
        )  # fmt: skip


def presence_of(service: Service, wished: bool | None, caregiver_id: str | None, field: str) -> bool:
    """Whether the patient is there: as the service says (practice.md, Presence), and where it leaves it open, as wished.
    Raises Invalid for a wish that the service does not allow."""
    if wished is None:
        return service.attendance == "patient" or (service.attendance == "either" and caregiver_id is None)
    if wished and service.attendance == "none":
        raise Invalid(FieldError(field, "invalid_value", f"{service.code} is given without the patient"))
    if not wished and service.attendance == "patient":
        raise Invalid(FieldError(field, "invalid_value", f"{service.code} is given to the patient"))
    return wished

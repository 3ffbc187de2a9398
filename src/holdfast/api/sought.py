"""What somebody looks for who wants a free time: a service at a clinic, with whom, for whom. Shared by the calls that
search.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, NamedTuple

import msgspec

from holdfast.api.door import Ask
from holdfast.api.wire import Id
from holdfast.commands.gather import Gathered, Need
from holdfast.commands.refusal import everything
from holdfast.errors import NotFound
from holdfast.rules.assess import credential_fault
from holdfast.rules.facts import (
    Authorization,
    Clinic,
    DatesOf,
    Directory,
    Line,
    Patient,
    Practitioner,
    Service,
    SpanOf,
    Visit,
)
from holdfast.slot import DAY, MINUTE, Span, day_span, union


class Wanted(msgspec.Struct, kw_only=True):
    """With anybody who can give the service there, unless one or some are named."""

    clinic_id: Id
    service_id: Id
    practitioner_id: Id | None = None
    practitioner_ids: list[Id] = []
    patient_id: Id | None = None
    duration_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] | None = None

    acknowledge_unfunded: bool = False
    acknowledge_cap: bool = False

    def need(self, first: date, last: date) -> Need:
        """What must be known before anything can be looked for on these dates."""
        if self.patient_id is None:
            return Need()
        counted = (self.patient_id, first, last)

        def dates(directory: Directory, _visits: object, _now: int) -> list[DatesOf]:
            return [counted] if self.service_id in directory.paid_services else []

        return Need(patients={self.patient_id}, dates=dates)


class Sought(NamedTuple):
    """The visit that is looked for (its time and practitioner do not matter) and who could give it."""

    directory: Directory
    clinic: Clinic
    visit: Visit
    practitioners: list[Practitioner]
    patient: Patient | None
    authorizations: list[Authorization]

    def day(self, on: date) -> Span:
        return day_span(on, self.clinic.time_zone)

    def spans(self, dates: Iterable[date], now: int) -> list[SpanOf]:
        """The time that looking for the visit on these dates looks at, of those that are not over."""
        reached = union(
            (max(start - DAY, now - 2 * DAY), end + 2 * DAY) for start, end in map(self.day, dates)
        )
        named = [each.id for each in self.practitioners]
        found: list[SpanOf] = []
        for low, high in reached:
            found += [
                *everything(self.directory, self.visit, low, high),
                *((each, low, high) for each in named),
            ]
        return found


def sought(ask: Ask[Any, Any], wanted: Wanted, seen: Gathered, first: date) -> Sought:
    """What is wanted, on the facts that name its patient. Raises NotFound naming the field."""
    patient = _patient(ask, wanted, seen)
    directory = seen.directory
    clinic, service = directory.clinics.get(wanted.clinic_id), directory.services.get(wanted.service_id)
    if clinic is None:
        raise NotFound("clinic_id")
    if service is None:
        raise NotFound("service_id")
    visit = _visit(clinic, service, patient, wanted, first)
    able = [
        each
        for each in _named(directory, wanted)
        if each.is_active
        and (not each.clinic_ids or clinic.id in each.clinic_ids)
        and _may_be_credentialed(each, service, clinic, visit)
    ]
    authorizations = [
        each for each in seen.facts.authorizations or () if each.patient_id == wanted.patient_id
    ]
    return Sought(directory, clinic, visit, able, patient, authorizations)


def _patient(ask: Ask[Any, Any], wanted: Wanted, seen: Gathered) -> Patient | None:
    if wanted.patient_id is None:
        return None
    actor = ask.actor
    own = actor.role != "patient" or wanted.patient_id in (actor.patient_id, *actor.patient_ids)
    found = next((each for each in seen.facts.patients or () if each.id == wanted.patient_id), None)
    if found is None or not own:
        raise NotFound("patient_id")
    return seen.facts.with_counts(found)


def _named(directory: Directory, wanted: Wanted) -> list[Practitioner]:
    """Everybody, unless some are named; who is named twice over must be both."""
    named = [
        (field, ids)
        for field, ids in (
            ("practitioner_id", {wanted.practitioner_id} - {None}), ("practitioner_ids", set(wanted.practitioner_ids)),
        )
        if ids
    ]  # fmt: skip
    for field, ids in named:
        if not ids <= directory.practitioners.keys():
            raise NotFound(field)
    return [each for each in directory.practitioners.values() if all(each.id in ids for _, ids in named)]


def _may_be_credentialed(each: Practitioner, service: Service, clinic: Clinic, visit: Visit) -> bool:
    """A practitioner without the credential at any time is left out early; its dates are asked about per slot."""
    fault = credential_fault(each, service, clinic, visit)
    return fault is None or fault.code != "credential_missing"


def _visit(clinic: Clinic, service: Service, patient: Patient | None, wanted: Wanted, first: date) -> Visit:
    start = day_span(first, clinic.time_zone)[0]
    end = start + (wanted.duration_minutes or service.duration_minutes) * MINUTE
    line = Line(
        line_no=1, practitioner_id="", service_id=service.id, start=start, end=end,
        patient_present=service.attendance in ("patient", "either"),
    )  # fmt: skip
    return Visit(
        id="", clinic_id=clinic.id, patient_id=patient.id if patient else "", room_id=None,
        location=service.locations[0], start=start, end=end, status="scheduled", lines=[line],
    )  # fmt: skip

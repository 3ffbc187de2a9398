"""GET /availability: which times are free, each with the room it would get."""

from datetime import date, timedelta
from typing import Annotated, Any

import msgspec

from holdfast.api.dates import check_range, minutes_of_day
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.wire import Id
from holdfast.commands.gather import Gathered, Need
from holdfast.commands.reading import snapshot
from holdfast.commands.refusal import everything, slot_body
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.rules.assess import credential_fault
from holdfast.rules.availability import Grid, free_slots
from holdfast.rules.facts import Clinic, Directory, Line, Patient, Practitioner, Service, Visit
from holdfast.slot import DAY, MINUTE, day_span


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Dates are the clinic's own, both inclusive. `weekdays`: 0 is Monday; may be repeated or given as 1,3."""

    clinic_id: Id
    service_id: Id
    start_date: date
    end_date: date
    practitioner_id: Id | None = None
    patient_id: Id | None = None
    weekdays: list[str] = []
    time_from: str | None = None
    time_to: str | None = None
    duration_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] | None = None
    step_minutes: Annotated[int, msgspec.Meta(ge=5, le=240)] = 15
    limit: Annotated[int, msgspec.Meta(ge=1)] = 100


class FreeSlot(msgspec.Struct, kw_only=True):
    start: str
    end: str
    practitioner_id: str
    room_id: str | None
    score: int


class Availability(msgspec.Struct, kw_only=True):
    slots: list[FreeSlot]
    truncated: bool
    as_of_seq: int


async def availability(ask: Ask[Query, Any]) -> Answer:
    query, settings = ask.query, ask.house.settings
    check_range(query.start_date, query.end_date, settings.availability_days_max)
    if query.limit > settings.availability_slots_max:
        raise Invalid(FieldError("limit", "invalid_value", f"may be {settings.availability_slots_max}"))
    grid = _grid(query)
    async with snapshot(ask.house, ask.actor.organization_id) as reading:
        patients = {query.patient_id} if query.patient_id else set()
        seen = await reading.gather(Need(lambda _directory, _visits, _now: [], patients=set(patients)))
        patient = _patient(ask, seen)
        clinic, visit, practitioners = _sought(seen.directory, query, patient)
        days = (query.end_date - query.start_date).days + 1
        low = day_span(query.start_date, clinic.time_zone)[0] - DAY
        high = day_span(query.end_date, clinic.time_zone)[1] + 2 * DAY
        low = max(low, seen.facts.now - 2 * DAY)
        wide = everything(seen.directory, visit, low, high)
        wide += [(each.id, low, high) for each in practitioners if low < high]
        authorizations = list(seen.facts.authorizations or ())
        seen = await reading.gather(Need(lambda _directory, _visits, _now: wide))
    slots, truncated = free_slots(
        seen.directory, seen.timetable, patient, authorizations, visit, practitioners,
        _dates(query, days, seen), grid, seen.facts.now, query.limit,
    )  # fmt: skip
    return Answer(
        content={
            "slots": [slot_body(slot) for slot in slots], "truncated": truncated, "as_of_seq": seen.facts.seq,
        },
        seq=seen.facts.seq,
    )  # fmt: skip


def _dates(query: Query, days: int, seen: Gathered) -> list[date]:
    """The asked dates that are not over: nothing can be free before now."""
    zone_name = seen.directory.clinics[query.clinic_id].time_zone
    dates = (query.start_date + timedelta(days=n) for n in range(days))
    return [on for on in dates if day_span(on, zone_name)[1] > seen.facts.now]


def _grid(query: Query) -> Grid:
    weekdays = {each for text in query.weekdays for each in text.split(",")}
    if not weekdays <= set("0123456"):
        raise Invalid(FieldError("weekdays", "invalid_value", "0 (Monday) to 6, such as 1,3"))
    low = minutes_of_day(query.time_from, "time_from") if query.time_from else 0
    high = minutes_of_day(query.time_to, "time_to") if query.time_to else 1440
    if low >= high:
        raise Invalid(FieldError("time_to", "invalid_value", "must be after time_from"))
    return Grid(
        step_minutes=query.step_minutes, weekdays=frozenset(map(int, weekdays or "0123456")), from_minute=low,
        to_minute=high,
    )  # fmt: skip


def _patient(ask: Ask[Query, Any], seen: Gathered) -> Patient | None:
    if ask.query.patient_id is None:
        return None
    actor = ask.actor
    own = actor.role != "patient" or ask.query.patient_id in (actor.patient_id, *actor.patient_ids)
    found = next(iter(seen.facts.patients or ()), None)
    if found is None or not own:
        raise NotFound("patient_id")
    return found


def _sought(
    directory: Directory, query: Query, patient: Patient | None
) -> tuple[Clinic, Visit, list[Practitioner]]:
    """The visit that is looked for and who could give it. Raises NotFound naming the field."""
    clinic, service = directory.clinics.get(query.clinic_id), directory.services.get(query.service_id)
    if clinic is None:
        raise NotFound("clinic_id")
    if service is None:
        raise NotFound("service_id")
    everyone = list(directory.practitioners.values())
    if query.practitioner_id is not None:
        everyone = [each for each in everyone if each.id == query.practitioner_id]
        if not everyone:
            raise NotFound("practitioner_id")
    visit = _visit(clinic, service, patient, query)
    able = [
        each
        for each in everyone
        if each.is_active
        and (not each.clinic_ids or clinic.id in each.clinic_ids)
        and _may_be_credentialed(each, service, clinic, visit)
    ]
    return clinic, visit, able


def _may_be_credentialed(each: Practitioner, service: Service, clinic: Clinic, visit: Visit) -> bool:
    """A practitioner without the credential at any time is left out early; its dates are asked about per slot."""
    fault = credential_fault(each, service, clinic, visit)
    return fault is None or fault.code != "credential_missing"


def _visit(clinic: Clinic, service: Service, patient: Patient | None, query: Query) -> Visit:
    start = day_span(query.start_date, clinic.time_zone)[0]
    end = start + (query.duration_minutes or service.duration_minutes) * MINUTE
    line = Line(
        line_no=1, practitioner_id="", service_id=service.id, start=start, end=end,
        patient_present=service.attendance in ("patient", "either"),
    )  # fmt: skip
    return Visit(
        id="", clinic_id=clinic.id, patient_id=patient.id if patient else "", room_id=None,
        location=service.locations[0], start=start, end=end, status="scheduled", lines=[line],
    )  # fmt: skip


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", "/api/v1/availability", availability, "appointments.read",
        "Free times of a clinic for a service, each with its room", query=Query, answer=Availability,
        refusals=("not_found",), tag="appointments",
    ),
)  # fmt: skip

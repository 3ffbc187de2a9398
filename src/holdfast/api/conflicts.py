"""GET /appointments/conflicts: what is in the way of a time, and what is free instead."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec

from holdfast.actor import Actor
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.wire import Id, Instant
from holdfast.commands.gather import Need
from holdfast.commands.intent import dates_of
from holdfast.commands.look_up import Found, InTheWay, Lookup, TimeAsked
from holdfast.commands.reading import snapshot
from holdfast.commands.refusal import everything, free_rooms, slot_body, widened
from holdfast.errors import FieldError, Invalid
from holdfast.rules.assess import spans
from holdfast.rules.availability import Grid, nearest_slots
from holdfast.rules.facts import Directory, Line, Visit
from holdfast.rules.lines import set_tails
from holdfast.rules.policy.buffers import buffers
from holdfast.rules.seats import most_at_once
from holdfast.slot import DAY, MINUTE, local_date, rfc3339


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A time, and whose. With a clinic, practitioner and service, free times are offered too."""

    start: Instant
    end: Instant
    practitioner_id: Id | None = None
    patient_id: Id | None = None
    room_id: Id | None = None
    clinic_id: Id | None = None
    service_id: Id | None = None
    exclude_appointment_id: Id | None = None


class Conflict(msgspec.Struct, kw_only=True):
    kind: str
    resource_id: str
    appointment_id: str | None
    start: str
    end: str
    status: str


class Alternatives(msgspec.Struct, kw_only=True):
    rooms: list[dict[str, Any]] = []
    slots: list[dict[str, Any]] = []


class Conflicts(msgspec.Struct, kw_only=True):
    has_conflict: bool
    conflicts: list[Conflict]
    alternatives: Alternatives
    as_of_seq: int


async def conflicts(ask: Ask[Query, Any]) -> Answer:
    query = ask.query
    minutes = (query.end - query.start) // MINUTE
    if not 1 <= minutes <= ask.house.settings.visit_minutes_max:
        raise Invalid(FieldError("end", "invalid_value", "must be 1 minute to 24 hours after the start"))
    actor = ask.actor
    patient: str | None = query.patient_id
    if actor.role == "patient":
        # Only one's own time may be asked about; anybody else's is as unknown as a random id.
        patient = patient if patient in (None, actor.patient_id, *actor.patient_ids) else None
    named = (("practitioner", query.practitioner_id), ("patient", patient), ("room", query.room_id))
    resources = tuple((kind, resource) for kind, resource in named if resource is not None)
    asked = TimeAsked(resources, query.start, query.end, query.exclude_appointment_id)
    lookup: Lookup[Found] = Lookup(asked, ask.deadline, ask.house.loop.create_future())
    ask.house.conflict_lanes.join(actor.organization_id, lookup)
    found = await lookup.future
    taken = list(_taken(found, query.start, query.end))
    body = Conflicts(
        has_conflict=bool(taken), conflicts=[_body(claim, ask.actor) for claim in taken], alternatives=Alternatives(),
        as_of_seq=found.seq,
    )  # fmt: skip
    if taken and query.clinic_id in found.directory.clinics:
        body = await _with_alternatives(ask, body, patient)
    return Answer(content=body, seq=body.as_of_seq)


def _taken(found: Found, start: int, end: int) -> Iterable[InTheWay]:
    """The claims that really are in the way: on a resource of several seats only if all are taken at some moment."""
    directory = found.directory
    for resource in {claim.resource_id for claim in found.claims}:
        claims = [claim for claim in found.claims if claim.resource_id == resource]
        holder = directory.rooms.get(resource) or directory.practitioners.get(resource)
        at_once = most_at_once(((claim.start, claim.end) for claim in claims), start, end)
        if at_once >= (holder.seats if holder else 1):
            yield from claims


def _body(claim: InTheWay, actor: Actor) -> Conflict:
    """A patient learns that somebody's time is taken, and of whose visit only if it is the patient's own."""
    is_seen = actor.role != "patient" or claim.kind == "patient"
    return Conflict(
        kind=claim.kind, resource_id=claim.resource_id, appointment_id=claim.appointment_id if is_seen else None,
        start=rfc3339(claim.start), end=rfc3339(claim.end), status=(claim.status or claim.claim_kind.removesuffix("_turnover")) if is_seen else "busy",
    )  # fmt: skip


async def _with_alternatives(ask: Ask[Query, Any], body: Conflicts, patient_id: str | None) -> Conflicts:
    """Free rooms at the same time and free times of the same practitioner, as one state; `patient_id` is whom the caller
    may ask about."""
    query, organization = ask.query, ask.actor.organization_id
    async with snapshot(ask.house, organization) as reading:
        seen = await reading.gather(Need())
        visit = _visit(seen.directory, query, patient_id)
        if visit is None:
            return body
        low = max(visit.start - 9 * DAY, seen.facts.now - 2 * DAY)
        wide = everything(seen.directory, visit, low, visit.end + 9 * DAY)
        wide += [each for each in spans(seen.directory, visit) if each[0]]  # the patient may be nobody
        clinic = seen.directory.clinics[visit.clinic_id]
        middle = local_date(visit.start, clinic.time_zone)
        counted = widened(dates_of(seen.directory, visit), 7) if patient_id else []
        seen = await reading.gather(
            Need(
                lambda _directory, _visits, _now: wide,
                patients={patient_id} if patient_id else set(),
                dates=lambda _directory, _visits, _now: counted,
            )
        )
        patient = next((seen.facts.with_counts(each) for each in seen.facts.patients or ()), None)
        slots = nearest_slots(
            seen.directory, seen.timetable, patient, seen.facts.authorizations or (), visit,
            [middle + timedelta(days=n) for n in range(-7, 8)], Grid(), seen.facts.now,
            ask.house.settings.alternatives_slots,
        )  # fmt: skip
        only_rooms = {conflict.kind for conflict in body.conflicts} == {"room"}
        body.alternatives = Alternatives(
            rooms=free_rooms(seen, patient, visit) if only_rooms else [],
            slots=[slot_body(slot) for slot in slots],
        )
        body.as_of_seq = seen.facts.seq
        return body


def _visit(directory: Directory, query: Query, patient_id: str | None) -> Visit | None:
    """The visit that the question may be about; None if too little is said, or nothing of it is known."""
    practitioner = directory.practitioners.get(query.practitioner_id or "")
    service = directory.services.get(query.service_id or "")
    if practitioner is None or service is None or query.clinic_id not in directory.clinics:
        return None
    line = Line(
        line_no=1, practitioner_id=practitioner.id, service_id=service.id, start=query.start, end=query.end,
    )  # fmt: skip
    visit = Visit(
        id="", clinic_id=query.clinic_id or "", patient_id=patient_id or "", room_id=query.room_id,
        location=service.locations[0], start=query.start, end=query.end, status="scheduled", lines=[line],
    )  # fmt: skip
    set_tails(visit.lines, buffers(directory, visit))
    return visit


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", "/api/v1/appointments/conflicts", conflicts, "appointments.read",
        "What is in the way of a time, and what is free instead", query=Query, answer=Conflicts,
        tag="appointments",
    ),
)  # fmt: skip

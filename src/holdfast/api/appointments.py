"""/appointments: book, look, move, and the status calls. Each handler decodes, calls one thing, and encodes."""

import asyncio
import time
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

import msgspec

from holdfast.actor import Answered, Asked
from holdfast.api import appointment_view, break_glass
from holdfast.api.booking import (
    Acknowledging,
    GroupBooking,
    Location,
    Overlap,
    acknowledged,
    booking,
    check_notes,
    reason_of,
)
from holdfast.api.dates import check_range
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.fields import ReasonCode
from holdfast.api.wire import Id, Instant
from holdfast.commands import groups
from holdfast.commands.desk import View
from holdfast.commands.gather import Need
from holdfast.commands.groups import NewMember
from holdfast.commands.house import House
from holdfast.commands.intent import Errand, is_explained, notes_context, reason_context
from holdfast.commands.look_up import Lookup, Page, PageReader, PageWish
from holdfast.commands.move import Move
from holdfast.commands.reading import snapshot
from holdfast.commands.refusal import explained
from holdfast.commands.transaction import submit
from holdfast.commands.transition import LineMinutes, Transition
from holdfast.db.lanes import Lanes
from holdfast.errors import REFUSALS, FieldError, Invalid, NotFound, Refused
from holdfast.rules.facts import Directory, Patient, Visit
from holdfast.slot import day_span, rfc3339, wall
from holdfast.states import TRANSITIONS, WITHOUT_CLAIMS
from holdfast.vault import Seal

Status = Literal["scheduled", "confirmed", "checked_in", "in_progress", "completed", "cancelled", "no_show"]
CancelledBy = Literal["patient", "caregiver", "practitioner", "clinic", "payer", "weather", "error"]


class Moving(Acknowledging, kw_only=True):
    """Only what is given changes. A new start without an end keeps the length; notes: null removes them."""

    start: Instant | msgspec.UnsetType = msgspec.UNSET
    end: Instant | msgspec.UnsetType = msgspec.UNSET
    practitioner_id: Id | msgspec.UnsetType = msgspec.UNSET
    room_id: Id | msgspec.UnsetType = msgspec.UNSET
    location: Location | msgspec.UnsetType = msgspec.UNSET
    notes: str | msgspec.UnsetType | None = msgspec.UNSET
    allow_overlap: Overlap | None = None


class Override(Acknowledging, kw_only=True):
    room_id: Id
    reason: Annotated[str, msgspec.Meta(min_length=10, max_length=500)]


class When(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`at`: when it happened; now if it is not given."""

    at: Instant | None = None


class TakenAgain(Acknowledging, kw_only=True):
    """`at`: when it happened; now if it is not given. A visit that had let go of its time and units asks for them again."""

    at: Instant | None = None


class Completion(When, kw_only=True):
    lines: Annotated[list[LineMinutes], msgspec.Meta(max_length=20)] = []


class Cancellation(When, kw_only=True):
    reason: Annotated[str, msgspec.Meta(max_length=2_000)] | None = None
    cancelled_by: CancelledBy | None = None
    reason_code: ReasonCode | None = None


class Filter(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    start_date: date | None = None
    end_date: date | None = None
    clinic_id: Id | None = None
    client_id: Id | None = None
    patient_id: Id | None = None
    practitioner_id: Id | None = None
    room_id: Id | None = None
    status: Annotated[list[Status], msgspec.Meta(max_length=7)] = []
    unassigned: bool | None = None
    page: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class OnDate(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A date in the clinic's own calendar."""

    date: date


class RoomSchedule(msgspec.Struct, kw_only=True):
    """Who is in a room on a date, in order; visits that were cancelled or missed are not."""

    room_id: str
    date: date
    appointments: list[appointment_view.Appointment]
    as_of_seq: int


class AppointmentList(msgspec.Struct, kw_only=True):
    items: list[appointment_view.Appointment]
    page: int
    page_size: int
    total: int
    total_pages: int
    total_is_minimum: bool = False


def encoded(visit: Visit, directory: Directory) -> bytes:
    """A visit as those see it who see all."""
    return msgspec.json.encode(appointment_view.of_visit(visit, directory))


def seen(visit: Visit, directory: Directory, asked: Asked, patient: Patient | None) -> bytes:
    whole = encoded(visit, directory)
    return (
        whole if patient is None else appointment_view.placed(whole, directory, patient, visit, asked.actor)
    )


def pages(house: House) -> Lanes[Any]:
    """The lanes in which pages of visits are read."""
    return Lanes(house.settings, partial(PageReader, house, encoded))


async def submitted(ask: Ask[Any, Any], errand: Errand, view: View = seen) -> Answer:
    """Through the lane; a refusal comes back with its reasons, conflicts and alternatives."""
    try:
        answered: Answered = await submit(ask.house, ask.asked, errand, view, ask.spans)
    except Refused as refused:
        if is_explained(errand, refused):
            began = time.perf_counter()
            try:
                raise await explained(ask.house, ask.asked, errand, refused) from None
            finally:
                ask.spans["explain"] = seconds = time.perf_counter() - began
                ask.house.metrics.spans.explain.add(seconds)
        raise
    return Answer.of(answered)


async def book(ask: Ask[NoFields, GroupBooking]) -> Answer:
    check_notes(ask, ask.body.notes)
    if ask.body.group_id is not None:
        return await _join(ask, ask.body, ask.body.group_id)
    return await submitted(ask, booking(ask.body))


async def _join(ask: Ask[NoFields, GroupBooking], body: GroupBooking, group_id: str) -> Answer:
    """A booking that names a group is joining it."""
    for name in ("hold_id", "replaces_appointment_id", "lines", "allow_overlap", "travel_before_minutes"):
        if getattr(body, name):
            raise Invalid(FieldError(name, "invalid_value", "is not for a member of a group"))
    member = NewMember(
        patient_id=body.patient_id, authorization_id=body.authorization_id, caregiver_id=body.caregiver_id,
        notes=body.notes, acknowledged=acknowledged(body), believed=booking(body),
    )  # fmt: skip
    # a booking changes nothing that has a version
    asked = msgspec.structs.replace(ask.asked, if_match=None)
    return Answer.of(await groups.join(ask.house, asked, group_id, member, seen, "group_id"))


async def move(ask: Ask[NoFields, Moving]) -> Answer:
    check_notes(ask, ask.body.notes)
    given = {
        name: value
        for name in ("start", "end", "practitioner_id", "room_id", "location", "notes")
        if (value := getattr(ask.body, name)) is not msgspec.UNSET
    }
    if not given:
        raise Invalid(FieldError("body", "missing", "give at least one field to change"))
    intent = Move(
        id=ask.id(), overlap_reason=reason_of(ask.body.allow_overlap), acknowledged=acknowledged(ask.body), **given
    )  # fmt: skip
    return await submitted(ask, intent)


async def override_room(ask: Ask[NoFields, Override]) -> Answer:
    intent = Move(
        id=ask.id(), room_id=ask.body.room_id, override_reason=ask.body.reason, acknowledged=acknowledged(ask.body)
    )  # fmt: skip
    return await submitted(ask, intent)


def _call(name: str) -> Any:
    async def handler(ask: Ask[NoFields, Any]) -> Answer:
        body = ask.body
        return await submitted(
            ask,
            Transition(
                id=ask.id(), call=name, at=body.at, lines=tuple(getattr(body, "lines", ())),
                cancelled_by=getattr(body, "cancelled_by", None), reason_code=getattr(body, "reason_code", None),
                reason=getattr(body, "reason", None),
                acknowledged=acknowledged(body) if isinstance(body, Acknowledging) else frozenset(),
            ),
        )  # fmt: skip

    return handler


async def get(ask: Ask[NoFields, Any]) -> Answer:
    visit_id, organization = ask.id(), ask.actor.organization_id
    async with snapshot(ask.house, organization) as reading:
        found, visit = await reading.visit(visit_id)
        seal = await ask.house.seal(reading.connection, organization)
    notes = _opened(seal, visit.notes_encrypted, notes_context(visit.id))
    whole = appointment_view.of_visit(visit, found.directory, notes)
    how = appointment_view.sight(ask.actor, whole)
    if how == "busy" and await break_glass.opens(ask, visit.patient_id):
        how = "whole"
    if how is None:
        raise NotFound("id")
    shown = appointment_view.shown(whole, how)
    if how != "busy":
        reason = _opened(seal, visit.cancel_reason_encrypted, reason_context(visit.id))
        shown = appointment_view.in_full(shown, visit, reason)
    return Answer(content=shown, version=visit.version, seq=found.facts.seq)


def _opened(seal: Seal, stored: str | None, context: str) -> str | None:
    return None if stored is None else seal.open(bytes.fromhex(stored), context).decode()


async def _page(ask: Ask[Any, Any], wish: PageWish) -> Page:
    """Through the lane in which pages are read together."""
    lookup: Lookup[Page] = Lookup(wish, ask.deadline, ask.house.loop.create_future())
    ask.house.page_lanes.join(ask.actor.organization_id, lookup)
    return await lookup.future


async def list_appointments(ask: Ask[Filter, Any]) -> Answer:
    query = ask.query
    wishes = await _page_wishes(ask)
    # One's own visits with the patient are one's own in any case.
    is_more = query.practitioner_id is None or query.practitioner_id != ask.actor.practitioner_id
    if is_more and await break_glass.widened(ask, query.patient_id or query.client_id):
        wishes = await _page_wishes(ask)
    most = ask.house.settings.list_count_max
    items = b""
    total, seq = 0, None
    if len(wishes) == 1:
        page = await _page(ask, wishes[0])
        total, seq = page.total, page.seq
        items = page.items if ask.reach == "all" else _masked(ask, page)
    elif wishes:
        items, total, seq = await _together(ask, wishes)
    tail = msgspec.json.encode({
        "page": query.page, "page_size": query.page_size, "total": min(total, most),
        "total_pages": -(-min(total, most) // query.page_size), "total_is_minimum": total > most,
    })  # fmt: skip
    return Answer(content=b"".join((b'{"items":[', items, b"],", tail[1:])), seq=seq)


async def _together(ask: Ask[Filter, Any], wishes: list[PageWish]) -> tuple[bytes, int, int]:
    """One page of several patients' visits, oldest first: of each patient all up to the page's end are read."""
    for wish in wishes:
        wish.skip, wish.take = 0, wish.skip + wish.take
    pages = await asyncio.gather(*(_page(ask, wish) for wish in wishes))
    visits = [visit for page in pages for visit in _decoded(page)]
    visits.sort(key=lambda visit: (visit.start, visit.id))
    skip = (ask.query.page - 1) * ask.query.page_size
    shown = (appointment_view.seen_by(ask.actor, each) for each in visits[skip : skip + ask.query.page_size])
    items = b",".join([msgspec.json.encode(each) for each in shown if each is not None])
    return items, sum(page.total for page in pages), min(page.seq for page in pages)


async def room_schedule(ask: Ask[OnDate, Any]) -> Answer:
    room_id, on = ask.id(), ask.query.date
    check_range(on, on, 1)
    directory = await directory_of(ask)
    if room_id not in directory.rooms:
        directory = await directory_of(ask, fresh=True)
    room = directory.rooms.get(room_id)
    if room is None:
        raise NotFound("id")
    start, end = day_span(on, directory.clinics[room.clinic_id].time_zone)
    wish = PageWish(
        clinics=[room.clinic_id],
        room=room_id,
        statuses=[status for status in TRANSITIONS if status not in WITHOUT_CLAIMS],
        range_start=rfc3339(start),
        range_end=rfc3339(end),
        skip=0,
        take=ask.house.settings.calendar_appointments_max,
        count_max=ask.house.settings.calendar_appointments_max,
    )
    page = await _page(ask, wish)
    items = page.items if ask.reach == "all" else _masked(ask, page)
    head = msgspec.json.encode({"room_id": room_id, "date": on, "as_of_seq": page.seq})
    return Answer(content=head[:-1] + b',"appointments":[' + items + b"]}", seq=page.seq)


def _masked(ask: Ask[Any, Any], page: Page) -> bytes:
    """The page as a caller sees it who may not see all of it."""
    shown = (appointment_view.seen_by(ask.actor, each) for each in _decoded(page))
    return b",".join([msgspec.json.encode(each) for each in shown if each is not None])


def _decoded(page: Page) -> list[appointment_view.Appointment]:
    return msgspec.json.decode(b"[" + page.items + b"]", type=list[appointment_view.Appointment])


async def _page_wishes(ask: Ask[Filter, Any]) -> list[PageWish]:
    """What to read: for a guardian one page of each patient. Nothing, if no visit can fit."""
    actor = ask.actor
    one = await _page_wish(ask)
    if one is None or actor.role != "patient" or one.patient is not None:
        return [] if one is None else [one]
    return [msgspec.structs.replace(one, patient=patient) for patient in actor.patient_ids]


async def _page_wish(ask: Ask[Filter, Any]) -> PageWish | None:
    """What to read; None if no visit can fit. Without a patient for a guardian who does not say which."""
    query, actor = ask.query, ask.actor
    patient: str | None = query.patient_id or query.client_id
    if query.patient_id and query.client_id and query.patient_id != query.client_id:
        raise Invalid(FieldError("client_id", "invalid_value", "is another name of patient_id"))
    if actor.role == "patient":
        if patient is None and len(actor.patient_ids) == 1:
            patient = actor.patient_ids[0]
        if patient is not None and patient not in actor.patient_ids:
            return None
    practitioner: str | None = query.practitioner_id
    if actor.role == "practitioner" and patient is not None and ask.reach == "own":
        # Whose time it is that is busy is not told: a patient's visits are one's own with that patient.
        if practitioner not in (None, actor.practitioner_id):
            return None
        practitioner = actor.practitioner_id
    zone_name = await zone_of_dates(ask, query.clinic_id)
    if zone_name is None:
        return None
    first, last = query.start_date, query.end_date
    check_range(first, last, ask.house.settings.date_range_days_max)
    start = rfc3339(wall(first, 0, zone_name)) if first else "1971-01-01T00:00:00Z"
    end = rfc3339(wall(last, 1440, zone_name)) if last else "9000-01-01T00:00:00Z"
    return PageWish(
        clinics=[query.clinic_id] if query.clinic_id else None, patient=patient,
        practitioner=practitioner, room=query.room_id, statuses=list(query.status) or None,
        without_room=query.unassigned, range_start=start, range_end=end,
        skip=min((query.page - 1) * query.page_size, ask.house.settings.list_count_max + 1),
        take=query.page_size, count_max=ask.house.settings.list_count_max + 1,
    )  # fmt: skip


async def zone_of_dates(ask: Ask[Any, Any], clinic_id: str | None) -> str | None:
    """The zone in which the dates are meant: the clinic's, or the organization's; None for an unknown clinic."""
    directory = await directory_of(ask)
    if clinic_id is None:
        return directory.organization.time_zone
    if clinic_id not in directory.clinics:
        # It may have been created since: ask storage before saying that there is none.
        directory = await directory_of(ask, fresh=True)
    clinic = directory.clinics.get(clinic_id)
    return clinic.time_zone if clinic else None


async def directory_of(ask: Ask[Any, Any], *, fresh: bool = False) -> Directory:
    """The organization's directory, from memory unless it must be fresh; for what hardly ever changes."""
    organization = ask.actor.organization_id
    known = ask.house.directories.get(organization)
    if known is None or fresh:
        async with snapshot(ask.house, organization) as reading:
            known = (await reading.gather(Need())).directory
    return known


REFUSED = (
    *REFUSALS, "illegal_transition", "hold_expired", "hold_mismatch", "belongs_to_group", "group_cancelled", "group_moved",
    "already_member",
)  # fmt: skip
_CALLS: tuple[tuple[str, type, str], ...] = (
    ("confirm", When, "Confirm a visit"),
    ("check-in", TakenAgain, "The patient has arrived"),
    ("start", When, "The visit begins"),
    ("complete", Completion, "The visit is over; minutes are fixed and unused time is given back"),
    ("cancel", Cancellation, "Cancel; time and units are given back"),
    ("no-show", When, "The patient did not come; time and units are given back"),
    ("reinstate", TakenAgain, "Take back a cancellation or no-show: all checks again"),
    ("reopen", When, "Step back: completed, in progress or checked in by mistake"),
)
_ONE = "/api/v1/appointments/{id}"


def _answer(call: str) -> type:
    return appointment_view.PlacedAppointment if call == "reinstate" else appointment_view.Appointment


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "POST", "/api/v1/appointments", book, "appointments.write", "Book a visit", body=GroupBooking,
        answer=appointment_view.PlacedAppointment, status=201,
        refusals=(
            *REFUSALS, "not_replaceable", "already_replaced", "hold_expired", "hold_mismatch", "already_member",
            "group_cancelled",
        ), tag="appointments",
    ),
    Route(
        "GET", "/api/v1/appointments", list_appointments, "appointments.read",
        "Visits that touch a range of dates, oldest first", query=Filter, answer=AppointmentList,
        tag="appointments",
    ),
    Route(
        "GET", "/api/v1/rooms/{id}/schedule", room_schedule, "appointments.read",
        "Who is in a room on a date, in order", query=OnDate, answer=RoomSchedule, tag="appointments",
    ),
    Route(
        "GET", _ONE, get, "appointments.read", "One visit, with what happened to it",
        answer=appointment_view.AppointmentInFull, tag="appointments",
    ),
    Route(
        "PATCH", _ONE, move, "appointments.write", "Move a visit, or change its notes", body=Moving,
        answer=appointment_view.PlacedAppointment, refusals=REFUSED, tag="appointments",
    ),
    Route(
        "PATCH", _ONE + "/room", override_room, "appointments.override",
        "Put a visit into a room by hand, with a reason", body=Override,
        answer=appointment_view.PlacedAppointment, refusals=REFUSED, tag="appointments",
    ),
    *(
        Route(
            "POST", f"{_ONE}/{call}", _call(call), "appointments.write", summary, body=body,
            body_optional=True, answer=_answer(call), refusals=REFUSED, tag="appointments",
        )
        for call, body, summary in _CALLS
    ),
)  # fmt: skip

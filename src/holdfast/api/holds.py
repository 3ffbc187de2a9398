"""/holds: time kept for a booking that is being made."""

from typing import Annotated, Any

import msgspec

from holdfast.actor import Asked
from holdfast.api import appointment_view, lists
from holdfast.api.appointments import REFUSED, submitted
from holdfast.api.booking import Booking, booking, check_notes
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.lists import Paged
from holdfast.api.wire import Id
from holdfast.commands.gather import Need
from holdfast.commands.hold import PlaceHold, ReleaseHold
from holdfast.commands.reading import snapshot
from holdfast.errors import FieldError, Invalid
from holdfast.rules.facts import Directory, Hold, Patient, Visit
from holdfast.slot import rfc3339


class HoldBody(Booking, kw_only=True):
    """The booking to come. `ttl_seconds`: how long its time is kept; five minutes if nothing is said."""

    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] | None = None


class Held(msgspec.Struct, kw_only=True):
    """Time kept until `expires_at`; the room is the one that the booking gets unless it asks for another."""

    hold_id: str
    expires_at: str
    clinic_id: str
    patient_id: str
    practitioner_id: str
    service_id: str
    room_id: str | None
    location: str
    start: str
    end: str


class HoldQuery(Paged, kw_only=True):
    clinic_id: Id | None = None
    patient_id: Id | None = None
    practitioner_id: Id | None = None


class HoldPage(lists.Page, kw_only=True):
    items: list[Held]


def _held(hold: Hold) -> Held:
    return Held(
        hold_id=hold.id, expires_at=rfc3339(hold.expires_at), clinic_id=hold.clinic_id, patient_id=hold.patient_id,
        practitioner_id=hold.lines[0].practitioner_id, service_id=hold.lines[0].service_id, room_id=hold.room_id,
        location=hold.location, start=rfc3339(hold.start), end=rfc3339(hold.end),
    )  # fmt: skip


def _shown(visit: Visit, _directory: Directory, _asked: Asked, _patient: Patient | None) -> bytes:
    assert isinstance(visit, Hold)  # noqa: S101 holding gives holds
    return msgspec.json.encode(_held(visit))


def _nothing(_visit: Visit, _directory: Directory, _asked: Asked, _patient: Patient | None) -> bytes:
    return b""


async def place(ask: Ask[NoFields, HoldBody]) -> Answer:
    settings = ask.house.settings
    seconds = settings.hold_ttl_seconds if ask.body.ttl_seconds is None else ask.body.ttl_seconds
    if seconds > settings.hold_ttl_seconds_max:
        raise Invalid(
            FieldError("ttl_seconds", "invalid_value", f"may be {settings.hold_ttl_seconds_max} at most")
        )
    if ask.body.hold_id is not None:
        raise Invalid(FieldError("hold_id", "invalid_value", "belongs to a booking"))
    check_notes(ask, ask.body.notes)
    return await submitted(ask, PlaceHold(booking=booking(ask.body), ttl_seconds=seconds), _shown)


async def list_open(ask: Ask[HoldQuery, Any]) -> Answer:
    query = ask.query
    async with snapshot(ask.house, ask.actor.organization_id) as reading:
        found = await reading.gather(Need())
    holds = [
        hold
        for hold in sorted(found.timetable.holds.values(), key=lambda each: (each.start, each.id))
        if appointment_view.sight(ask.actor, hold) in ("whole", "own")
        and query.clinic_id in (None, hold.clinic_id)
        and query.patient_id in (None, hold.patient_id)
        and (
            query.practitioner_id is None
            or query.practitioner_id in {line.practitioner_id for line in hold.lines}
        )
    ]
    size = lists.size(ask, query)
    shown = [_held(hold) for hold in holds[(query.page - 1) * size : query.page * size]]
    return Answer(lists.page(ask, query, shown, len(holds)), seq=found.facts.seq)


async def release(ask: Ask[NoFields, Any]) -> Answer:
    return await submitted(ask, ReleaseHold(id=ask.id()), _nothing)


ROUTES = (
    Route(
        "GET", "/api/v1/holds", list_open, "appointments.read", "The times that are held now, by their start",
        query=HoldQuery, answer=HoldPage, tag="holds",
    ),
    Route(
        "POST", "/api/v1/holds", place, "appointments.write", "Keep a time for a booking that is being made",
        body=HoldBody, answer=Held, status=201, refusals=REFUSED, tag="holds",
    ),
    Route(
        "DELETE", "/api/v1/holds/{id}", release, "appointments.write", "Give a held time back", status=204,
        refusals=("hold_expired",), tag="holds",
    ),
)  # fmt: skip

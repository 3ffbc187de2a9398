"""/holds: time kept for a booking that is being made."""

from typing import Annotated, Any

import msgspec

from holdfast.actor import Asked
from holdfast.api.appointments import REFUSED, submitted
from holdfast.api.booking import Booking, booking, check_notes
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.commands.hold import PlaceHold, ReleaseHold
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


def _shown(visit: Visit, _directory: Directory, _asked: Asked, _patient: Patient | None) -> bytes:
    assert isinstance(visit, Hold)  # noqa: S101 holding gives holds
    return msgspec.json.encode(
        Held(
            hold_id=visit.id, expires_at=rfc3339(visit.expires_at), clinic_id=visit.clinic_id,
            patient_id=visit.patient_id, practitioner_id=visit.lines[0].practitioner_id,
            service_id=visit.lines[0].service_id, room_id=visit.room_id, location=visit.location,
            start=rfc3339(visit.start), end=rfc3339(visit.end),
        )
    )  # fmt: skip


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


async def release(ask: Ask[NoFields, Any]) -> Answer:
    return await submitted(ask, ReleaseHold(id=ask.id()), _nothing)


ROUTES = (
    Route(
        "POST", "/api/v1/holds", place, "appointments.write", "Keep a time for a booking that is being made",
        body=HoldBody, answer=Held, status=201, refusals=REFUSED, tag="holds",
    ),
    Route(
        "DELETE", "/api/v1/holds/{id}", release, "appointments.write", "Give a held time back", status=204,
        refusals=("hold_expired",), tag="holds",
    ),
)  # fmt: skip

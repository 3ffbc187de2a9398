"""/appointments/{id}/lines: who joins a visit, changes in it, leaves it."""

from typing import Any, Final

import msgspec

from holdfast.api import appointment_view
from holdfast.api.appointments import REFUSED, submitted
from holdfast.api.booking import (
    Acknowledging,
    LineBody,
    Overlap,
    Tail,
    acknowledged,
    check_length,
    line_wish,
    reason_of,
)
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.wire import Id, Instant
from holdfast.commands.change_line import ChangeLine
from holdfast.commands.join import Join
from holdfast.commands.leave import Leave
from holdfast.errors import FieldError, Invalid, NotFound

_ABOUT_IT: Final = frozenset({"allow_overlap", "acknowledge_unfunded", "acknowledge_cap"})
"""Fields of a change that are no field of the line."""


class NewLine(LineBody, kw_only=True):
    """A line that joins a visit."""

    allow_overlap: Overlap | None = None
    acknowledge_unfunded: bool = False
    acknowledge_cap: bool = False


class LineChange(Acknowledging, kw_only=True):
    """Only what is given changes. A new start without an end keeps the length."""

    practitioner_id: Id | msgspec.UnsetType = msgspec.UNSET
    service_id: Id | msgspec.UnsetType = msgspec.UNSET
    start: Instant | msgspec.UnsetType = msgspec.UNSET
    end: Instant | msgspec.UnsetType = msgspec.UNSET
    patient_present: bool | msgspec.UnsetType = msgspec.UNSET
    authorization_id: Id | msgspec.UnsetType = msgspec.UNSET
    billable: bool | msgspec.UnsetType = msgspec.UNSET
    caregiver_id: Id | msgspec.UnsetType | None = msgspec.UNSET
    travel_before_minutes: Tail | msgspec.UnsetType = msgspec.UNSET
    allow_overlap: Overlap | None = None


async def join(ask: Ask[NoFields, NewLine]) -> Answer:
    check_length(ask.body.end, ask.body.duration_minutes, "")
    intent = Join(
        id=ask.id(), line=line_wish(ask.body), overlap_reason=reason_of(ask.body.allow_overlap),
        acknowledged=acknowledged(ask.body),
    )  # fmt: skip
    return await submitted(ask, intent)


async def change(ask: Ask[NoFields, LineChange]) -> Answer:
    fields = {
        name: value
        for name, value in msgspec.structs.asdict(ask.body).items()
        if value is not msgspec.UNSET and name not in _ABOUT_IT
    }
    if not fields:
        raise Invalid(FieldError("body", "missing", "give at least one field to change"))
    intent = ChangeLine(
        id=ask.id(), line_no=_line_no(ask), fields=fields, overlap_reason=reason_of(ask.body.allow_overlap),
        acknowledged=acknowledged(ask.body),
    )  # fmt: skip
    return await submitted(ask, intent)


async def leave(ask: Ask[NoFields, Any]) -> Answer:
    return await submitted(ask, Leave(id=ask.id(), line_no=_line_no(ask)))


def _line_no(ask: Ask[Any, Any]) -> int:
    text = ask.parameters["line_no"]
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise NotFound("line_no")
    return int(text)


_LINES = "/api/v1/appointments/{id}/lines"
ROUTES = (
    Route(
        "POST", _LINES, join, "appointments.write", "Somebody joins a visit: one more line in it", body=NewLine,
        answer=appointment_view.PlacedAppointment, status=201, refusals=REFUSED, tag="appointments",
    ),
    Route(
        "PATCH", _LINES + "/{line_no}", change, "appointments.write", "Change a line of a visit", body=LineChange,
        answer=appointment_view.PlacedAppointment, refusals=REFUSED, tag="appointments",
    ),
    Route(
        "DELETE", _LINES + "/{line_no}", leave, "appointments.write", "Somebody leaves a visit: one line less",
        answer=appointment_view.PlacedAppointment, refusals=REFUSED, tag="appointments",
    ),
)  # fmt: skip

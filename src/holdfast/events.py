"""The closed list of events. A kind that is not here cannot be written (a test compares)."""

from collections.abc import Mapping
from typing import Final

APPOINTMENT: Final = (
    "appointment.booked",
    "appointment.moved",
    "appointment.noted",
    "appointment.room_overridden",
    "appointment.confirmed",
    "appointment.checked_in",
    "appointment.started",
    "appointment.completed",
    "appointment.cancelled",
    "appointment.no_show",
    "appointment.reinstated",
    "appointment.reopened",
    "appointment.joined",
    "appointment.line_changed",
    "appointment.left",
    "appointment.needs_action",
    "appointment.signed",
    "appointment.repriced",
    "appointment.funded",
)
HOLD: Final = ("hold.placed", "hold.booked", "hold.released", "hold.expired")
BLOCK: Final = ("block.created", "block.moved", "block.changed", "block.deleted")
GROUP: Final = ("group.created", "group.moved", "group.cancelled")
SERIES: Final = ("series.booked", "series.changed")
ROOM_PLAN: Final = ("room_plan.proposed", "room_plan.applied")
BREAK_GLASS: Final = (
    "break_glass.requested",
    "break_glass.approved",
    "break_glass.revoked",
    "break_glass.expired",
)
SESSION: Final = ("session.created", "session.changed", "session.signed", "session.amended")
AUTHORIZATION: Final = ("authorization.created", "authorization.changed")
DIRECTORY: Final = (
    "organization.changed",
    "clinic.created",
    "clinic.changed",
    "room.created",
    "room.changed",
    "practitioner.created",
    "practitioner.changed",
    "patient.created",
    "patient.changed",
    "contact.created",
    "contact.changed",
    "service.created",
    "service.changed",
    "payer.created",
    "payer.changed",
    "closure.recorded",
    "closure.changed",
    "closure.removed",
    "time_off.recorded",
    "time_off.changed",
    "time_off.removed",
    "user.created",
    "user.changed",
    "policy.created",
    "policy.activated",
    "policy.rolled_back",
)
KINDS: Final = frozenset(
    (
        *APPOINTMENT,
        *HOLD,
        *BLOCK,
        *GROUP,
        *SERIES,
        *ROOM_PLAN,
        *BREAK_GLASS,
        *SESSION,
        *AUTHORIZATION,
        *DIRECTORY,
    )
)

# What each appointment call is called once it has happened.
AFTER_CALL: Final[Mapping[str, str]] = {
    "confirm": "appointment.confirmed",
    "check-in": "appointment.checked_in",
    "start": "appointment.started",
    "complete": "appointment.completed",
    "cancel": "appointment.cancelled",
    "no-show": "appointment.no_show",
    "reinstate": "appointment.reinstated",
    "reopen": "appointment.reopened",
}

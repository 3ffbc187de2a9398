"""The appointment's states and the roles' permissions, as literal tables. No behaviour, no imports of ours."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

# What each call makes of each status it may be called in (practice.md, Status). A call that is not listed for a
# status is refused with the calls that are.
TRANSITIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({
    "scheduled": {
        "confirm": "confirmed", "check-in": "checked_in", "start": "in_progress", "complete": "completed",
        "cancel": "cancelled", "no-show": "no_show",
    },
    "confirmed": {
        "check-in": "checked_in", "start": "in_progress", "complete": "completed", "cancel": "cancelled",
        "no-show": "no_show",
    },
    "checked_in": {
        "reopen": "scheduled", "start": "in_progress", "complete": "completed", "cancel": "cancelled",
        "no-show": "no_show",
    },
    "in_progress": {"reopen": "checked_in", "complete": "completed"},
    "completed": {"reopen": "in_progress"},
    "no_show": {"check-in": "checked_in", "reinstate": "scheduled"},
    "cancelled": {"reinstate": "scheduled"},
})  # fmt: skip

# What may be asked of an authorization, by what a person decided about it.
DECISIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({
    "pending": {"approve": "approved", "cancel": "cancelled"},
    "approved": {"cancel": "cancelled"},
    "cancelled": {},
})  # fmt: skip

# Which fields a move may change in each status.
MOVABLE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "scheduled": frozenset({"start", "end", "practitioner_id", "room_id", "location", "notes"}),
        "confirmed": frozenset({"start", "end", "practitioner_id", "room_id", "location", "notes"}),
        "checked_in": frozenset({"end", "practitioner_id", "room_id", "notes"}),
        "in_progress": frozenset({"end", "practitioner_id", "room_id", "notes"}),
        "completed": frozenset(),
        "no_show": frozenset(),
        "cancelled": frozenset(),
    }
)

WITHOUT_CLAIMS: Final = frozenset({"cancelled", "no_show"})

Reach = Literal["all", "own"]

# Permission -> role -> how far it reaches. A role that is not named may not.
# "own": a practitioner's own visits and patients, a patient's own records, one's own break-glass requests.
PERMISSIONS: Final[Mapping[str, Mapping[str, Reach]]] = MappingProxyType({
    "places.read": {
        "admin": "all", "scheduler": "all", "practitioner": "all", "biller": "all", "auditor": "all",
    },
    "places.write": {"admin": "all"},
    "patients.read": {
        "admin": "all", "scheduler": "all", "practitioner": "all", "biller": "all", "auditor": "all",
    },
    "patients.write": {"admin": "all", "scheduler": "all"},
    "payers.write": {"admin": "all", "biller": "all"},
    "policies.read": {
        "admin": "all", "scheduler": "all", "practitioner": "all", "biller": "all", "auditor": "all",
    },
    "policies.write": {"admin": "all"},
    "appointments.read": {
        "admin": "all", "scheduler": "all", "practitioner": "own", "biller": "all", "patient": "own",
        "auditor": "all",
    },
    "appointments.write": {"admin": "all", "scheduler": "all", "practitioner": "own"},
    "appointments.override": {"admin": "all", "scheduler": "all"},
    "authorizations.read": {
        "admin": "all", "scheduler": "all", "practitioner": "own", "biller": "all", "patient": "own",
        "auditor": "all",
    },
    "authorizations.write": {"admin": "all", "biller": "all"},
    "sessions.read": {"admin": "all", "practitioner": "own", "biller": "all", "auditor": "all"},
    "sessions.write": {"practitioner": "own"},
    "worklists.read": {
        "admin": "all", "scheduler": "all", "practitioner": "own", "biller": "all", "auditor": "all",
    },
    "worklists.desk": {"admin": "all", "scheduler": "all", "practitioner": "own", "auditor": "all"},
    "users.read": {"admin": "all"},
    "users.write": {"admin": "all"},
    "settings.read": {"admin": "all"},
    "settings.write": {"admin": "all"},
    "audit.read": {"admin": "all", "auditor": "all"},
    # It opens what is a practitioner's own; whoever else works here reads of every patient what their role reads at all.
    "break_glass.ask": {"practitioner": "own"},
    "break_glass.read": {"admin": "all", "practitioner": "own", "auditor": "all"},
    "break_glass.write": {"admin": "all", "practitioner": "own"},
    "break_glass.approve": {"admin": "all"},
})  # fmt: skip

ROLES: Final = ("admin", "scheduler", "practitioner", "biller", "patient", "auditor")


def reach(permission: str, role: str) -> Reach | None:
    """How far a role's permission reaches; None if it has none."""
    return PERMISSIONS[permission].get(role)

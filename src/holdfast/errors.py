"""What can be refused and how it is said. The core raises codes; only `api/problems.py` knows HTTP statuses.

CONSTRAINTS maps every constraint's name to a code and a sentence; a test compares it with the catalog both ways.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

# Refusals of a booking, move or hold, in the order in which the first becomes the answer's code.
REFUSALS: Final = (
    "clinic_closed",
    "practitioner_unavailable",
    "start_in_past",
    "inactive_resource",
    "practitioner_conflict",
    "patient_conflict",
    "room_conflict",
    "room_unavailable",
    "no_room_available",
    "rule_violation",
    "concurrent_not_allowed",
    "credential_missing",
    "credential_expired",
    "authorization_missing",
    "authorization_mismatch",
    "authorization_inactive",
    "authorization_expired",
    "insufficient_units",
    "cap_exceeded",
)


class Reason(msgspec.Struct, frozen=True):
    """One reason of a refusal: its code, a sentence, and members that belong to the code."""

    code: str
    detail: str
    members: dict[str, Any] = {}


class Refused(Exception):
    """A request that is understood and not granted. `reasons` holds every reason, the first in order first.

    `conflicts`: the claims in the way. `members`: further members of the answer.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        reasons: tuple[Reason, ...] = (),
        conflicts: tuple[dict[str, Any], ...] = (),
        **members: Any,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.reasons = reasons
        self.conflicts = conflicts
        self.members = members


class FieldError(msgspec.Struct, frozen=True):
    """One field that cannot be accepted: where, a stable code, a sentence."""

    field: str
    code: str
    message: str


class Invalid(Exception):
    """A request that cannot be understood; names every field that is wrong."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class NotFound(Exception):
    """There is no such thing for this caller; the same for another organization's id as for a random one."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Overloaded(Exception):
    """Refused before it was sent: a full queue or a deadline that cannot be met. Nothing has happened."""


class OutcomeUnknown(Exception):
    """The connection was lost around COMMIT and the deadline passed before the outcome could be looked up."""


class Constraint(msgspec.Struct, frozen=True):
    """What breaking a constraint is called. `field` is the request's field, where there is one."""

    code: str
    sentence: str
    field: str | None = None


def _many(code: str, sentence: str, *names: str) -> dict[str, Constraint]:
    return {name: Constraint(code, sentence) for name in names}


def _field(field: str, sentence: str, *names: str) -> dict[str, Constraint]:
    return {name: Constraint("invalid_request", sentence, field) for name in names}


def _reference(field: str, *names: str) -> dict[str, Constraint]:
    return {name: Constraint("not_found", "There is no such thing in this organization.", field) for name in names}


CONSTRAINTS: Final[Mapping[str, Constraint]] = MappingProxyType(
    {
        # The law.
        **_many("time_conflict", "This time is already claimed.", "claims_no_overlap"),
        **_many(
            "insufficient_units",
            "The authorization has not that many units left.",
            "authorizations_units_within_total",
        ),
        # One of a kind.
        "clinics_name_key": Constraint("already_exists", "A clinic of this name exists.", "name"),
        "rooms_number_key": Constraint("already_exists", "The clinic has a room of this number.", "number"),
        "payers_name_key": Constraint("already_exists", "A payer of this name exists.", "name"),
        "users_email_key": Constraint("already_exists", "This e-mail address signs in already.", "email"),
        "login_directory_pkey": Constraint("already_exists", "This e-mail address signs in already.", "email"),
    }
)


def constraint(name: str) -> Constraint | None:
    """The entry for a broken constraint. A shard or partition adds a suffix to its name, so the longest entry
    that begins the name counts."""
    while name and name not in CONSTRAINTS:
        name = name.rpartition("_")[0]
    return CONSTRAINTS.get(name)

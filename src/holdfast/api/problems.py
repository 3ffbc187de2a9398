"""Problems on the wire (RFC 9457): the one place that knows which code has which HTTP status."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from holdfast.errors import REFUSALS, Invalid, NotFound, OutcomeUnknown, Overloaded, Refused

STATUS: Final[Mapping[str, int]] = {
    **dict.fromkeys(REFUSALS, 409),
    "invalid_request": 422,
    "idempotency_key_reused": 422,
    "invalid_color": 422,
    "not_found": 404,
    "method_not_allowed": 405,
    "unsupported_media_type": 415,
    "body_too_large": 413,
    "forbidden": 403,
    "csrf_failed": 403,
    "totp_enrolment_required": 403,
    "unauthenticated": 401,
    "invalid_credentials": 401,
    "invalid_token": 401,
    "totp_required": 401,
    "session_idle": 401,
    "refresh_reused": 401,
    "version_mismatch": 412,
    "illegal_transition": 409,
    "hold_mismatch": 409,
    "hold_expired": 410,
    "plan_outdated": 409,
    "not_replaceable": 409,
    "already_replaced": 409,
    "time_conflict": 409,
    "already_exists": 409,
    "seat_in_use": 409,
    "series_conflict": 409,
    "group_conflict": 409,
    "group_cancelled": 409,
    "group_moved": 409,
    "already_member": 409,
    "belongs_to_group": 409,
    "totp_enrolled": 409,
    "totp_not_enrolled": 409,
    "already_approved": 409,
    "break_glass_ended": 409,
    "already_set_up": 409,
    "totals_below_committed": 409,
    "units_not_reserved": 409,
    "visits_stranded": 409,
    "policy_not_active": 409,
    "session_signed": 409,
    "session_not_signed": 409,
    "visit_not_begun": 409,
    "rate_limited": 429,
    "overloaded": 503,
    "outcome_unknown": 503,
    "not_ready": 503,
    "optimiser_missing": 503,
    "internal_error": 500,
}

TITLE: Final[Mapping[int, str]] = {
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Refused",
    410: "Gone",
    412: "Changed in the meantime",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not understood",
    429: "Too many requests",
    500: "Internal error",
    503: "Not now",
}


class Problem(Exception):
    """An answer that says no. `headers` go out with it."""

    def __init__(
        self, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS[code]
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def content(self, instance: str, request_id: str) -> bytes:
        return msgspec.json.encode({
            "type": f"/docs/problems#{self.code}", "title": TITLE[self.status], "status": self.status,
            "detail": self.detail, "instance": instance, "code": self.code, "request_id": request_id,
            **self.members,
        })  # fmt: skip


def problem_of(error: Exception) -> Problem:
    """The problem that one of our errors is; anything else is an internal error without details."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refused):
        return _refused(error)
    if isinstance(error, Invalid):
        codes = {each.code for each in error.errors}
        special = next((code for code in ("idempotency_key_reused", "invalid_color") if code in codes), None)
        listed = [{"field": e.field, "code": e.code, "message": e.message} for e in error.errors]
        return Problem(special or "invalid_request", str(error), errors=listed)
    if isinstance(error, NotFound):
        return Problem("not_found", "There is no such thing.", field=error.field)
    if isinstance(error, Overloaded):
        return Problem("overloaded", "Too much at once; try again.", headers={"Retry-After": "1"})
    if isinstance(error, OutcomeUnknown):
        return Problem(
            "outcome_unknown",
            "It is not known whether this was done; ask again with the same Idempotency-Key.",
            headers={"Retry-After": "2"},
        )
    return Problem("internal_error", "Something went wrong here; it has been logged.")


def _refused(error: Refused) -> Problem:
    members: dict[str, Any] = dict(error.members)
    if error.reasons:
        members["reasons"] = [
            {"code": reason.code, "detail": reason.detail, **reason.members} for reason in error.reasons
        ]
    if error.reasons or "alternatives" in members:
        members["conflicts"] = list(error.conflicts)
    return Problem(error.code, error.detail, **members)

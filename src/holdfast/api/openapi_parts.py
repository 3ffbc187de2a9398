"""What recurs in the description of calls: parameters, headers, refusals. Words only; `openapi.py` joins them."""

import re
from collections.abc import Mapping
from typing import Any

from holdfast.api import page_cookie
from holdfast.api.door import NoFields, Route
from holdfast.api.problems import STATUS, TITLE
from holdfast.errors import REFUSALS
from holdfast.states import PERMISSIONS, ROLES

Json = dict[str, Any]
_NAME = re.compile(r"\{([a-z_]+)\}")


def problem() -> Json:
    """The shape of every answer that says no."""
    return {
        "type": "object",
        "description": "RFC 9457. `code` is stable and meant for programs, `detail` for people. Codes add members of "
        "their own: `errors` for each field of `invalid_request`; `reasons`, `conflicts` and `alternatives` for a "
        "refused booking or block; `dates` for each bad date of a series; the counters and `version` of an authorization, "
        "and `stranded` for each line of a visit that a change of it would leave without units.",
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "code": {"type": "string"},
            "request_id": {"type": "string"},
            "field": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "code", "message"],
                    "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
                },
            },
        },
    }


def headers() -> Json:
    """The headers that answers carry."""
    return {
        "X-Request-Id": {"description": "The request's id, yours or ours.", "schema": {"type": "string"}},
        "ETag": {"description": "The version, in quotes: for `If-Match`.", "schema": {"type": "string"}},
        "As-Of-Seq": {
            "description": "The organization's sequence this is true at.",
            "schema": {"type": "integer"},
        },
        "Idempotency-Replayed": {
            "description": "`true`: this is the stored answer of an equal earlier request.",
            "schema": {"type": "string", "enum": ["true"]},
        },
        "RateLimit": {"description": "Requests left, and seconds until more.", "schema": {"type": "string"}},
        "RateLimit-Policy": {"description": "The limits and their windows.", "schema": {"type": "string"}},
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
        "Server-Timing": {"description": "Milliseconds per stage.", "schema": {"type": "string"}},
        "WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}},
    }


def parameters() -> Json:
    """The headers that requests may carry."""
    return {
        "RequestId": {
            "name": "X-Request-Id", "in": "header", "required": False,
            "description": "An id of your own for this request, up to 64 letters, digits and `._:-`; it comes "
            "back and is in our log. Anything else is replaced by one of ours.",
            "schema": {"type": "string"},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": False,
            "description": "Makes repeating this write safe for 24 hours: one effect, equal answers.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        },
        "IfMatch": {
            "name": "If-Match", "in": "header", "required": False,
            "description": 'Only if the version is still this one, such as `"3"`.',
            "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
        },
    }  # fmt: skip


def security_schemes() -> Json:
    """The two ways to say who asks."""
    return {
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The `access_token` of `POST /api/v1/auth/login`.",
        },
        "cookie": {
            "type": "apiKey", "in": "cookie", "name": page_cookie.NAME,
            "description": "Set by `POST /api/v1/auth/session`. An Authorization header counts before it.",
        },
        "csrf": {
            "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
            "description": "The `csrf_token` of the cookie's session: with every call but GET and HEAD.",
        },
    }  # fmt: skip


def security(route: Route[Any, Any]) -> list[Json]:
    if route.permission is None:
        return []
    by_cookie: Json = {"cookie": []} if route.method == "GET" else {"cookie": [], "csrf": []}
    return [{"bearer": []}, by_cookie]


def names_in(path: str) -> list[str]:
    return _NAME.findall(path)


def operation_id(method: str, path: str) -> str:
    """Such as `post_appointments_id_cancel`: stable, because it is the path."""
    words = re.sub(r"[^a-z0-9]+", "_", path.removeprefix("/api/v1").lower()).strip("_")
    return f"{method.lower()}_{words}"


def path_parameter(name: str) -> Json:
    is_id = name == "id" or name.endswith("_id")
    kind: Json = {"type": "string", "format": "uuid"} if is_id else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": kind}


def without_null(schema: Json) -> Json:
    """A query parameter is left out, never null."""
    kinds = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    if len(kinds) == 1 and len(kinds) < len(schema["anyOf"]):
        return {
            **kinds[0],
            **{name: value for name, value in schema.items() if name not in ("anyOf", "default")},
        }
    return {name: value for name, value in schema.items() if name != "default"}


def writes(route: Route[Any, Any]) -> bool:
    """Whether the call changes an organization's rows (signing in and out changes sessions only)."""
    return route.method != "GET" and route.permission is not None and "/auth/" not in route.path


def header_parameters(route: Route[Any, Any]) -> list[str]:
    names = ["RequestId"]
    if writes(route):
        names.append("IdempotencyKey")
        if names_in(route.path) or route.method == "PATCH":
            names.append("IfMatch")
    return names


def headers_of(route: Route[Any, Any]) -> Json:
    names = ["X-Request-Id", "Server-Timing"]
    if route.permission is not None:
        names += ["RateLimit", "RateLimit-Policy"]
    if route.method == "GET" and route.path.startswith("/api/"):
        names.append("As-Of-Seq")
    if writes(route):
        names.append("Idempotency-Replayed")
    if "version" in getattr(route.answer, "__struct_fields__", ()):
        names.append("ETag")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def who_may(permission: str | None) -> str:
    """Who may call it, from the one table of permissions."""
    if permission is None:
        return "Public."
    if not permission:
        return "Anyone who is signed in."
    row: Mapping[str, str] = PERMISSIONS[permission]
    roles = [role if row[role] == "all" else f"{role} (only their own)" for role in ROLES if role in row]
    return f"Roles: {', '.join(roles)}."


def codes(route: Route[Any, Any]) -> list[str]:
    """Every code the call can be refused with: its own, then those its shape brings."""
    found = list(route.refusals)
    if route.permission is not None:
        found += ["unauthenticated", "invalid_token", "session_idle", "rate_limited"]
        if route.method != "GET":
            found.append("csrf_failed")
        if "/auth/" not in route.path:
            found.append("totp_enrolment_required")
    if route.permission:
        found.append("forbidden")
    if names_in(route.path) or (route.permission and route.body is not None):
        found.append("not_found")
    if route.query is not NoFields or route.body is not None or writes(route) or route.method == "GET":
        found.append("invalid_request")
    if route.body is not None:
        found.append("unsupported_media_type")
    found.append("body_too_large")
    if writes(route):
        found += ["idempotency_key_reused", "outcome_unknown"]
        if names_in(route.path) or route.method == "PATCH":
            found.append("version_mismatch")
    if route.permission is not None or route.body is not None:
        found.append("overloaded")
    return list(dict.fromkeys([*found, "internal_error"]))


class Refusals:
    """The answers that say no, each described once and referred to by every call that can give it."""

    def __init__(self) -> None:
        self.components: Json = {}
        self._names: dict[tuple[int, tuple[str, ...]], str] = {}

    def of(self, route: Route[Any, Any]) -> Json:
        """The call's refusals by status."""
        by_status: dict[int, list[str]] = {}
        for code in codes(route):
            by_status.setdefault(STATUS[code], []).append(code)
        return {
            str(status): {
                "$ref": f"#/components/responses/{self._name(status, tuple(sorted(found, key=_rank)))}"
            }
            for status, found in sorted(by_status.items())
        }

    def _name(self, status: int, found: tuple[str, ...]) -> str:
        name = self._names.get((status, found))
        if name is None:
            name = f"Refused{status}" + (
                f"_{found[0]}_{len(self._names)}" if len(found) > 1 else f"_{found[0]}"
            )
            self._names[status, found] = name
            self.components[name] = _refusal(status, found)
        return name


def _rank(code: str) -> tuple[int, str]:
    """The order in which a booking's reasons come first, then the alphabet."""
    return (REFUSALS.index(code) if code in REFUSALS else len(REFUSALS)), code


def _refusal(status: int, found: tuple[str, ...]) -> Json:
    headers = ["X-Request-Id"]
    if status in {429, 503}:
        headers.append("Retry-After")
    if status == 401:
        headers.append("WWW-Authenticate")
    example = {
        "type": f"/docs/problems#{found[0]}", "title": TITLE[status], "status": status, "detail": "A sentence.",
        "instance": "/api/v1/...", "code": found[0], "request_id": "01998c1e-7b1f-7c2e-9d7a-0f6c2d3b4a59",
    }  # fmt: skip
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {
        "description": f"{TITLE[status]}: " + ", ".join(f"`{code}`" for code in found),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/problem+json": content},
    }

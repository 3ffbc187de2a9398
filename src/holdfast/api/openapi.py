"""The description of every call (OpenAPI 3.1), made from the route table and from nothing else, and its viewer.

Nothing is loaded from outside: the viewer's files travel in a package, and the page may run no other script.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from holdfast import __version__
from holdfast.api import openapi_parts as parts
from holdfast.api import viewer
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.wire import schema

Json = dict[str, Any]
_REF = "#/components/schemas/{name}"
_INTRODUCTION = """\
Clinic scheduling that cannot double-book and can prove it.

**Begin**: `POST /api/v1/auth/login` with an e-mail address and a password (the demo prints some), press *Authorize*
above and paste the `access_token`. `GET /api/v1/clinics`, `/practitioners`, `/patients` and `/services` give the ids
that `POST /api/v1/appointments` wants; leave `room_id` out and a room is found. Book the same practitioner again at
the same time: the refusal names its reasons, and `alternatives` that are bookable now.

**Always**: JSON in `snake_case`; ids are UUIDs; instants carry an offset and come back in UTC; errors are
`application/problem+json` with a stable `code`; unknown fields and parameters are refused. `Idempotency-Key` makes a
write safe to repeat; `If-Match` with an `ETag` makes it safe against others.
"""


def describe(routes: Iterable[Route[Any, Any]]) -> Json:
    """The document of these routes."""
    table = tuple(routes)
    refs, components = _schemas(table)
    refusals = parts.Refusals()
    paths: dict[str, Json] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs, refusals)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Holdfast", "version": __version__, "description": _INTRODUCTION,
                 "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in table) if tag],
        "paths": paths,
        "components": {
            "schemas": components | {"Problem": parts.problem()},
            "securitySchemes": parts.security_schemes(),
            "responses": refusals.components,
            "headers": parts.headers(),
            "parameters": parts.parameters(),
        },
    }  # fmt: skip


def _schemas(routes: tuple[Route[Any, Any], ...]) -> tuple[dict[Any, Json], Json]:
    """The schema of every type in the table, by type, and the named ones they refer to."""
    types: list[Any] = []
    for route in routes:
        types += [kind for kind in (route.body, route.answer) if kind is not None]
        types += [field.type for field in msgspec.structs.fields(route.query)]
    found, components = msgspec.json.schema_components(types, schema_hook=schema, ref_template=_REF)
    return {_key(kind): one for kind, one in zip(types, found, strict=True)}, components


def _key(kind: Any) -> Any:
    """Types compare by what they are: `str | None` is not always the same object."""
    return kind if isinstance(kind, type) else repr(kind)


def _operation(route: Route[Any, Any], refs: dict[Any, Json], refusals: parts.Refusals) -> Json:
    operation: Json = {
        "operationId": parts.operation_id(route.method, route.path),
        "summary": route.summary,
        "description": parts.who_may(route.permission),
        "tags": [route.tag] if route.tag else [],
        "parameters": _parameters(route, refs),
        "responses": _responses(route, refs) | refusals.of(route),
        "security": parts.security(route),
    }
    if route.body is not None:
        content = {"application/json": {"schema": refs[_key(route.body)]}}
        operation["requestBody"] = {"required": not route.body_optional, "content": content}
    return operation


def _parameters(route: Route[Any, Any], refs: dict[Any, Json]) -> list[Json]:
    named = [parts.path_parameter(name) for name in parts.names_in(route.path)]
    for field in msgspec.structs.fields(route.query):
        given = parts.without_null(refs[_key(field.type)])
        one: Json = {"name": field.encode_name, "in": "query", "required": field.required, "schema": given}
        if given.get("type") == "array":  # repeated: ?status=scheduled&status=confirmed
            one |= {"style": "form", "explode": True}
        if isinstance(field.default, (str, int, float, bool)):
            one["schema"] = {**given, "default": field.default}
        if "description" in given:
            one["description"] = given["description"]
        named.append(one)
    return named + [{"$ref": f"#/components/parameters/{name}"} for name in parts.header_parameters(route)]


def _responses(route: Route[Any, Any], refs: dict[Any, Json]) -> Json:
    good: Json = {
        "description": "Done" if route.method != "GET" else "Found",
        "headers": parts.headers_of(route),
    }
    if route.status != 204:
        shape = refs[_key(route.answer)] if route.answer is not None else {}
        text: Json = {"schema": {"type": "string"}}
        good["content"] = {route.media_type: {"schema": shape}, **dict.fromkeys(route.also_as, text)}
    return {str(route.status): good}


async def document(ask: Ask[NoFields, None]) -> Answer:
    return Answer(ask.house.openapi)


async def page(ask: Ask[NoFields, None]) -> Answer:
    return Answer(viewer.PAGE, media_type="text/html; charset=utf-8", headers=dict(viewer.HEADERS))


async def asset(ask: Ask[NoFields, None]) -> Answer:
    name = ask.parameters["asset"]
    if name == "openapi.json":
        return Answer(viewer.readable(ask.house.openapi))
    content, media_type = viewer.file(name)
    return Answer(content, media_type=media_type, headers=dict(viewer.HEADERS))


ROUTES = (
    Route("GET", "/openapi.json", document, None, "This description", answer=dict[str, Any], tag="operation"),
    Route(
        "GET", "/docs", page, None, "Try the calls in a browser", answer=str, media_type="text/html",
        tag="operation",
    ),
    Route(
        "GET", "/docs/{asset}", asset, None, "A file of that page", answer=str,
        media_type="application/octet-stream", refusals=("not_found",), tag="operation",
    ),
)  # fmt: skip

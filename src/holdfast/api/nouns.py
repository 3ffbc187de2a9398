"""The four calls that every noun has: create, list, get, change. A noun's file declares its shapes and its own
further calls; what a noun is and how it is kept is in `commands/`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from holdfast.api import lists
from holdfast.api.door import Answer, Ask, Route
from holdfast.commands import save
from holdfast.commands.save import Noun


def changes(new: type[msgspec.Struct], name: str, *without: str) -> type[msgspec.Struct]:
    """The body of a PATCH: the fields of a POST, each of which may be left out and then stays as it is, and
    `is_active`, because nothing is ever deleted."""
    fields = [
        (field.name, field.type | msgspec.UnsetType, msgspec.UNSET)
        for field in msgspec.structs.fields(new)
        if field.name not in without
    ]
    fields.append(("is_active", bool | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True, module=new.__module__)


@cache  # one type per shape: two of one name cannot both be described
def page_of(answer: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The shape of a list of these, for OpenAPI."""
    items = [("items", list[answer])]  # type: ignore[valid-type]
    return msgspec.defstruct(f"{answer.__name__}Page", items, bases=(lists.Page,), kw_only=True)


@dataclass(frozen=True, slots=True)
class Shapes:
    """What a noun looks like on the wire."""

    path: str
    tag: str
    new: type[msgspec.Struct]
    change: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    query: type[lists.Paged]
    read: str
    write: str


async def got(ask: Ask[Any, Any], noun: Noun) -> Answer:
    organization = ask.actor.organization_id
    async with ask.house.database.reading(organization) as connection:
        seal = await ask.house.seal(connection, organization)
        document, seq = await save.read(connection, organization, noun, seal, ask.id())
    return Answer(document, version=document["version"], seq=seq)


async def listed(ask: Ask[Any, Any], noun: Noun) -> Answer:
    return await lists.answer(ask, f"{noun.plural}_page", *lists.filters(ask.query))


async def created(ask: Ask[Any, Any], noun: Noun) -> Answer:
    return Answer.of(await save.create(ask.house, ask.asked, noun, save.given(ask.body)))


async def changed(ask: Ask[Any, Any], noun: Noun) -> Answer:
    return Answer.of(await save.alter(ask.house, ask.asked, noun, ask.id(), save.given(ask.body)))


Handler = Callable[[Ask[Any, Any]], Awaitable[Answer]]


def routes(
    noun: Noun,
    shapes: Shapes,
    *,
    create: Handler | None = None,
    change: Handler | None = None,
    created_answer: type[msgspec.Struct] | None = None,
    listing: Handler | None = None,
) -> tuple[Route[Any, Any], ...]:
    """The four calls of a noun; `create` (and what it answers), `change` and `listing` replace what is not
    as everywhere."""

    def of(handler: Callable[[Ask[Any, Any], Noun], Awaitable[Answer]]) -> Handler:
        async def handle(ask: Ask[Any, Any]) -> Answer:
            return await handler(ask, noun)

        return handle

    one, name = f"{shapes.path}/{{id}}", noun.name
    return (
        Route(
            "POST", shapes.path, create or of(created), shapes.write, f"Create a {name}", body=shapes.new,
            answer=created_answer or shapes.answer, status=201, refusals=("already_exists", "not_found"), tag=shapes.tag,
        ),
        Route(
            "GET", shapes.path, listing or of(listed), shapes.read, f"List {noun.plural}", query=shapes.query,
            answer=page_of(shapes.answer), tag=shapes.tag,
        ),
        Route("GET", one, of(got), shapes.read, f"Get a {name}", answer=shapes.answer, tag=shapes.tag),
        Route(
            "PATCH", one, change or of(changed), shapes.write, f"Change or deactivate a {name}", body=shapes.change,
            answer=shapes.answer, refusals=("already_exists", "version_mismatch"), tag=shapes.tag,
        ),
    )  # fmt: skip

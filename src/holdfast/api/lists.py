"""Lists as every noun has them: a page of documents in a stable order, with the count up to a limit."""

import math
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from holdfast.api.door import Answer, Ask
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid
from holdfast.vault import Seal


class Paged(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query of a list. A noun's own query adds its filters, in the order in which its statement takes them."""

    page: Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="From 1.")] = 1
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100, description="50 when not given.")] | None = None


class Page(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One page of a list. Above 10,000 `total` is a minimum and says so."""

    items: list[Any]
    page: int
    page_size: int
    total: int
    total_pages: int
    total_is_minimum: bool = False


def size(ask: Ask[Any, Any], query: Paged) -> int:
    """How many items the page has. Raises Invalid above the setting: a bound is never clamped."""
    settings = ask.house.settings
    wanted = settings.page_size_default if query.page_size is None else query.page_size
    if wanted > settings.page_size_max:
        raise Invalid(FieldError("page_size", "invalid_value", f"must be at most {settings.page_size_max}"))
    return min(wanted, settings.page_size_max)


def page(ask: Ask[Any, Any], query: Paged, items: list[Any], counted: int) -> Page:
    """`counted`: how many there are, or anything above the limit of counting."""
    limit, page_size = ask.house.settings.list_count_max, size(ask, query)
    total = min(counted, limit)
    return Page(
        items=items, page=query.page, page_size=page_size, total=total,
        total_pages=math.ceil(total / page_size), total_is_minimum=counted > limit,
    )  # fmt: skip


async def fetched(
    ask: Ask[Any, Any], connection: Connection, name: str, *filters: Any
) -> tuple[Any, int, int]:
    """Runs a `..._page` statement: the documents (JSON text), how many there are, and the seq.

    The statement takes organization, offset, page size, how many to count, then the filters.
    """
    query: Paged = ask.query
    page_size = size(ask, query)
    offset = (query.page - 1) * page_size
    counted_max = max(ask.house.settings.list_count_max + 1, offset + page_size)
    (row,) = await connection.fetch(
        statement(name), ask.actor.organization_id, offset, page_size, counted_max, *filters
    )
    return row["items"], row["total"], row["seq"]


def filters(query: Paged) -> list[Any]:
    """The values of a query's own filters, in the order of its fields."""
    names = [field.name for field in msgspec.structs.fields(query) if field.name not in {"page", "page_size"}]
    return [_plain(getattr(query, name)) for name in names]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


async def answer(ask: Ask[Any, Any], name: str, *values: Any) -> Answer:
    """A list whose documents go out as they are stored."""
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        return await on(ask, connection, name, *values)


async def opened(
    ask: Ask[Any, Any], show: Callable[[dict[str, Any], Seal], dict[str, Any] | None], name: str, *values: Any
) -> Answer:
    """A list whose documents are partly sealed in storage; `show` opens one."""
    organization = ask.actor.organization_id
    async with ask.house.database.reading(organization) as connection:
        seal = await ask.house.seal(connection, organization)
        items, counted, seq = await fetched(ask, connection, name, *values)
    documents = [show(msgspec.json.decode(item), seal) for item in items]
    return Answer(page(ask, ask.query, documents, counted), seq=seq)


async def on(ask: Ask[Any, Any], connection: Connection, name: str, *values: Any) -> Answer:
    """`answer` inside an open transaction."""
    items, counted, seq = await fetched(ask, connection, name, *values)
    raw = [msgspec.Raw(item.encode()) for item in items]
    return Answer(page(ask, ask.query, raw, counted), seq=seq)

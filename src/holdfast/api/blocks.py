"""/blocks: meetings, breaks, admin, training and travel, and how much of one each caller sees."""

from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from holdfast.actor import Actor
from holdfast.api import lists, nouns
from holdfast.api.appointments import zone_of_dates
from holdfast.api.dates import check_range
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.fields import Label
from holdfast.api.lists import Paged
from holdfast.api.wire import Id, Instant
from holdfast.commands import blocks, save
from holdfast.commands.blocks import BLOCK
from holdfast.commands.save import Document
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.rules.recurrence import DATES_MAX, Recurs
from holdfast.slot import day_span, instant, moment, rfc3339
from holdfast.vault import Seal

Kind = Literal["meeting", "break", "admin", "training", "travel"]
Attendees = Annotated[list[Id], Meta(min_length=1, max_length=50)]
_SINCE, _UNTIL = instant("1971-01-01T00:00:00Z"), instant("9000-01-01T00:00:00Z")
# What everyone may know who sees that time is taken: whose, where and when.
_BUSY = (
    "id", "practitioner_ids", "room_id", "start", "end", "version", "series_id", "created_at", "updated_at",
)  # fmt: skip


class NewBlock(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who is taken, maybe where, and when. The label is for those who see all of it.

    `rrule`: it recurs, at the same time on the wall of the room's clinic (without a room, of the clinics of all
    attendees; else of the organization). RFC 5545 with COUNT or UNTIL, at most 104 dates within two years, the first of
    them the start's. `exdates`: local dates that are left out.
    """

    kind: Kind
    practitioner_ids: Attendees
    room_id: Id | None = None
    start: Instant
    end: Instant
    label: Label = ""
    rrule: (
        Annotated[str, Meta(min_length=1, max_length=500, examples=["FREQ=WEEKLY;BYDAY=MO;COUNT=10"])] | None
    ) = None
    exdates: Annotated[list[date], Meta(max_length=DATES_MAX)] = []


class BlockChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Only what is given changes. A new start without an end keeps the length; room_id: null gives the room back."""

    kind: Kind | msgspec.UnsetType = msgspec.UNSET
    practitioner_ids: Attendees | msgspec.UnsetType = msgspec.UNSET
    room_id: Id | msgspec.UnsetType | None = msgspec.UNSET
    start: Instant | msgspec.UnsetType = msgspec.UNSET
    end: Instant | msgspec.UnsetType = msgspec.UNSET
    label: Label | msgspec.UnsetType = msgspec.UNSET


class Block(msgspec.Struct, kw_only=True):
    """`kind` and `label` are null where only "busy" may be seen."""

    id: str
    kind: Kind | None
    practitioner_ids: list[str]
    room_id: str | None
    start: str
    end: str
    label: str | None
    version: int
    series_id: str | None
    created_at: str
    updated_at: str


class BlockDate(msgspec.Struct, kw_only=True):
    id: str
    start: str
    end: str


class RecordedBlock(Block, kw_only=True):
    """`dates`: of one that recurs, each date's block; the answer is the first of them."""

    dates: list[BlockDate] | msgspec.UnsetType = msgspec.UNSET


class ScopeQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`following`: this date of a block that recurs and all after it, which move as far on the wall as this one."""

    scope: Literal["this", "following"] = "this"


class BlockQuery(Paged, kw_only=True):
    """Dates are the clinic's, without a clinic the organization's, both inclusive. A block is of the clinic of its room
    and of those where its attendees work."""

    start_date: date | None = None
    end_date: date | None = None
    clinic_id: Id | None = None
    practitioner_id: Id | None = None
    room_id: Id | None = None
    kind: Kind | None = None
    series_id: Id | None = None


def seen(actor: Actor, block: Document) -> Document | None:
    """A block, or an event's body that tells of one, as the actor may see it; None if it is left out."""
    if actor.reach("appointments.read") == "all":
        return block
    if actor.role != "practitioner":
        return None
    if actor.practitioner_id in block["practitioner_ids"]:
        return block
    hidden = {name: None for name in ("kind", "label") if name in block}
    return {name: block.get(name) for name in _BUSY} | hidden


def _given(body: msgspec.Struct) -> Document:
    fields: Document = msgspec.structs.asdict(body)
    given = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
    for name in given.keys() & {"start", "end"}:
        given[name] = rfc3339(given[name])
    if "practitioner_ids" in given:
        given["practitioner_ids"] = sorted(set(given["practitioner_ids"]))
    return given


async def create(ask: Ask[NoFields, NewBlock]) -> Answer:
    fields = _given(ask.body)
    rule, without = fields.pop("rrule"), fields.pop("exdates")
    if without and rule is None:
        raise Invalid(FieldError("exdates", "invalid_value", "is for a block that recurs"))
    recurs = None if rule is None else Recurs(rule, frozenset(without))
    return Answer.of(await blocks.record(ask.house, ask.asked, fields, recurs))


async def change(ask: Ask[ScopeQuery, BlockChange]) -> Answer:
    fields, following = _given(ask.body), ask.query.scope == "following"
    return Answer.of(await blocks.move(ask.house, ask.asked, ask.id(), fields, following=following))


async def delete(ask: Ask[ScopeQuery, Any]) -> Answer:
    following = ask.query.scope == "following"
    return Answer.of(await blocks.delete(ask.house, ask.asked, ask.id(), following=following))


async def get(ask: Ask[NoFields, Any]) -> Answer:
    organization = ask.actor.organization_id
    async with ask.house.database.reading(organization) as connection:
        seal = await ask.house.seal(connection, organization)
        block, seq = await save.read(connection, organization, BLOCK, seal, ask.id())
    shown = seen(ask.actor, block)
    if shown is None:
        raise NotFound("id")
    return Answer(shown, version=block["version"], seq=seq)


async def listing(ask: Ask[BlockQuery, Any]) -> Answer:
    query = ask.query
    first, last = query.start_date, query.end_date
    check_range(first, last, ask.house.settings.date_range_days_max)
    zone_name = await zone_of_dates(ask, query.clinic_id)
    if zone_name is None or ask.actor.role == "patient":
        return Answer(lists.page(ask, query, [], 0))
    start = day_span(first, zone_name)[0] if first else _SINCE
    end = day_span(last, zone_name)[1] if last else _UNTIL
    values = (
        moment(start),
        moment(end),
        query.clinic_id,
        query.practitioner_id,
        query.room_id,
        query.kind,
        query.series_id,
    )
    return await lists.opened(ask, partial(_opened, ask.actor), "blocks_page", *values)


def _opened(actor: Actor, stored: Document, seal: Seal) -> Document | None:
    return seen(actor, BLOCK.shown(stored, seal))


_REFUSED = (
    "start_in_past", "inactive_resource", "practitioner_conflict", "room_conflict", "room_unavailable", "time_conflict",
    "series_conflict", "not_found",
)  # fmt: skip
_ONE = "/api/v1/blocks/{id}"

ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "POST", "/api/v1/blocks", create, "appointments.write", "Keep time free of visits", body=NewBlock, answer=RecordedBlock,
        status=201, refusals=_REFUSED, tag="blocks",
    ),
    Route(
        "GET", "/api/v1/blocks", listing, "appointments.read", "List blocks", query=BlockQuery,
        answer=nouns.page_of(Block), tag="blocks",
    ),
    Route("GET", _ONE, get, "appointments.read", "Get a block", answer=Block, tag="blocks"),
    Route(
        "PATCH", _ONE, change, "appointments.write", "Move or change a block", query=ScopeQuery, body=BlockChange,
        answer=Block, refusals=(*_REFUSED, "version_mismatch"), tag="blocks",
    ),
    Route(
        "DELETE", _ONE, delete, "appointments.write", "Delete a block; its time is given back", query=ScopeQuery,
        status=204, refusals=("version_mismatch",), tag="blocks",
    ),
)  # fmt: skip

"""`/authorizations`: what payers approved, what is left of it, and the ledger that says why."""

import datetime as dt
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from holdfast.api import lists, nouns
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.fields import CapUnits, Code, Name, UnitBasis
from holdfast.api.lists import Paged
from holdfast.api.payers import NewPayer
from holdfast.api.wire import Id
from holdfast.commands import authorizations, save
from holdfast.commands import fund as funding
from holdfast.commands.authorizations import AUTHORIZATION
from holdfast.commands.save import Document
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.rules.facts import Payer

_PATH = "/api/v1/authorizations"
Status = Literal["pending", "active", "exhausted", "expired", "cancelled"]
_Units = Annotated[int, Meta(ge=1, le=1_000_000)]


class Cap(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """So many units at most in a day, or in a week as its payer begins it: of one of the codes, or of all together."""

    code: Code | UnsetType = UNSET
    units: CapUnits
    per: Literal["day", "week"]


Caps = Annotated[list[Cap], Meta(max_length=100)]


class NewAuthorization(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Either `payer_id`, or `payer`: a name, which is matched without regard to case or becomes a new payer."""

    patient_id: Id
    payer: Name | UnsetType = UNSET
    payer_id: Id | UnsetType = UNSET
    service_codes: Annotated[list[Code], Meta(min_length=1, max_length=50)]
    total_units: _Units
    unit_basis: UnitBasis = "time"
    start_date: date
    end_date: date
    authorization_number: Annotated[str, Meta(max_length=100)] = ""
    status: Literal["pending", "active"] = "active"
    caps: Caps = []


class Authorization(msgspec.Struct, kw_only=True):
    """`approval` is what a person decided; `status` follows from it, the date and the counters. `available_units` is what is neither used nor promised; `manual_units` is the part of `scheduled_units` that
    was reserved by hand. `exhausted`: all is used."""

    id: str
    patient_id: str
    payer_id: str
    payer: str
    authorization_number: str
    service_codes: list[str]
    unit_basis: UnitBasis
    total_units: int
    used_units: int
    scheduled_units: int
    manual_units: int
    available_units: int
    caps: list[Cap]
    start_date: str
    end_date: str
    approval: Literal["approved", "pending", "cancelled"]
    status: Status
    version: int
    created_at: str
    updated_at: str


class AvailableUnits(msgspec.Struct, kw_only=True):
    available: int
    total: int
    used: int
    scheduled: int
    status: Status
    version: int


class Entry(msgspec.Struct, kw_only=True):
    """One line of the ledger, numbered by the version it made."""

    entry_no: int
    kind: Literal["reserve", "release", "consume", "adjust"]
    units: int
    is_manual: bool
    appointment_id: str | None
    line_no: int | None
    seq: int
    actor_id: str | None
    created_at: str


class Funding(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`series_id`: only visits of this series."""

    series_id: Id | None = None


class FundedLine(msgspec.Struct, kw_only=True):
    """A line with the units that it has got, and what it still lacks; `version` is its visit's."""

    appointment_id: str
    line_no: int
    start: str
    units: int
    unfunded_units: int
    version: int


class Funded(msgspec.Struct, kw_only=True):
    """The counters afterwards, and what got units, earliest first. `truncated`: there are more visits; ask again."""

    authorization_id: str
    total_units: int
    used_units: int
    scheduled_units: int
    manual_units: int
    available_units: int
    version: int
    funded: list[FundedLine]
    truncated: bool


class AuthorizationQuery(Paged, kw_only=True):
    patient_id: Id | None = None
    status: Status | None = None
    expiring_within_days: Annotated[int, Meta(ge=0, le=366)] | None = None
    payer_id: Id | None = None
    service_code: Code | None = None


class ActiveQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`date`: the local date of service; today in the organization's time zone when left out."""

    patient_id: Id
    service_code: Code
    date: dt.date | None = None


async def create(ask: Ask[Any, NewAuthorization]) -> Answer:
    fields = save.given(ask.body)
    if ("payer" in fields) == ("payer_id" in fields):
        code, sentence = ("invalid_value", "is given beside payer_id") if "payer" in fields else (
            "missing", "is required, or payer_id")  # fmt: skip
        raise Invalid(FieldError("payer", code, sentence))
    fields["approval"] = "pending" if fields.pop("status") == "pending" else "approved"
    name = fields.pop("payer", None)
    new_payer = None if name is None else save.given(NewPayer(name=name.strip()))
    return Answer.of(await authorizations.authorize(ask.house, ask.asked, fields, new_payer))


async def patients_in_reach(ask: Ask[Any, Any], connection: Connection) -> list[str] | None:
    """The patients whose authorizations the caller may see; None: everyone's."""
    actor = ask.actor
    if ask.reach == "all":
        return None
    if actor.practitioner_id is None:
        return list(actor.patient_ids)
    found = await connection.fetchval(
        statement("patients_of_practitioner"), actor.organization_id, actor.practitioner_id
    )
    return [str(patient) for patient in found]


async def _one(ask: Ask[Any, Any], connection: Connection) -> tuple[Document, int]:
    organization = ask.actor.organization_id
    seal = await ask.house.seal(connection, organization)
    document, seq = await save.read(connection, organization, AUTHORIZATION, seal, ask.id())
    reach = await patients_in_reach(ask, connection)
    if reach is not None and document["patient_id"] not in reach:
        ask.house.denied(ask.asked, "GET authorization", "not_found", document["id"])
        raise NotFound("id")
    return document, seq


async def get(ask: Ask[Any, Any]) -> Answer:
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        document, seq = await _one(ask, connection)
    return Answer(document, version=document["version"], seq=seq)


async def available_units(ask: Ask[Any, Any]) -> Answer:
    answer = await get(ask)
    found = answer.content
    answer.content = AvailableUnits(
        available=found["available_units"], total=found["total_units"], used=found["used_units"],
        scheduled=found["scheduled_units"], status=found["status"], version=found["version"],
    )  # fmt: skip
    return answer


async def entries(ask: Ask[Paged, Any]) -> Answer:
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        document, _ = await _one(ask, connection)
        return await lists.on(ask, connection, "authorization_entries_page", document["id"])


async def listing(ask: Ask[AuthorizationQuery, Any]) -> Answer:
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        reach = await patients_in_reach(ask, connection)
        return await lists.on(ask, connection, "authorizations_page", reach, *lists.filters(ask.query))


async def fund(ask: Ask[Any, Funding]) -> Answer:
    series = ask.body.series_id
    return Answer.of(await funding.fund(ask.house, ask.asked, ask.id(), str(series) if series else None))


async def active(ask: Ask[ActiveQuery, Any]) -> Answer:
    query, organization = ask.query, ask.actor.organization_id
    async with ask.house.database.reading(organization) as connection:
        reach = await patients_in_reach(ask, connection)
        (row,) = await connection.fetch(
            statement("authorization_candidates"),
            organization,
            str(query.patient_id),
            str(query.service_code),
        )
    if reach is not None and query.patient_id not in reach:
        raise NotFound("patient_id")
    candidates = [msgspec.json.decode(each) for each in row["candidates"]]
    on = query.date or row["today"]
    coverages = authorizations.covering(row["constraints"])
    payers = [msgspec.json.decode(each, type=Payer) for each in row["payers"]]
    found = authorizations.would_book(
        candidates, coverages, query.service_code, row["bases"], on, {each.id: each for each in payers}
    )
    if found is None:
        raise NotFound("service_code")
    return Answer(found, version=found["version"], seq=row["seq"])


ROUTES = (
    Route(
        "POST", _PATH, create, "authorizations.write", "Record an authorization", body=NewAuthorization,
        answer=Authorization, status=201, refusals=("not_found",), tag="authorizations",
    ),
    Route(
        "GET", _PATH, listing, "authorizations.read", "List authorizations", query=AuthorizationQuery,
        answer=nouns.page_of(Authorization), tag="authorizations",
    ),
    Route(
        "GET", f"{_PATH}/active", active, "authorizations.read", "The authorization that a booking would use",
        query=ActiveQuery, answer=Authorization, refusals=("not_found",), tag="authorizations",
    ),
    Route(
        "GET", f"{_PATH}/{{id}}", get, "authorizations.read", "Get an authorization", answer=Authorization,
        tag="authorizations",
    ),
    Route(
        "POST", f"{_PATH}/{{id}}/fund", fund, "authorizations.write",
        "Give its units to visits that were booked without, earliest first", body=Funding, body_optional=True,
        answer=Funded, refusals=("authorization_inactive",), tag="authorizations",
    ),
    Route(
        "GET", f"{_PATH}/{{id}}/available-units", available_units, "authorizations.read", "What is left",
        answer=AvailableUnits, tag="authorizations",
    ),
    Route(
        "GET", f"{_PATH}/{{id}}/entries", entries, "authorizations.read", "The ledger, newest first", query=Paged,
        answer=nouns.page_of(Entry), tag="authorizations",
    ),
)  # fmt: skip

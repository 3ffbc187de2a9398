"""`/authorizations`: what payers approved, what is left of it, and the ledger that says why."""

import datetime as dt
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from holdfast.api import break_glass, lists, nouns
from holdfast.api.appointments import submitted
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.fields import CapUnits, Code, Name, UnitBasis
from holdfast.api.lists import Paged
from holdfast.api.payers import NewPayer
from holdfast.api.wire import Id
from holdfast.commands import authorizations, save
from holdfast.commands import fund as funding
from holdfast.commands.authorizations import AUTHORIZATION
from holdfast.commands.save import Document
from holdfast.commands.units_by_hand import ByHand, Kind, note_context
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.rules.facts import Payer
from holdfast.vault import Seal

_PATH = "/api/v1/authorizations"
Status = Literal["pending", "active", "exhausted", "expired", "cancelled"]
_Units = Annotated[int, Meta(ge=1, le=1_000_000)]
_Number = Annotated[str, Meta(max_length=100)]
_ServiceCodes = Annotated[list[Code], Meta(min_length=1, max_length=50)]


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
    service_codes: _ServiceCodes
    total_units: _Units
    unit_basis: UnitBasis = "time"
    start_date: date
    end_date: date
    authorization_number: _Number = ""
    status: Literal["pending", "active"] = "active"
    caps: Caps = []


class NewAuthorizations(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All of them or none."""

    authorizations: Annotated[list[NewAuthorization], Meta(min_length=1, max_length=100)]


class Approval(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the payer approved, where it is not what was asked for."""

    total_units: _Units | UnsetType = UNSET
    start_date: date | UnsetType = UNSET
    end_date: date | UnsetType = UNSET
    authorization_number: _Number | UnsetType = UNSET


class AuthorizationChange(Approval, kw_only=True):
    """Whose it is, who pays and how units are counted stays: another authorization says that."""

    service_codes: _ServiceCodes | UnsetType = UNSET
    caps: Caps | UnsetType = UNSET


class UnitsByHand(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`date`: the local date of service, which the authorization must cover (for a release it may be any); today in the
    organization's time zone when left out. `note` is shown in the ledger."""

    units: _Units
    date: dt.date | None = None
    note: str | None = None


class ConsumeByHand(UnitsByHand, kw_only=True):
    """`of_reserved`: how many units had been reserved for this; those that are not consumed are released with it. When
    left out, what is not consumed stays reserved."""

    of_reserved: _Units | None = None


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


class Authorizations(msgspec.Struct, kw_only=True):
    authorizations: list[Authorization]


class Stranded(msgspec.Struct, kw_only=True):
    """A line of a visit that holds units and would not be covered any more, and why: `code` is what a booking would be
    refused with."""

    appointment_id: str
    line_no: int
    date: str
    start: str
    status: str
    units_reserved: int
    code: str
    detail: str


class AmendedAuthorization(Authorization, kw_only=True):
    """Of a preview, which shows the authorization as it would be at its present `version`: `stranded`, the lines that it
    would not cover any more, and `would_be_refused`, the code that the change would be refused with; null if it would be
    made."""

    stranded: list[Stranded] = []
    would_be_refused: Literal["totals_below_committed", "visits_stranded"] | None = None


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
    note: str | None
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


class ChangeQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`preview`: nothing is changed; what would be is answered."""

    preview: bool = False


class ActiveQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`date`: the local date of service; today in the organization's time zone when left out."""

    patient_id: Id
    service_code: Code
    date: dt.date | None = None


async def create(ask: Ask[Any, NewAuthorization]) -> Answer:
    return Answer.of(await authorizations.authorize(ask.house, ask.asked, _wish(ask.body)))


async def create_all(ask: Ask[Any, NewAuthorizations]) -> Answer:
    field, wishes = "authorizations", []
    faults: list[FieldError] = []
    for number, body in enumerate(ask.body.authorizations):
        try:
            wishes.append(_wish(body))
        except Invalid as invalid:
            faults += invalid.under(f"{field}[{number}].").errors
    if faults:
        raise Invalid(*faults)
    return Answer.of(await authorizations.authorize_all(ask.house, ask.asked, wishes, field))


def _wish(body: NewAuthorization) -> authorizations.Wish:
    fields = save.given(body)
    if ("payer" in fields) == ("payer_id" in fields):
        code, sentence = ("invalid_value", "is given beside payer_id") if "payer" in fields else (
            "missing", "is required, or payer_id")  # fmt: skip
        raise Invalid(FieldError("payer", code, sentence))
    fields["approval"] = "pending" if fields.pop("status") == "pending" else "approved"
    name = fields.pop("payer", None)
    return authorizations.Wish(fields, None if name is None else save.given(NewPayer(name=name.strip())))


async def amend(ask: Ask[ChangeQuery, AuthorizationChange]) -> Answer:
    fields = save.given(ask.body)
    if not ask.query.preview:
        return Answer.of(await authorizations.amend(ask.house, ask.asked, ask.id(), fields))
    organization = ask.actor.organization_id
    async with ask.house.database.reading(organization) as connection:
        read = await _one(ask, connection)
        found = await authorizations.preview(connection, organization, ask.asked, read.document, fields)
    return Answer(found, version=read.document["version"], seq=read.seq)


async def approve(ask: Ask[Any, Approval]) -> Answer:
    fields = save.given(ask.body)
    return Answer.of(await authorizations.decide(ask.house, ask.asked, ask.id(), "approve", fields))


async def cancel(ask: Ask[Any, Any]) -> Answer:
    return Answer.of(await authorizations.decide(ask.house, ask.asked, ask.id(), "cancel"))


def _by_hand(kind: Kind) -> Callable[[Ask[Any, Any]], Awaitable[Answer]]:
    async def handler(ask: Ask[Any, UnitsByHand]) -> Answer:
        body, most = ask.body, ask.house.settings.notes_characters_max
        if body.note is not None and len(body.note) > most:
            raise Invalid(FieldError("note", "invalid_value", f"may have {most} characters"))
        of_reserved = body.of_reserved if isinstance(body, ConsumeByHand) else None
        if of_reserved is not None and of_reserved < body.units:
            raise Invalid(FieldError("of_reserved", "invalid_value", "must not be less than units"))
        errand = ByHand(
            id=ask.id(), kind=kind, units=body.units, on=body.date, note=body.note, of_reserved=of_reserved
        )
        return await submitted(ask, errand)

    return handler


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


class _Read(NamedTuple):
    document: Document
    seq: int
    reach: list[str] | None


async def _one(ask: Ask[Any, Any], connection: Connection) -> _Read:
    """Read, and not yet to be shown: `_check_reach` comes when the connection has been given back."""
    organization = ask.actor.organization_id
    seal = await ask.house.seal(connection, organization)
    document, seq = await save.read(connection, organization, AUTHORIZATION, seal, ask.id())
    return _Read(document, seq, await patients_in_reach(ask, connection))


async def _check_reach(ask: Ask[Any, Any], patient: str, reach: list[str] | None, field: str) -> None:
    """Raises NotFound for a patient whose authorizations the caller may not see."""
    if reach is not None and patient not in reach and not await break_glass.opens(ask, patient):
        raise NotFound(field)


async def get(ask: Ask[Any, Any]) -> Answer:
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        found = await _one(ask, connection)
    await _check_reach(ask, found.document["patient_id"], found.reach, "id")
    return Answer(found.document, version=found.document["version"], seq=found.seq)


async def available_units(ask: Ask[Any, Any]) -> Answer:
    answer = await get(ask)
    found = answer.content
    answer.content = AvailableUnits(
        available=found["available_units"], total=found["total_units"], used=found["used_units"],
        scheduled=found["scheduled_units"], status=found["status"], version=found["version"],
    )  # fmt: skip
    return answer


async def entries(ask: Ask[Paged, Any]) -> Answer:
    """Notes are the staff's own words to each other: who sees only their own records does not see them."""
    organization = ask.actor.organization_id
    async with ask.house.database.reading(organization) as connection:
        found = await _one(ask, connection)
        seal = await ask.house.seal(connection, organization)
        items, counted, seq = await lists.fetched(
            ask, connection, "authorization_entries_page", found.document["id"]
        )
    await _check_reach(ask, found.document["patient_id"], found.reach, "id")
    is_staff = ask.actor.role != "patient"
    shown = [
        _entry(msgspec.json.decode(item), found.document["id"], seal, is_staff=is_staff) for item in items
    ]
    return Answer(lists.page(ask, ask.query, shown, counted), seq=seq)


def _entry(document: Document, authorization_id: str, seal: Seal, *, is_staff: bool) -> Document:
    sealed = document.pop("note_encrypted")
    context = note_context(authorization_id, document["entry_no"])
    opened = seal.open(bytes.fromhex(sealed), context).decode() if sealed and is_staff else None
    return document | {"note": opened}


async def widen(ask: Ask[Any, Any], patient: str | None) -> None:
    """Lets a list of one patient's authorizations reach them, if a break-glass opens what the caller may not see anyway.
    Raises Invalid for a page that cannot be."""
    lists.size(ask, ask.query)
    if patient is None or ask.reach == "all":
        return
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        reach = await patients_in_reach(ask, connection)
    if reach is not None and patient not in reach:
        await break_glass.widened(ask, patient)


async def listing(ask: Ask[AuthorizationQuery, Any]) -> Answer:
    await widen(ask, ask.query.patient_id)
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
    await _check_reach(ask, query.patient_id, reach, "patient_id")
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
        "POST", f"{_PATH}/batch", create_all, "authorizations.write", "Record several authorizations, or none of them",
        body=NewAuthorizations, answer=Authorizations, status=201, refusals=("not_found",), tag="authorizations",
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
        "PATCH", f"{_PATH}/{{id}}", amend, "authorizations.write", "Change an authorization, or see what that would do",
        query=ChangeQuery, body=AuthorizationChange, answer=AmendedAuthorization, tag="authorizations",
        refusals=("totals_below_committed", "visits_stranded"),
    ),
    Route(
        "POST", f"{_PATH}/{{id}}/approve", approve, "authorizations.write", "Say that the payer has approved it",
        body=Approval, answer=Authorization, body_optional=True, tag="authorizations",
        refusals=("illegal_transition", "totals_below_committed", "visits_stranded"),
    ),
    Route(
        "POST", f"{_PATH}/{{id}}/cancel", cancel, "authorizations.write", "Say that it is not good any more",
        answer=Authorization, tag="authorizations", refusals=("illegal_transition", "visits_stranded"),
    ),
    Route(
        "POST", f"{_PATH}/{{id}}/reserve", _by_hand("reserve"), "authorizations.write",
        "Reserve units that no visit holds", body=UnitsByHand, answer=Authorization, tag="authorizations",
        refusals=("insufficient_units", "authorization_inactive", "authorization_expired"),
    ),
    Route(
        "POST", f"{_PATH}/{{id}}/release", _by_hand("release"), "authorizations.write",
        "Give back units that were reserved by hand", body=UnitsByHand, answer=Authorization, tag="authorizations",
        refusals=("units_not_reserved",),
    ),
    Route(
        "POST", f"{_PATH}/{{id}}/consume", _by_hand("consume"), "authorizations.write",
        "Use units that were reserved by hand", body=ConsumeByHand, answer=Authorization, tag="authorizations",
        refusals=("units_not_reserved", "authorization_inactive", "authorization_expired"),
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

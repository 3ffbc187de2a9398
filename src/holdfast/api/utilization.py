"""`/utilization`: how each authorization is used up, and which of them somebody must see to. Reads only; what is said of
one is decided in `rules/utilization.py`.
"""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal, NamedTuple

import asyncpg
import msgspec
from msgspec import Meta

from holdfast.api import csv_table, lists
from holdfast.api.authorizations import Authorization, patients_in_reach, widen
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.lists import Paged
from holdfast.api.wire import Id
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid
from holdfast.rules.utilization import Counters, Outlook, outlook

Flag = Literal["expiring", "over_80_percent", "will_run_out", "will_go_unused"]
_FLAGS: Final[tuple[Flag, ...]] = ("expiring", "over_80_percent", "will_run_out", "will_go_unused")
_COLUMNS: Final = (
    "id", "patient_id", "patient_name", "payer", "authorization_number", "service_codes", "unit_basis", "status",
    "start_date", "end_date", "total_units", "used_units", "scheduled_units", "available_units", "elapsed_percent",
    "used_percent", "committed_percent", "pace", "units_per_week", "run_out_date", "unused_units", *_FLAGS,
)  # fmt: skip


class UtilizationQuery(Paged, kw_only=True):
    """Of authorizations that have not ended and are not cancelled. `clinic_id`: whose patient had a visit there within a
    year; `flag`: those that have it."""

    clinic_id: Id | None = None
    expiring_within_days: Annotated[int, Meta(ge=0, le=366)] | None = None
    patient_id: Id | None = None
    payer_id: Id | None = None
    flag: Flag | None = None


class Utilization(Authorization, kw_only=True):
    """An authorization and where it leads. Percentages are of the total and of its days. Committed units are those used and
    scheduled. `pace`: the committed share over the elapsed share; above 1 units go faster than time. The forecast is a
    straight line: committed units from the start to today or to the last booked visit, whichever is later, give
    `units_per_week`, which go on until nothing is left (`run_out_date`, null if that is not before the end) or it ends
    (`unused_units`, null in a first week without any). `expiring`: within 30 days. `will_run_out`: a week or more before
    the end. `will_go_unused`: a tenth of the total or more."""

    patient_name: str
    elapsed_percent: float
    used_percent: float
    committed_percent: float
    pace: float | None
    units_per_week: float
    run_out_date: date | None
    unused_units: int | None
    expiring: bool
    over_80_percent: bool
    will_run_out: bool
    will_go_unused: bool


class FlagCounts(msgspec.Struct, kw_only=True):
    """How many of all that match the other filters have each flag."""

    expiring: int
    over_80_percent: int
    will_run_out: int
    will_go_unused: int


class UtilizationPage(lists.Page, kw_only=True):
    """`date`: the organization's today, for which all of it is said."""

    items: list[Utilization]
    counts: FlagCounts
    date: date


class _Found(NamedTuple):
    """Everything that matches, by end date, with what is said of it."""

    outlooks: list[tuple[str, Outlook]]
    today: date
    seq: int


async def utilization(ask: Ask[UtilizationQuery, None]) -> Answer:
    query, organization = ask.query, ask.actor.organization_id
    await widen(ask, query.patient_id)
    is_csv = csv_table.is_wanted(ask.headers.get(b"accept", b"").decode("latin-1"))
    async with ask.house.database.reading(organization) as connection:
        found = await _found(ask, connection)
        chosen = [each for each in found.outlooks if query.flag is None or getattr(each[1], query.flag)]
        items = await _documents(ask, connection, _page(ask, chosen, is_whole=is_csv))
    if is_csv:
        return Answer(
            await asyncio.to_thread(csv_table.table, _COLUMNS, items), seq=found.seq, media_type=f"{csv_table.MEDIA_TYPE}; charset=utf-8; header=present",
            headers={"Content-Disposition": 'attachment; filename="utilization.csv"', "Vary": "Accept"},
        )  # fmt: skip
    page = lists.page(ask, query, items, len(chosen))
    counts = {flag: sum(getattr(each, flag) for _, each in found.outlooks) for flag in _FLAGS}
    shown = msgspec.to_builtins(page) | {"counts": counts, "date": found.today}
    return Answer(shown, seq=found.seq, headers={"Vary": "Accept"})


async def _found(ask: Ask[UtilizationQuery, None], connection: Connection) -> _Found:
    query, organization = ask.query, ask.actor.organization_id
    (standing,) = await connection.fetch(statement("utilization_day"), organization)
    rows = await connection.fetch(
        statement("utilization"), organization, await patients_in_reach(ask, connection), query.patient_id,
        query.payer_id, query.clinic_id, query.expiring_within_days, ask.house.settings.list_count_max + 1,
    )  # fmt: skip
    today = standing["today"]
    return _Found(await asyncio.to_thread(_outlooks, rows, today), today, standing["seq"])


def _outlooks(rows: Sequence[asyncpg.Record], today: date) -> list[tuple[str, Outlook]]:
    """Of everything that matches, since each may have a flag that is counted: not on the event loop."""
    return [
        (
            str(row["id"]),
            outlook(
                Counters(
                    total=row["total_units"], used=row["used_units"], scheduled=row["scheduled_units"],
                    start_date=row["start_date"], end_date=row["end_date"], booked_through=row["booked_through"],
                ),
                today,
            ),
        )
        for row in rows
    ]  # fmt: skip


def _page(
    ask: Ask[UtilizationQuery, None], chosen: list[tuple[str, Outlook]], *, is_whole: bool
) -> list[tuple[str, Outlook]]:
    """A table that nobody asked a page of is whole. Raises Invalid if it would be too long."""
    query, most = ask.query, ask.house.settings.list_count_max
    if is_whole and query.page == 1 and query.page_size is None:
        if len(chosen) > most:
            raise Invalid(FieldError("page_size", "too_many", f"more than {most} match; ask for a page"))
        return chosen
    size = lists.size(ask, query)
    return chosen[(query.page - 1) * size : query.page * size]


async def _documents(
    ask: Ask[UtilizationQuery, None], connection: Connection, chosen: list[tuple[str, Outlook]]
) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        statement("utilization_documents"), ask.actor.organization_id, [each for each, _ in chosen]
    )
    return await asyncio.to_thread(_told, rows, chosen)


def _told(rows: Sequence[asyncpg.Record], chosen: list[tuple[str, Outlook]]) -> list[dict[str, Any]]:
    return [
        msgspec.json.decode(row["document"]) | msgspec.to_builtins(seen)
        for row, (_, seen) in zip(rows, chosen, strict=True)
    ]


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", "/api/v1/utilization", utilization, "authorizations.read",
        "How authorizations are used up, those first that end first; as a table with Accept: text/csv",
        query=UtilizationQuery, answer=UtilizationPage, also_as=(csv_table.MEDIA_TYPE,), tag="authorizations",
    ),
)  # fmt: skip

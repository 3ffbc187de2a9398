"""What is told of the database once for a whole run: the use of its indexes, and where time goes on the hot paths."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import asyncpg

from holdfast.db.database import CONNECTION_LOST
from holdfast.proof.evidence import statements
from holdfast.proof.evidence.counted import Bins, Difference
from holdfast.proof.evidence.watched import Eyes
from holdfast.proof.report.figures import count, figure, share
from holdfast.proof.report.model import Cell, IndexUse, Named, NotApplicable
from holdfast.proof.statements import statement

_INDEXES: Final[Mapping[str, str]] = MappingProxyType({
    "claims_pkey": "room availability: the claims of a resource in a span",
    "claims_no_overlap": "the law: no two claims on a seat at the same time",
    "rooms_pkey": "available rooms: all rooms of an organization, read once and remembered",
    "rooms_number_key": "room type filter: the rooms of a clinic",
    "appointments_by_clinic": "daily room schedule: the visits of a clinic by time",
    "appointments_pkey": "a visit by its id",
})  # fmt: skip
_SEARCHES: Final = ("/api/v1/availability", "/api/v1/appointments/conflicts")


def index_use(admin_url: str) -> tuple[IndexUse, ...] | NotApplicable:
    """Of the indexes that serve the seeds' four queries, since the engine began to count."""
    try:
        return asyncio.run(_index_use(admin_url))
    except (*CONNECTION_LOST, asyncpg.PostgresError):
        return NotApplicable(reason="The database could not be asked about its indexes.")


async def _index_use(url: str) -> tuple[IndexUse, ...]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(statement("evidence/index_use"), list(_INDEXES))
    finally:
        await connection.close()
    found = {row["name"]: row for row in rows}
    return tuple(
        IndexUse(
            name=name, table=row["relation"], serves=serves, scans=count(row["scans"], max(1, row["scans_of_table"])),
            tuples_read=count(row["tuples_read"], max(1, row["scans"])),
            tuples_fetched=count(row["tuples_fetched"], max(1, row["scans"])),
            size=figure(row["bytes"], "bytes", 1), share=share(row["scans"], row["scans_of_table"]),
        )
        for name, serves in _INDEXES.items()
        if (row := found.get(name)) is not None
    )  # fmt: skip


def hot_paths(eyes: Eyes) -> tuple[Named, ...] | NotApplicable:
    """Average milliseconds since the server began."""
    told = eyes.told()
    if told is None:
        return NotApplicable(reason="The server does not answer /metrics to whoever asks from here.")
    counted = Difference(None, told)
    searches = Bins(
        (), (round(sum(counted.sum("holdfast_request_seconds_count", route=route) for route in _SEARCHES)),),
        sum(counted.sum("holdfast_request_seconds_sum", route=route) for route in _SEARCHES),
    )  # fmt: skip
    asked = statements.counted(eyes.statements_url)
    calls = sum(each.calls for each in (asked or {}).values())
    took = sum(each.milliseconds for each in (asked or {}).values())
    push = NotApplicable(reason="Nothing is pushed to other calendars: there is no such relay yet.")
    return (
        Named(name="availability", what="free times searched, or a time checked for conflicts",
              figure=_mean(searches, "Nobody asked for free times or conflicts.")),
        Named(name="rules", what="the rules about one visit at one time, over all rooms",
              figure=_mean(counted.bins("holdfast_span_seconds", span="rules"), "Nothing was booked or moved.")),
        Named(name="database", what="a statement, as the engine counts it",
              figure=figure(took / calls, "ms", calls) if calls else NotApplicable(reason="The engine counts no statements.")),
        Named(name="calendar_push", what="a change pushed to another calendar", figure=push),
    )  # fmt: skip


def _mean(bins: Bins, nothing: str) -> Cell:
    return figure(1000 * bins.sum / bins.n, "ms", bins.n) if bins.n else NotApplicable(reason=nothing)

"""The invariants: what must hold of every organization's stored rows at any moment. Each is a statement of
`sql/invariants/` that returns the rows it finds broken, or the replay of the events. Only reads.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from holdfast.db.database import Connection, transaction
from holdfast.proof import replay
from holdfast.proof.statements import statement

BROKEN_ROWS_MAX: Final = 100
"""Of one invariant in one organization: so many are enough to see what is wrong."""
_PATIENCE_SECONDS: Final = 60

BY_STATEMENT: Final = (
    "claims_overlap",
    "patient_twice",
    "visits_have_their_claims",
    "blocks_have_their_claims",
    "groups_have_their_claims",
    "members_are_with_their_group",
    "holds_have_their_claims",
    "series_have_their_visits",
    "claims_belong",
    "units_within_total",
    "counters_equal_ledger",
    "entries_match_versions",
    "lines_hold_their_units",
    "lines_use_what_the_ledger_says",
    "signed_lines_have_their_session",
    "versions_of_sessions_without_gap",
    "visits_make_up_scheduled",
    "decisions_have_their_grounds",
    "events_without_gap",
    "batches_without_gap",
    "audit_chain",
    "keys_have_one_result",
    "references_stay_home",
    "others_are_not_seen",
    "patients_carry_their_constraints",
    "policies_in_force",
)
REPLAY: Final = "events_replayed_equal_tables"
NAMES: Final = (*BY_STATEMENT, REPLAY)

Row = dict[str, Any]
Find = Callable[[Connection, str], Awaitable[list[Row]]]


def finders() -> dict[str, Find]:
    """Each invariant by name: what finds an organization's broken rows over a connection, at most 100."""
    found: dict[str, Find] = {name: partial(_by_statement, name) for name in BY_STATEMENT}
    found[REPLAY] = _replayed
    return found


async def organizations(connection: Connection) -> list[str]:
    """Every organization that somebody can sign in to. Needs no tenant, so the server's plain role sees them."""
    return [row["organization_id"] for row in await connection.fetch(statement("organizations"))]


async def broken(connection: Connection, organization: str) -> dict[str, list[Row]]:
    """The broken rows of an organization by invariant; empty when all hold."""
    found = {name: await find(connection, organization) for name, find in finders().items()}
    return {name: rows for name, rows in found.items() if rows}


async def _by_statement(name: str, connection: Connection, organization: str) -> list[Row]:
    async with reading(connection, organization):
        cursor = await connection.cursor(statement(f"invariants/{name}"), organization)
        return [dict(row) for row in await cursor.fetch(BROKEN_ROWS_MAX)]


async def _replayed(connection: Connection, organization: str) -> list[Row]:
    found = await replay.differences(organization, partial(reading, connection, organization))
    return found[:BROKEN_ROWS_MAX]


@asynccontextmanager
async def reading(connection: Connection, organization: str) -> AsyncIterator[Connection]:
    """One read-only transaction of the organization, with more time than a request has."""
    async with transaction(connection, "begin_reading", organization):
        await connection.execute(statement("verify_patience"), f"{_PATIENCE_SECONDS}s")
        yield connection

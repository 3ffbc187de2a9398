"""`holdfast verify`: every invariant of every organization on a live database. It only reads, one invariant of one
organization at a time in a transaction of its own, as the server's plain role.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import asyncpg
import msgspec

from holdfast.db.database import Connection
from holdfast.plain import PlainError
from holdfast.proof import invariants
from holdfast.settings import Settings

Progress = Callable[[str], None]
_SHOWN_ROWS_MAX: Final = 5
_CONNECT_SECONDS: Final = 10.0


class VerifyError(PlainError):
    """The database cannot be looked at; the message says why."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One invariant over all organizations. `rows`: the broken ones found, at most 100 of each organization."""

    name: str
    rows: list[tuple[str, invariants.Row]]
    seconds: float


def run(settings: Settings, progress: Progress) -> int:
    """Prints each invariant with its broken rows and its time. Returns 0 when all hold, 1 otherwise.

    Raises VerifyError.
    """
    try:
        return asyncio.run(_run(settings, progress))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise VerifyError(f"The database cannot be verified: {type(error).__name__}: {error}") from None


async def _run(settings: Settings, progress: Progress) -> int:
    connection = await asyncpg.connect(settings.database_url, timeout=_CONNECT_SECONDS)
    try:
        organizations = await invariants.organizations(connection)
        progress(f"{len(organizations)} organizations, {len(invariants.NAMES)} invariants.")
        is_broken = False
        for name in invariants.NAMES:
            finding = await look(connection, name, organizations)
            is_broken = is_broken or bool(finding.rows)
            for line in told(finding):
                progress(line)
        progress("BROKEN: see above." if is_broken else "All hold.")
        return 1 if is_broken else 0
    finally:
        await connection.close()


async def look(connection: Connection, name: str, organizations: list[str]) -> Finding:
    """One invariant, organization by organization."""
    began, find = time.monotonic(), invariants.finders()[name]
    rows = [(each, row) for each in organizations for row in await find(connection, each)]
    return Finding(name=name, rows=rows, seconds=time.monotonic() - began)


def told(finding: Finding) -> list[str]:
    """The finding in lines: name, rows, time; then the first broken rows."""
    count = len(finding.rows)
    lines = [f"{'✗' if count else '✓'} {finding.name:<30} {count:>5} rows {finding.seconds:>8.2f} s"]
    for organization, row in finding.rows[:_SHOWN_ROWS_MAX]:
        lines.append(f"    {organization} {', '.join(f'{key}={value}' for key, value in row.items())}")
    if count > _SHOWN_ROWS_MAX:
        lines.append(f"    and {count - _SHOWN_ROWS_MAX} more")
    return lines

"""What the server has asked of the database, statement by statement, from the engine's own count. Values are no part of it: the
engine keeps a statement's text without them.
"""

import asyncio
from typing import Final, NamedTuple

import asyncpg

from holdfast.db.database import CONNECTION_LOST
from holdfast.db.engine import DATABASE, SERVER_ROLE
from holdfast.proof.report.figures import figure
from holdfast.proof.report.model import NotApplicable, Table
from holdfast.proof.statements import statement

_TOLD_MAX: Final = 8
_WORDS_MAX: Final = 120
_NONE: Final = "The engine does not count statements (pg_stat_statements is not loaded)."


class Counted(NamedTuple):
    text: str
    calls: int
    milliseconds: float
    rows: int


Statements = dict[int, Counted]


def counted(url: str | None) -> Statements | None:
    """Since the engine began to count; None if it does not. `url`: a database that is nobody's, as administrator."""
    if url is None:
        return None
    try:
        return asyncio.run(_read(url))
    except (*CONNECTION_LOST, asyncpg.PostgresError):
        return None


async def _read(url: str) -> Statements:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement("evidence/statements_counted"))
        rows = await connection.fetch(statement("evidence/statements"), DATABASE, SERVER_ROLE)
    finally:
        await connection.close()
    found: Statements = {}
    for row in rows:
        known = found.get(row["queryid"], Counted(row["query"], 0, 0.0, 0))
        found[row["queryid"]] = Counted(
            known.text, known.calls + row["calls"], known.milliseconds + row["milliseconds"], known.rows + row["rows"]
        )  # fmt: skip
    return found


def between(before: Statements | None, after: Statements | None) -> Statements | None:
    """What was carried out in between. A count that fell began anew, with the engine."""
    if before is None or after is None:
        return None
    found: Statements = {}
    for key, now in after.items():
        known = before.get(key)
        if known is None or known.calls > now.calls:
            found[key] = now
        elif now.calls > known.calls:
            found[key] = Counted(
                now.text, now.calls - known.calls, now.milliseconds - known.milliseconds, now.rows - known.rows
            )  # fmt: skip
    return found


def table(of: Statements | None) -> Table | NotApplicable:
    """Those that took the most time together."""
    if of is None:
        return NotApplicable(reason=_NONE)
    if not of:
        return NotApplicable(reason="The server asked the database for nothing.")
    together, calls = sum(each.milliseconds for each in of.values()), sum(each.calls for each in of.values())
    most = sorted(of.values(), key=lambda each: each.milliseconds, reverse=True)[:_TOLD_MAX]
    return Table(
        name="statements", title="Statements that took the database the most time",
        columns=("statement", "calls", "rows", "mean", "together", "share"),
        rows=tuple(
            (
                _words(each.text), figure(each.calls, "count", each.calls), figure(each.rows, "count", each.calls),
                figure(each.milliseconds / each.calls, "ms", each.calls), figure(each.milliseconds, "ms", each.calls),
                figure(100 * each.milliseconds / (together or 1.0), "%", calls),
            )
            for each in most
        ),
        note=f"As the engine counted them: {len(of)} different ones, {together:,.0f} ms together.",
    )  # fmt: skip


def _words(text: str) -> str:
    """The sentence that each statement of the product begins with, or else the statement, on one line."""
    first, _, rest = text.strip().partition("\n")
    said = first.removeprefix("--") if first.startswith("--") and rest else text
    said = " ".join(said.split())
    return said if len(said) <= _WORDS_MAX else said[: _WORDS_MAX - 1] + "…"

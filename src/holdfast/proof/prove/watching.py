"""What the server and the database are seen doing while a scenario's load runs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg

from holdfast.db.statements import statement
from holdfast.proof.prove.place import Place
from holdfast.proof.report import model
from holdfast.proof.report.figures import count
from holdfast.proof.report.model import Cell, NotApplicable

HTTP_ONLY = "Over HTTP alone nothing is known of the database."
_NOT_SEEN = NotApplicable(reason="This run looks at the server from outside only.")
_NOT_OVER = NotApplicable(reason="The scenario ended before it could be counted.")
_SETTLES_SECONDS = 1.1
"""A session tells its counts to the others at most once a second."""


@dataclass
class Watched:
    """Filled in when the load is over."""

    inside: model.Inside
    deadlocks: Cell = _NOT_OVER


@contextmanager
def watching(place: Place) -> Iterator[Watched]:
    nothing = _NOT_SEEN
    watched = Watched(model.Inside(spans=nothing, lanes=nothing, usages=nothing, pool=nothing, locks=nothing))
    url = place.admin_url
    if url is None:
        watched.deadlocks = NotApplicable(reason=HTTP_ONLY)
        yield watched
        return
    before = asyncio.run(_deadlocks(url))
    yield watched
    found = asyncio.run(_deadlocks(url, _SETTLES_SECONDS)) - before
    watched.deadlocks = count(found, 1)


async def _deadlocks(url: str, after: float = 0.0) -> int:
    await asyncio.sleep(after)
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(statement("database_figures"))
    finally:
        await connection.close()
    return int(row["deadlocks"]) if row else 0

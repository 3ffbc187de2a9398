"""What the database has counted about itself, for whoever watches. Asked at most every few seconds, whoever asks, and
never by a request of a clinic.
"""

import asyncio
import time

import asyncpg
import msgspec

from holdfast.db.database import CONNECTION_LOST, Database
from holdfast.db.statements import statement
from holdfast.errors import Overloaded

_FRESH_SECONDS = 5.0
_LOOK_SECONDS_MAX = 1.0


class Figures(msgspec.Struct, frozen=True):
    """`waiting`: sessions of the server's role that wait for a lock; the rest is of the whole database."""

    commits: int
    rollbacks: int
    deadlocks: int
    connections: int
    waiting: int


class DatabaseFigures:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._alone = asyncio.Lock()
        self._fresh_until = 0.0
        self.last: Figures | None = None
        """The last that could be read: a counter stays where it was while nobody can be asked."""
        self.is_up = False

    async def look(self) -> None:
        """Brings `last` and `is_up` up to date, if they are older than a few seconds."""
        async with self._alone:
            if time.monotonic() < self._fresh_until:
                return
            try:
                async with (
                    asyncio.timeout(_LOOK_SECONDS_MAX),
                    self._database.any(_LOOK_SECONDS_MAX) as connection,
                ):
                    row = await connection.fetchrow(statement("database_figures"))
                self.last, self.is_up = msgspec.convert(dict(row or {}), Figures), True
            except (*CONNECTION_LOST, asyncpg.PostgresError, Overloaded):  # a TimeoutError is an OSError
                self.is_up = False
            self._fresh_until = time.monotonic() + _FRESH_SECONDS

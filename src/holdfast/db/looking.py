"""A reading transaction that stays open from question to question, for a lane that asks hundreds of times a second:
opening and ending one each time would be two of three round trips. Decides nothing.
"""

import time

from holdfast.db.database import Connection, Database, begin
from holdfast.db.statements import statement

_OPEN_SECONDS_MAX = 0.5
"""Well under the limits at which the database ends idle and long transactions."""


class Looking:
    """One organization's open reading transaction, on a connection of its own. Each statement sees its own moment,
    so an answer must say at which seq it is true."""

    def __init__(self, database: Database, organization: str) -> None:
        self._database = database
        self._organization = organization
        self._connection: Connection | None = None
        self._opened: float | None = None

    async def connection(self) -> Connection:
        """The connection with the transaction open. Raises what connecting raises."""
        if self._connection is None or self._connection.is_closed():
            self._connection, self._opened = await self._database.connect(), None
        if self._opened is not None and time.monotonic() - self._opened > _OPEN_SECONDS_MAX:
            await self.rest()
        if self._opened is None:
            await self._connection.execute(begin("begin_looking", self._organization))
            self._opened = time.monotonic()
        return self._connection

    async def rest(self) -> None:
        """Ends the transaction until there is a question again."""
        if self._connection is not None and self._opened is not None and not self._connection.is_closed():
            await self._connection.execute(statement("commit"))
        self._opened = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        self._opened = None

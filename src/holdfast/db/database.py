"""Connections: the pool, one organization's transactions, and what a connection must be like.

All session state lives in the transaction (`set local`), so returning a connection needs no reset. Nothing here
decides anything.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import asyncpg

from holdfast import ids
from holdfast.db.spread import Spread
from holdfast.db.statements import statement
from holdfast.errors import Overloaded
from holdfast.settings import Settings

if TYPE_CHECKING:  # the driver's class is generic in its stubs only
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

# The connection is gone and nobody said what became of what was sent on it.
CONNECTION_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.TransactionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
    OSError,
)

POOL_IDLE_SECONDS_MAX = 300.0
"""A pooled connection that nobody has used for so long is closed."""
ACQUISITION_BOUNDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0,
)  # fmt: skip


class PlainConnection(Connection):
    """A connection whose return to the pool costs no round trip: it holds no state outside its transaction."""

    def get_reset_query(self) -> str:
        return ""


class Closing:
    """Closes a connection under whoever waits on it, at a limit: a wire that has gone silent tells nobody. The socket is
    closed and nothing is cancelled: a cancel request around COMMIT could be acknowledged as a success."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection, self._seconds = connection, seconds

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._connection.terminate)

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()


class Database:
    """The server's way to PostgreSQL."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.acquisitions = Spread(ACQUISITION_BOUNDS)
        """For how many seconds each pooled connection was waited for, in vain too."""
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self.waiting = 0
        """How many wait for a pooled connection now."""

    async def open(self) -> None:
        """Opens the pool. A database that is starting or recovering is waited for: a worker that gave up then would
        take the whole server with it. Raises what connecting raises when the time for that is over."""
        over = asyncio.get_running_loop().time() + self.settings.database_wait_seconds
        while True:
            try:
                self._pool = await asyncpg.create_pool(
                    self.settings.database_url,
                    min_size=1,
                    max_size=self.settings.pool_connections_max,
                    max_inactive_connection_lifetime=POOL_IDLE_SECONDS_MAX,
                    **self._options(),
                )
            except CONNECTION_LOST:
                if asyncio.get_running_loop().time() > over:
                    raise
                await asyncio.sleep(0.2)
            else:
                return

    async def close(self) -> None:
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), self.settings.shutdown_deadline_seconds)
            except TimeoutError:
                self._pool.terminate()

    def _options(self) -> dict[str, Any]:
        return {
            "connection_class": PlainConnection,
            "statement_cache_size": 0 if self.settings.database_pooler == "transaction" else 200,
            "max_cached_statement_lifetime": 0,
            "timeout": self.settings.request_deadline_seconds,
            "server_settings": {"application_name": "holdfast"},
        }

    async def connect(self) -> Connection:
        """A connection of one's own, outside the pool: a lane's."""
        return await asyncpg.connect(self.settings.database_url, **self._options())

    @property
    def pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        if self._pool is None:
            raise RuntimeError("the database is not open")
        return self._pool

    @asynccontextmanager
    async def any(self, seconds_max: float | None = None) -> AsyncIterator[Connection]:
        """A pooled connection for what belongs to no organization: the login directory, health.

        A wire that has gone silent tells nobody: the connection is closed under whoever has it after `seconds_max`
        (a transaction's limit, if not given), and what was waited for is lost.
        Raises Overloaded when none is free within the request's deadline, or none can be made.
        """
        self.waiting += 1
        began = time.perf_counter()
        try:
            connection = await self.pool.acquire(timeout=self.settings.request_deadline_seconds)
        except CONNECTION_LOST:  # also TimeoutError, which is an OSError
            raise Overloaded("no_connection") from None
        finally:
            self.waiting -= 1
            self.acquisitions.add(time.perf_counter() - began)
        limit = self.settings.transaction_timeout_seconds if seconds_max is None else seconds_max
        try:
            with Closing(cast("Connection", connection), limit):
                yield cast("Connection", connection)
        finally:
            await self.pool.release(connection)

    @asynccontextmanager
    async def reading(self, organization: str) -> AsyncIterator[Connection]:
        """A read-only transaction of one organization; every statement in it sees the same snapshot.

        Raises Overloaded when the connection was lost on the way, or answered nothing within the request's deadline.
        """
        async with self.any(self.settings.request_deadline_seconds) as connection:
            try:
                async with transaction(connection, "begin_reading", organization):
                    yield connection
            except CONNECTION_LOST as error:
                if not is_gone(connection):
                    raise
                raise Overloaded("connection_lost") from error

    @asynccontextmanager
    async def writing(self, organization: str) -> AsyncIterator[Connection]:
        """A writing transaction of one organization without its turn: only what `sql/README.md` lists as taking none. A
        connection that is lost is told as it is: whether the commit arrived is not known."""
        async with self.any() as connection, transaction(connection, "begin_writing", organization):
            yield connection


def is_gone(connection: Connection) -> bool:
    """Whether a connection is closed. The pool takes one back the moment it is closed, and then it answers nothing."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


@asynccontextmanager
async def transaction(connection: Connection, opening: str, organization: str) -> AsyncIterator[None]:
    """Runs `opening` (begin_reading or begin_writing) for the organization; commits, or rolls back on error."""
    await connection.execute(begin(opening, organization))
    try:
        yield
    except BaseException:
        if not is_gone(connection):
            await connection.execute(statement("rollback"))
        raise
    await connection.execute(statement("commit"))


def begin(opening: str, organization: str) -> str:
    """The opening of a transaction with its tenant; `set` takes no parameters, so the id is checked and inlined."""
    return statement(opening).replace("{organization}", ids.canonical(organization))

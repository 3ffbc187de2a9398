"""Three ways to keep one authorization from being overspent, each asked by all clients for more than there is: SERIALIZABLE
with retries and a locked row, as an application does it that has a transaction for each request; and the turn with its
lanes, over HTTP with all that Holdfast does beside. Says what was granted at what cost; what is used, decision 0016 says.
"""

import asyncio
import time
from typing import Any, Literal

import asyncpg
import msgspec
import uvloop

from holdfast.db.engine import OWNER, Engine
from holdfast.proof import driver, pgbench
from holdfast.proof.bench.data import Requests
from holdfast.proof.bench.rounds import Rounds
from holdfast.proof.bench.search import asked
from holdfast.proof.machine import Meter
from holdfast.proof.serving import Server
from holdfast.proof.statements import statement
from holdfast.proof.statistics import Latency, latency

UNITS = 10
"""What each request asks for."""
GRANTS_PER_SECOND = 400
"""How many requests can be granted in a run, by its length; then each client is refused once."""


class Isolation(msgspec.Struct, frozen=True, kw_only=True):
    """One way. `retries`: transactions that were begun again; `latency`: of every request, refused ones among them. Costs are microseconds of processor time per granted request;
    `client_us` is that of whoever speaks to the database: the direct ways do without HTTP."""

    name: str
    clients: int
    grantable: int
    granted: int
    refused: int
    retries: int
    per_second: float
    latency: Latency
    client_us: float
    database_us: float
    is_exact: bool
    """As many granted as there were units for, and the counter and the ledger say the same."""


def compare(
    engine: Engine, server: Server, rounds: Rounds, requests: Requests, clients: int, seconds: float
) -> list[Isolation]:
    grantable = max(clients, round(GRANTS_PER_SECOND * seconds))
    return [*direct(engine, clients, grantable), _lanes(server, rounds, requests, clients, grantable)]


def direct(engine: Engine, clients: int, grantable: int) -> list[Isolation]:
    """The ways of an application that has a transaction for each request, on the yardsticks' tables."""
    postmaster = int((engine.home / "data" / "postmaster.pid").read_text().split()[0])
    url = engine.url_for(OWNER, engine.password, pgbench.DATABASE)
    found = []
    for isolation, read in _DIRECT:
        meter, began = Meter(None, postmaster), time.process_time()
        run = uvloop.run(_Direct(url, isolation, read, clients, grantable).carry_out())
        used = time.process_time() - began
        found.append(run.said(clients, grantable, used, meter.read().database))
    return found


_Level = Literal["serializable", "read_committed"]
_DIRECT: tuple[tuple[_Level, str], ...] = (
    ("serializable", "isolation_read"),
    ("read_committed", "isolation_lock"),
)


class _Direct:
    """Clients with a connection each, who look, then take if enough is left, until they are refused."""

    def __init__(self, url: str, isolation: _Level, read: str, clients: int, grantable: int) -> None:
        self._url, self._isolation, self._read = url, isolation, statement(read)
        self._clients, self._units = clients, grantable * UNITS
        self._id = 0
        self._took: list[float] = []
        self._granted = self._retries = 0
        self._seconds = 0.0
        self._stored: tuple[int, int] = (0, 0)

    async def carry_out(self) -> "_Direct":
        connections = [await asyncpg.connect(self._url) for _ in range(self._clients)]
        try:
            self._id = await connections[0].fetchval(statement("isolation_row"), self._units)
            began = time.perf_counter()
            await asyncio.gather(*(self._ask(connection) for connection in connections))
            self._seconds = time.perf_counter() - began
            (row,) = await connections[0].fetch(statement("isolation_stored"), self._id)
            self._stored = (row["promised"], row["entered"])
        finally:
            for connection in connections:
                await connection.close()
        return self

    async def _ask(self, connection: Any) -> None:
        is_granted = True
        while is_granted:
            began = time.perf_counter()
            is_granted = await self._taken(connection)
            self._took.append(time.perf_counter() - began)
            self._granted += is_granted

    async def _taken(self, connection: Any) -> bool:
        while True:
            try:
                async with connection.transaction(isolation=self._isolation):
                    if await connection.fetchval(self._read, self._id) < UNITS:
                        return False
                    await connection.execute(statement("isolation_take"), self._id, UNITS)
                    await connection.execute(statement("isolation_enter"), self._id, UNITS)
            except asyncpg.SerializationError:
                self._retries += 1
            else:
                return True

    def said(self, clients: int, grantable: int, client: float, database: float) -> Isolation:
        granted = self._granted
        return Isolation(
            name="SERIALIZABLE, retried" if self._isolation == "serializable" else "row locked first",
            clients=clients, grantable=grantable, granted=granted, refused=len(self._took) - granted, retries=self._retries,
            per_second=round(granted / self._seconds, 1), latency=latency(self._took),
            client_us=round(client / granted * 1e6, 1), database_us=round(database / granted * 1e6, 1),
            is_exact=granted == grantable and self._stored == (self._units, self._units),
        )  # fmt: skip


def _lanes(server: Server, rounds: Rounds, requests: Requests, clients: int, grantable: int) -> Isolation:
    of = requests.organization
    made = asked(server, requests, "POST", _PATH, msgspec.json.encode({
        "patient_id": of.patients[0], "payer": "Isolation", "service_codes": ["BENCH"],
        "total_units": grantable * UNITS, "start_date": "2020-01-01", "end_date": "2060-01-01",
    }))  # fmt: skip
    one = driver.request("POST", f"{_PATH}/{made['id']}/reserve", requests.headers, b'{"units":%d}' % UNITS)
    run, statuses = rounds.until_refused([one] * (grantable + clients))
    left = asked(server, requests, "GET", f"{_PATH}/{made['id']}")
    entries = asked(server, requests, "GET", f"{_PATH}/{made['id']}/entries")
    granted = statuses.get(200, 0)
    each = (grantable + clients) / max(1, granted)
    return Isolation(
        name="the turn, in lanes", clients=clients, grantable=grantable, granted=granted,
        refused=statuses.get(409, 0), retries=0, per_second=round(run.per_second / each, 1), latency=run.latency,
        client_us=round((run.server_us or 0) * each, 1), database_us=round((run.database_us or 0) * each, 1),
        is_exact=granted == grantable and left["scheduled_units"] == grantable * UNITS
        and entries["total"] == grantable and not run.invalid,
    )  # fmt: skip


_PATH = "/api/v1/authorizations"

"""A scenario watched from outside: `with watched(eyes) as seen:` and then `seen.inside`, as the report has it. What cannot be
seen (over HTTP alone, or because the server was started anew meanwhile) is told with its reason.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Final, NamedTuple

import asyncpg

from holdfast.db.database import CONNECTION_LOST
from holdfast.db.engine import OWNER, Engine
from holdfast.proof.evidence import inside, statements
from holdfast.proof.evidence.counted import Difference, Told
from holdfast.proof.evidence.sampler import Processes, Sampler
from holdfast.proof.report import model
from holdfast.proof.report.figures import count
from holdfast.proof.report.model import Cell, NotApplicable
from holdfast.proof.serving import Server, ask
from holdfast.proof.statements import statement

_ELSEWHERE: Final = "Over HTTP alone nothing is seen of the database and of processes."
_UNTOLD: Final = "The server does not answer /metrics to whoever asks from here."
_ANEW: Final = "The server was started anew meanwhile, or several workers answer in turn: its counters are of one process."
_AWAY: Final = "The database could not be asked before and after."


class Eyes(NamedTuple):
    """What can be seen. `metrics`: the text of `/metrics`, or OSError; `server` and `database` are first processes, the second
    of now, since a database that was killed comes back as another; `admin_url`: the database as its administrator;
    `statements_url`: one beside it that is nobody's, where the engine's count of statements is asked for."""

    metrics: Callable[[], str]
    server: int | None = None
    database: Callable[[], int | None] = lambda: None
    admin_url: str | None = None
    statements_url: str | None = None

    def told(self) -> Told | None:
        """One reading of `/metrics`, None if it is not to be had."""
        with suppress(OSError, ValueError):
            return Told(self.metrics())
        return None


def eyes_on(server: Server, engine: Engine) -> Eyes:
    """Of a server and an engine on this machine."""
    beside = engine.url_for(OWNER, engine.password, "postgres")
    return Eyes(
        metrics_of(server.port), server.process.pid, lambda: postmaster(engine), engine.admin_url, beside
    )


def metrics_of(port: int) -> Callable[[], str]:
    """Reads `/metrics` of a server on this machine."""

    def read() -> str:
        status, body = ask(port, "GET", "/metrics")
        if status != 200:
            raise OSError(f"/metrics was answered {status}")
        return body.decode()

    return read


def postmaster(engine: Engine) -> int | None:
    """The first process of a database that runs now."""
    with suppress(OSError, ValueError, IndexError):
        return int((engine.home / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    return None


class Counters(NamedTuple):
    """Of the database, since its statistics began. Each of its processes hands its own in after a second at the earliest,
    and ten seconds after its last work at the latest."""

    commits: int
    rollbacks: int
    deadlocks: int


class Watched:
    """What was seen; whole when the block is over."""

    def __init__(self, eyes: Eyes, last: "Watched | None") -> None:
        self.eyes = eyes
        self._processes: set[float | None] = set()
        self.sampler = Sampler(Processes(eyes.server, eyes.database), eyes.admin_url, self._told)
        self.before = self._told()
        self.after: Told | None = None
        self._statements_before = statements.counted(eyes.statements_url)
        self._statements_after: statements.Statements | None = None
        self.database_before = _counters(eyes.admin_url) if last is None else last.database_after

    def end(self) -> None:
        self.sampler.stop()
        self.after = self._told()
        self._statements_after = statements.counted(self.eyes.statements_url)

    def _told(self) -> Told | None:
        """Also the sampler's readings tell whether one process answers, or several in turn."""
        told = self.eyes.told()
        if told is not None:
            self._processes.add(told.process)
        return told

    @property
    def statements(self) -> model.Table | NotApplicable:
        """What the server asked of the database meanwhile, those first that took the most time."""
        if self.eyes.statements_url is None:
            return NotApplicable(reason=_ELSEWHERE)
        return statements.table(statements.between(self._statements_before, self._statements_after))

    @cached_property
    def database_after(self) -> Counters | None:
        """Read when it is first asked for, the later the better: see `Counters`."""
        return _counters(self.eyes.admin_url)

    @property
    def counted(self) -> Difference | NotApplicable:
        """What the server counted meanwhile."""
        if self.before is None or self.after is None:
            return NotApplicable(reason=_UNTOLD)
        if len(self._processes) > 1:
            return NotApplicable(reason=_ANEW)
        return Difference(self.before, self.after)

    @property
    def deadlocks(self) -> Cell:
        return self._of_database("deadlocks")

    @property
    def rollbacks(self) -> Cell:
        return self._of_database("rollbacks")

    def _of_database(self, name: str) -> Cell:
        """How many, of all transactions that ended."""
        before, after = self.database_before, self.database_after
        if self.eyes.admin_url is None:
            return NotApplicable(reason=_ELSEWHERE)
        if before is None or after is None or sum(after) < sum(before):
            return NotApplicable(reason=_AWAY)
        ended = after.commits + after.rollbacks - before.commits - before.rollbacks
        return count(getattr(after, name) - getattr(before, name), max(1, ended))

    @property
    def inside(self) -> model.Inside:
        """As the report has it."""
        counted, sampler = self.counted, self.sampler
        known = counted if isinstance(counted, Difference) else None
        elsewhere = NotApplicable(reason=_ELSEWHERE)
        return model.Inside(
            spans=inside.spans(counted) if isinstance(counted, Difference) else counted,
            lanes=inside.lanes(counted) if isinstance(counted, Difference) else counted,
            usages=elsewhere if self.eyes.server is None else inside.usages(sampler.points),
            pool=inside.pool(counted, sampler.points) if isinstance(counted, Difference) else counted,
            locks=elsewhere if self.eyes.admin_url is None
            else inside.locks(known, sampler, (self.deadlocks, self.rollbacks)),
        )  # fmt: skip


@contextmanager
def watched(eyes: Eyes, last: Watched | None = None) -> Iterator[Watched]:
    """Watches as long as the block runs. `last`: the watch before this one, where its database's counters are taken up, so that
    what was handed in late is not lost in between."""
    seen = Watched(eyes, last)
    seen.sampler.start()
    try:
        yield seen
    finally:
        seen.end()


def _counters(admin_url: str | None) -> Counters | None:
    if admin_url is None:
        return None

    async def read(url: str) -> Counters:
        connection = await asyncpg.connect(url)
        try:
            return Counters(**dict(await connection.fetchrow(statement("evidence/counters")) or {}))
        finally:
            await connection.close()

    try:
        return asyncio.run(read(admin_url))
    except (*CONNECTION_LOST, asyncpg.PostgresError):
        return None

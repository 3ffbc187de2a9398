"""What a server, its database and the load's own program use up, each second, and who waits for locks, five times as often.
Looks from a thread of its own: at processes, at the database over one connection as its administrator, and now and then at
`/metrics`, which costs the server ten milliseconds.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

import asyncpg
import psutil

from holdfast.db.database import CONNECTION_LOST
from holdfast.proof.evidence.counted import Told
from holdfast.proof.machine import used
from holdfast.proof.statements import statement

_LOOK_SECONDS: Final = 0.2
_LOOKS_PER_SAMPLE: Final = 5
_LOOKS_PER_SCRAPE: Final = 25
_RATE_SECONDS_MIN: Final = 0.5
"""Processor time is told in hundredths of a second: over a shorter time one of them would look like a peak."""
_CONNECT_SECONDS: Final = 2.0
_MEGABYTE: Final = 1e6

Points = list[tuple[float, float]]


class Waits(NamedTuple):
    """Who was seen waiting for a lock."""

    kind: str
    relation: str
    mode: str


class Processes(NamedTuple):
    """By their first process; the database's is asked for each time, since one that was killed comes back as another. None:
    it cannot be seen from here."""

    server: int | None
    database: Callable[[], int | None]


class Sampler:
    """Runs from `start` to `stop`. `points` by name: seconds since the start, and a value; per cent of one processor,
    megabytes, operations a second."""

    def __init__(self, processes: Processes, admin_url: str | None, tell: Callable[[], Told | None]) -> None:
        self._processes, self._admin_url, self._tell = processes, admin_url, tell
        self.points: dict[str, Points] = {}
        self.waits: Counter[Waits] = Counter()
        self.looks_at_locks = 0
        self.looks_with_waits = 0
        self._began = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="sampler", daemon=True)
        self._connection: Any = None
        self._before: dict[str, tuple[float, float]] = {}

    def start(self) -> None:
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def note(self, name: str, value: float) -> None:
        self.points.setdefault(name, []).append((round(time.monotonic() - self._began, 3), value))

    async def _run(self) -> None:
        looks = 0
        try:
            while True:
                # The last sample is taken at the end, so that a short run has two.
                is_last = self._over.is_set()
                if is_last or looks % _LOOKS_PER_SAMPLE == 0:
                    self._look_at_processes()
                    await self._asked(self._operations)
                if is_last or looks % _LOOKS_PER_SCRAPE == 0:
                    await asyncio.to_thread(self._look_at_pool)
                await self._asked(self._locks)
                looks += 1
                if is_last:
                    return
                await asyncio.to_thread(self._over.wait, _LOOK_SECONDS)
        finally:
            if self._connection is not None:
                self._connection.terminate()

    def _look_at_processes(self) -> None:
        server, database = self._processes.server, self._processes.database()
        for name, pid in (("server", server), ("database", database)):
            if pid is not None:
                with suppress(psutil.Error):
                    self._rate(f"{name}_cpu", 100 * used(pid))
                    self.note(f"{name}_memory", _bytes(pid) / _MEGABYTE)
        self._rate("generator_cpu", 100 * _used_by_load({server, database}))

    def _look_at_pool(self) -> None:
        told = self._tell()
        if told is None:
            return
        for name, sample, labels in (
            ("active", "holdfast_pool_connections", {"state": "busy"}),
            ("idle", "holdfast_pool_connections", {"state": "idle"}),
            ("waiting", "holdfast_pool_waiting", {}),
        ):
            value = told.value(sample, **labels)
            if value is not None:
                self.note(name, value)

    def _rate(self, name: str, total: float) -> None:
        """Notes by how much something that only grows has grown a second. What was killed begins anew: no sample."""
        now, before = time.monotonic(), self._before.get(name)
        if before is not None and now - before[0] < _RATE_SECONDS_MIN:
            return
        self._before[name] = now, total
        if before is not None and total >= before[1]:
            self.note(name, round((total - before[1]) / (now - before[0]), 3))

    async def _asked(self, ask: Callable[[], Any]) -> None:
        """Asks the database, if it can be asked now."""
        if self._admin_url is None:
            return
        try:
            if self._connection is None:
                self._connection = await asyncpg.connect(self._admin_url, timeout=_CONNECT_SECONDS)
            await ask()
        except (*CONNECTION_LOST, asyncpg.PostgresError):
            if self._connection is not None:
                self._connection.terminate()
            self._connection = None

    async def _operations(self) -> None:
        row = await self._connection.fetchrow(statement("evidence/operations"))
        self._rate("disk_reads", float(row["reads"]))
        self._rate("disk_writes", float(row["writes"]))

    async def _locks(self) -> None:
        rows = await self._connection.fetch(statement("evidence/locks_waited"))
        for row in rows:
            self.waits[Waits(row["kind"], row["relation"], row["mode"])] += row["n"]
        self.looks_at_locks += 1
        self.looks_with_waits += bool(rows)


def _used_by_load(others: set[int | None]) -> float:
    """Processor seconds of this process and those it has started, without the server and the database, which it may have
    started as well."""
    own = psutil.Process()
    times = [own.cpu_times()]
    left = [each for each in own.children() if each.pid not in others]
    while left:
        process = left.pop()
        with suppress(psutil.Error):
            times.append(process.cpu_times())
            left += [each for each in process.children() if each.pid not in others]
    return float(sum(each.user + each.system for each in times))


def _bytes(pid: int) -> float:
    """Of a process and all that it started; what they share counts once (where the system tells what is shared)."""
    process = psutil.Process(pid)
    own, shared = 0, 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            told = one.memory_info()
            common = getattr(told, "shared", 0)
            own, shared = own + told.rss - common, max(shared, common)
    return float(own + shared)

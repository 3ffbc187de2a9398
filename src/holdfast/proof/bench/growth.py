"""What `holdfast bench --large` measures on: three clusters that differ in how much is stored, filled past the lanes by
COPY (seed/bulk.py) with everything that booking each visit would have left. Measures nothing but the filling.

The measured organizations are alike in all but their size: each has S4's clinic of 10 rooms and 50 practitioners, its
policy and its service, and for every 50,000 stored visits a clinic more of the same kind. Stored visits fill the rooms from 8
to 18 o'clock, Monday to Friday, half of them in the past; S4's bookings want all ten rooms at once, so they keep out of
these hours. But they are in the same rooms, of the same people, on the same days and beside them in the same indexes: what
a booking reads of a day, and the pages that its claims go to, are those of a clinic in use.
"""

import asyncio
import base64
import shutil
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import msgspec

from holdfast.db.engine import Engine
from holdfast.plain import PlainError
from holdfast.proof.bench import data as bench_data
from holdfast.proof.bench.data import CLINIC_ROOMS, EMPTY, Organization, Size
from holdfast.proof.statements import statement

VISITS_MIN = 20_000
"""Below this a tenth of it would not be weeks of visits."""
_CLINIC_VISITS = 50_000
_WEEK_VISITS = 5 * CLINIC_ROOMS * 10
"""As the fill has it: ten visits a day in each room."""
_FEW, _SMALL_MAX = 1_000, 100_000
_AT_ONCE = 2
"""Organizations that are filled side by side; more would wait for the two processors that the goals are about."""
_VISIT_BYTES, _LOG_VISIT_BYTES, _LOG_BYTES_MAX, _CLUSTER_BYTES = 5_100, 7_000, 9 << 30, 2 << 30
"""Of disk: a stored visit with all its rows and indexes (4,960 measured at 300,000 in 20 organizations), what it leaves in
the log, the log that is kept while loading, and a cluster without visits whose log has been warmed."""


Fill = Callable[[str, str, int, int], Awaitable[object]]
"""Fills an organization's empty calendar, given the owner's URL, the organization, how many visits, and the instant in the
middle of them: `seed/bulk.py: fill`, which whoever calls brings along, since proof stands outside of what makes it."""


class GrowthError(PlainError):
    """So much cannot be loaded here; the message says why."""


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored in one cluster. `beside`: the visits of each of the organizations that are not measured."""

    name: str
    measured: list[Size]
    beside: list[int] = []

    @property
    def visits(self) -> int:
        return sum(size.visits for size in self.measured) + sum(self.beside)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What filling a cluster took. `bytes`: of the database, without the log; of each visit, what is more than before."""

    cluster: str
    organizations: int
    visits: int
    seconds: float
    per_second: float
    settling_seconds: float
    bytes: int
    bytes_per_visit: float


def empty_name(number: int) -> str:
    """The organization without visits in which the round of this number books."""
    return f"{EMPTY.name} {number}"


def clusters(visits: int, organizations: int, rounds: int) -> tuple[Cluster, Cluster, Cluster]:
    """The empty, the small and the large one. `visits` are stored in the large one, a tenth of them (in whole weeks) in
    the measured organization and the rest in the others alike. Raises GrowthError."""
    if visits < VISITS_MIN or organizations < 2:
        raise GrowthError(f"A run needs {VISITS_MIN:,} visits and 2 organizations at least.")
    tenth = _size(EMPTY.name, visits // 10)
    each, over = divmod(visits - tenth.visits, organizations - 1)
    return (
        # An empty organization for each round, since what one has booked would lie before the next; and beside them the
        # one that reads at 1,000 visits are measured on.
        Cluster(
            name="empty", measured=[*(_size(empty_name(n), 0) for n in range(rounds)), _size("1k", _FEW)]
        ),
        Cluster(name="small", measured=[_size(EMPTY.name, min(_SMALL_MAX, visits // 10))]),
        Cluster(name="large", measured=[tenth], beside=[each + (n < over) for n in range(organizations - 1)]),
    )


def _size(name: str, visits: int) -> Size:
    """A measured organization of about so many visits: in whole weeks, as many before the day of the run as after."""
    clinics = _clinics(visits)
    return msgspec.structs.replace(
        EMPTY, name=name, clinics=clinics, weeks=visits // (2 * clinics * _WEEK_VISITS) * 2, week_visits=_WEEK_VISITS,
        out_of_hours=True,
    )  # fmt: skip


def _beside(number: int, visits: int) -> Size:
    return Size(
        name=f"beside {number}",
        clinics=_clinics(visits),
        patients_each=EMPTY.patients_each,
        weeks=0,
        minutes=15,
    )


def _clinics(visits: int) -> int:
    return max(1, -(-visits // _CLINIC_VISITS))


def disk_bytes(visits: int) -> int:
    """What a run with so many visits in the large cluster takes at the most."""
    log = min(_LOG_BYTES_MAX, visits * _LOG_VISIT_BYTES)
    return (visits + _SMALL_MAX) * _VISIT_BYTES + log + 3 * _CLUSTER_BYTES


def refuse_without_space(folder: Path, visits: int) -> None:
    """Raises GrowthError."""
    free, needed = shutil.disk_usage(folder).free, disk_bytes(visits)
    if free < needed:
        raise GrowthError(
            f"{visits:,} visits need {needed / 1e9:.0f} GB in {folder}, where {free / 1e9:.0f} GB are free: ask for fewer "
            "(--visits)."
        )


async def fill(
    engine: Engine, secret: str, cluster: Cluster, seed: int, fill_one: Fill, progress: Callable[[str], None]
) -> tuple[list[Organization], Load]:
    """Makes and fills the organizations of a cluster, the measured ones first, and lets it settle. Returns those that are
    measured."""
    today = datetime.now(UTC)
    # Monday of this week: as many whole weeks of visits lie before it as from it on.
    monday = datetime.combine(today.date() - timedelta(days=today.weekday()), datetime.min.time(), UTC)
    connection = await asyncpg.connect(engine.admin_url)
    try:
        sizes = cluster.measured + [_beside(n, visits) for n, visits in enumerate(cluster.beside, 1)]
        made = [await _made(connection, size, base64.b64decode(secret), monday, seed) for size in sizes]
        counts = [size.visits for size in cluster.measured] + cluster.beside
        bytes_before = await connection.fetchval(statement("database_bytes"))
        await connection.execute(statement("load_log_larger"))
        await connection.execute(statement("reload_settings"))
        began = time.monotonic()
        await _loaded(engine.admin_url, list(zip(made, counts, strict=True)), monday, fill_one, progress)
        loaded = time.monotonic()
        await connection.execute(statement("load_log_as_set"))
        await connection.execute(statement("reload_settings"))
        await bench_data.settle(connection)
        size_bytes = await connection.fetchval(statement("database_bytes"))
    finally:
        await connection.close()
    seconds, visits = loaded - began, cluster.visits
    return made[: len(cluster.measured)], Load(
        cluster=cluster.name, organizations=len(made), visits=visits, seconds=round(seconds, 1),
        per_second=round(visits / seconds, 1), settling_seconds=round(time.monotonic() - loaded, 1),
        bytes=size_bytes, bytes_per_visit=round((size_bytes - bytes_before) / visits, 1),
    )  # fmt: skip


async def _made(connection: Any, size: Size, key: bytes, monday: datetime, seed: int) -> Organization:
    """An organization that has everything but its visits; half of its patients have an authorization."""
    stored_from = monday - timedelta(days=7 * (size.weeks // 2))
    made = await bench_data.make(connection, size, key, bench_data.monday(monday), seed, stored_from)
    chance = Random(f"{seed} funds of {size.name}")  # noqa: S311 - the same data for the same seed
    ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(2 + len(made.patients) // 2)]
    await connection.execute(statement("bench_funded"), made.id, *ids[:2], made.patients, ids[2:])
    return made


async def _loaded(
    admin_url: str,
    planned: list[tuple[Organization, int]],
    monday: datetime,
    fill_one: Fill,
    progress: Callable[[str], None],
) -> None:
    waiting, visits, done = iter(planned), sum(count for _, count in planned), 0

    async def one_after_the_other() -> None:
        nonlocal done
        for organization, count in waiting:
            if count:
                await fill_one(admin_url, organization.id, count, int(monday.timestamp()))
            before, done = done, done + count
            if done * 10 // visits > before * 10 // visits:
                progress(f"{done:,} of {visits:,} visits are stored.")

    await asyncio.gather(*(one_after_the_other() for _ in range(_AT_ONCE)))

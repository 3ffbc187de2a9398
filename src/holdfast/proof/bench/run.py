"""`holdfast bench`: what this machine's database and Python can do at the most, and what share of it Holdfast reaches.

Everything runs on an engine of its own, made for this and thrown away: on a real disk, with full durability, on
loopback. Yardsticks and measures alternate in rounds, so that a drift of the machine meets both; what is reported is
the median of the rounds, and a ratio is the median of each round's own. Decides nothing about the product.
"""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import asyncpg
import msgspec
import psutil

from holdfast import secrets
from holdfast.db import engine as embedded
from holdfast.db.engine import SERVER_ROLE, Engine
from holdfast.db.migrate import migrate
from holdfast.plain import PlainError
from holdfast.proof import bare, isolation, machine, pgbench, serving
from holdfast.proof.bench import data as bench_data
from holdfast.proof.bench.cache import cache_effect
from holdfast.proof.bench.data import Organization, Requests
from holdfast.proof.bench.live import change_seen, start_and_book
from holdfast.proof.bench.report import Database, Report, goals, table
from holdfast.proof.bench.rounds import Measured, Rounds
from holdfast.proof.bench.rules import ROOMS, rules_alone
from holdfast.proof.bench.search import other_slots, without_alternatives
from holdfast.proof.bench.units import ORGANIZATIONS, UnitRequests, unlike_units
from holdfast.proof.statements import statement
from holdfast.settings import Settings

CLIENTS = 50
ROUNDS = 3
SEED = 1
NAMES = (
    "Y1", "Y2", "Y3", "Y4", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "ISOLATION",
)  # fmt: skip
_NEEDS = (
    ("S1", "Y1"), ("S1", "Y4"), ("S2", "Y2"), ("S3", "Y2"), ("S12", "S4"), ("S5", "S4"), ("S4", "Y3"), ("S7", "Y4"),
    ("S8", "Y4"),
)  # fmt: skip
"""What each is compared with; memory (S12) is that of a server which has worked."""
_UNITS = frozenset({"S1", "S2", "S3", "ISOLATION"})
_PREFIX = "holdfast-bench-"
_PARENTS = (Path("/var/tmp"), Path(tempfile.gettempdir()))  # noqa: S108 - /var/tmp is the one kept on disk
PROFILE = (
    ("HOLDFAST_REQUESTS_PER_MINUTE_USER", "1000000000"),
    ("HOLDFAST_REQUESTS_PER_MINUTE_ORGANIZATION", "1000000000"),
    ("HOLDFAST_ACCESS_TOKEN_SECONDS", "86400"),
)
"""What differs from a server as installed: rate limits lifted, and a token that outlives the run."""

Progress = Callable[[str], None]


class BenchError(PlainError):
    """The bench cannot run here; the message says why."""


def run(
    out: Path,
    seconds: float,
    progress: Progress,
    only: str = "",
    write: Callable[[str], object] = sys.stdout.write,
) -> int:
    """Measures and prints; the figures go as JSON to `out` (a folder, or a file ending in .json).

    0: every goal measured is met; 1: one is missed; 2: a figure is invalid.
    """
    wanted = _wanted(only)
    with stopped_by_signals(), home_on_disk(progress) as home:
        bench = _Bench(home, seconds, wanted, progress)
        report = bench.run()
    return finish(report, out, write)


def finish(report: Report, out: Path, write: Callable[[str], object]) -> int:
    """Keeps a report as JSON and prints it. Returns the exit code of `run`."""
    file = out if out.suffix == ".json" else out / f"{report.at:%Y%m%d-%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    write(table(report) + f"\nRaw figures: {file}\n")
    if any(goal.verdict == "invalid" for goal in report.goals) or report.invalid:
        return 2
    return 1 if any(goal.verdict == "missed" for goal in report.goals) else 0


def _wanted(only: str) -> frozenset[str]:
    """The names asked for with the yardsticks they need. Raises BenchError."""
    names = {name.strip().upper() for name in only.split(",") if name.strip()} or set(NAMES)
    for name in sorted(names - set(NAMES)):
        raise BenchError(f"There is no {name} to measure: {', '.join(NAMES)}.")
    for name, needed in _NEEDS:
        if name in names:
            names.add(needed)
    return frozenset(names)


@contextmanager
def home_on_disk(progress: Progress) -> Iterator[Path]:
    """A new engine's home on a disk. What a killed run left behind is stopped and thrown away first."""
    parent = folder_on_disk()
    for left in parent.glob(f"{_PREFIX}*"):
        number = left.name.removeprefix(_PREFIX).split("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            _discard(left, progress)
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{psutil.Process().pid}-", dir=parent))
    # As root the engine's account passes through; everything inside is closed one by one.
    home.chmod(0o711)
    try:
        yield home
    finally:
        _discard(home, progress)


def folder_on_disk() -> Path:
    """Where homes are made. Raises BenchError."""
    parent = next((one for one in _PARENTS if one.is_dir() and not machine.is_in_memory(one)), None)
    if parent is None:
        raise BenchError("No folder for temporary data lies on a disk: in memory nothing here would be true.")
    return parent


def _discard(home: Path, progress: Progress) -> None:
    if (home / "data" / "postmaster.pid").exists():
        with suppress(embedded.EngineError), embedded.running(home, progress):
            pass  # adopts what runs there, so that leaving stops it
    shutil.rmtree(home, ignore_errors=True)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM unwinds like Ctrl-C, so that what was started is stopped."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Bench:
    """One run of the command."""

    def __init__(self, home: Path, seconds: float, wanted: frozenset[str], progress: Progress) -> None:
        self.home, self.seconds, self.wanted, self.progress = home, seconds, wanted, progress
        self.profile = dict(PROFILE)

    def run(self) -> Report:
        report = Report(
            at=datetime.now(UTC), commit=machine.commit(), machine=machine.machine(self.home), seed=SEED,
            clients=CLIENTS, rounds=ROUNDS, seconds=self.seconds, profile=self.profile,
        )  # fmt: skip
        if "S6" in self.wanted:
            self.progress("S6: rules alone.")
            report.rules_alone = [rules_alone(count, SEED) for count in ROOMS]
        with embedded.running(self.home, self.progress) as engine:
            secret = migrated(engine, self.progress)
            sizes = self._sizes()
            report.database = asyncio.run(_prepared(engine, sizes))
            refuse_undurable(report.database)
            self.progress(f"Filling: {sum(size.visits for size in sizes):,} visits.")
            made = asyncio.run(bench_data.fill(engine.admin_url, secret, sizes, SEED))
            report.measures, requests = self._rounds(engine, made, report)
            if requests is not None:
                report.faults += asyncio.run(unlike(engine, requests))
            if requests is not None and "S12" in self.wanted:
                self.progress("S12: starting on a running database.")
                report.start_seconds = start_and_book(self.home, self.profile, requests)
        # Now the engine is stopped, and starting the server starts it too.
        if requests is not None and "S12" in self.wanted:
            self.progress("S12: starting with the database.")
            report.cold_start_seconds = start_and_book(self.home, self.profile, requests)
        report.goals = goals(report)
        return report

    def _sizes(self) -> list[bench_data.Size]:
        reading = self.wanted & {"S7", "S8"}
        searched = [bench_data.HALF_FULL] if "S9" in self.wanted else []
        in_use = [bench_data.IN_USE] if "S10" in self.wanted else []
        units = ORGANIZATIONS if self.wanted & _UNITS else ()
        weeks = (bench_data.SMALL, bench_data.LARGE) if reading else ()
        return [bench_data.EMPTY, *weeks, *searched, *in_use, *units]

    def _rounds(
        self, engine: Engine, made: dict[str, Organization], report: Report
    ) -> tuple[list[Measured], Requests | None]:
        with ExitStack() as stack:
            measured_http = self.wanted & {*_UNITS, "S4", "S5", "S7", "S8", "S9", "S10", "S11", "S12"}
            requests: dict[str, Requests] = {}
            server = None
            if measured_http:
                server = stack.enter_context(serving.holdfast(self.home, self.profile))
                server.wait_until_answers("/health/ready")
                for name, organization in made.items():
                    token = serving.sign_in(server, organization.credentials)
                    requests[name] = Requests(organization, token, server.host_header, SEED)
            bare_server = None
            if "Y4" in self.wanted:
                if lacking := bare.missing():
                    report.not_applicable["Y4"] = (
                        f"{', '.join(lacking)} not installed (development group only): no bare server to compare with"
                    )
                else:
                    bare_server = stack.enter_context(serving.bare(self.home))
            rounds = Rounds(
                self.home, engine, server, bare_server, requests, self.wanted, self.seconds, CLIENTS, SEED
            )
            for number in range(ROUNDS):
                for name in rounds.names:
                    self.progress(f"Round {number + 1} of {ROUNDS}: {name}.")
                    rounds.measure(name)
            if server is not None:
                report.memory = rounds.memory_max
                if "S4" in self.wanted:
                    report.cache = asyncio.run(cache_effect(engine.admin_url, server, requests["bookings"]))
                if self.wanted & _UNITS:
                    report.faults += asyncio.run(_unlike_units(engine, rounds.units))
                if "ISOLATION" in self.wanted:
                    self.progress("Isolation: one authorization, three ways.")
                    report.isolations = isolation.compare(
                        engine, server, rounds, requests[ORGANIZATIONS[0].name], CLIENTS, self.seconds
                    )
                    report.faults += [
                        f"{one.name}: not exact" for one in report.isolations if not one.is_exact
                    ]
                if "S5" in self.wanted:
                    report.faults += without_alternatives(server, requests["bookings"])
                if "S9" in self.wanted:
                    self.progress("S9: comparing with the stored claims, one start after the other.")
                    report.faults += asyncio.run(
                        other_slots(engine.admin_url, server, requests[bench_data.HALF_FULL.name])
                    )
                if "S11" in self.wanted:
                    self.progress("S11: 200 open calendars.")
                    report.change_seen = change_seen(self.home, server, requests["bookings"], self.seconds)
            return rounds.measured, requests.get("bookings")


def migrated(engine: Engine, progress: Progress) -> str:
    """The schema, the server's role and the secret, as `holdfast serve` finds them."""
    password = secrets.server_password(engine.home)
    asyncio.run(migrate(engine.admin_url, SERVER_ROLE, password, progress, Settings()))
    return secrets.text(secrets.secret(Settings(), engine.home))


def refuse_undurable(database: Database) -> None:
    """Raises BenchError."""
    for fault in database.not_durable:
        raise BenchError(f"{fault} on this engine: figures without durability say nothing.")


async def database_facts(connection: asyncpg.Connection) -> Database:
    """What the engine says it is set to, now. Raises BenchError."""
    row = await connection.fetchrow(statement("database_facts"))
    if row is None:
        raise BenchError("The engine does not say what it is set to.")
    return Database(
        version=row["version"], settings=msgspec.json.decode(row["settings"], type=dict[str, str])
    )


async def unlike(engine: Engine, requests: Requests) -> list[str]:
    """Whether what is stored is other than what was filled and granted."""
    connection = await asyncpg.connect(engine.admin_url)
    try:
        stored = await connection.fetchval(statement("stored_appointments"), requests.organization_id)
    finally:
        await connection.close()
    before, wanted = requests.organization.size.visits, requests.booked + requests.won
    if stored == before + wanted:
        return []
    granted = f"{requests.booked} bookings were asked for and {requests.won} won in races"
    return [f"{granted}, {stored} visits are stored where there were {before}"]


async def _unlike_units(engine: Engine, requests: UnitRequests) -> list[str]:
    connection = await asyncpg.connect(engine.admin_url)
    try:
        return await unlike_units(connection, requests)
    finally:
        await connection.close()


async def _prepared(engine: Engine, sizes: list[bench_data.Size]) -> Database:
    """The yardsticks' database and tables, as full as Holdfast's will be; what the engine is set to."""
    connection = await asyncpg.connect(engine.admin_url)
    try:
        await connection.execute(statement("create_database"))
        database = await database_facts(connection)
    finally:
        await connection.close()
    connection = await asyncpg.connect(engine.url_for(embedded.OWNER, engine.password, pgbench.DATABASE))
    try:
        await connection.execute(statement("yardstick_tables"))
        for size in sizes:
            if size in (bench_data.HALF_FULL, bench_data.IN_USE):
                continue  # an organization beside those that are compared with a yardstick
            await connection.execute(
                statement("yardstick_bookings"), size.clinics, size.weeks, bench_data.CLINIC_PRACTITIONERS,
                size.patients_each,
            )  # fmt: skip
        await connection.execute(statement("settle"))
    finally:
        await connection.close()
    return database

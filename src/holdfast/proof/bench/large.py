"""`holdfast bench --large`: what growth costs. The same work is done on three clusters that differ in what is stored: none,
100,000 visits, and ten million. All three run at the same time, each with a server of its own, and take turns within each
round: so a drift of the machine meets all alike, and a ratio needs no yardstick beside it. Only one of them works at a time.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec

from holdfast.db import engine as embedded
from holdfast.db.engine import Engine
from holdfast.proof import machine, serving
from holdfast.proof.bench import growth as bench_growth
from holdfast.proof.bench import run as bench
from holdfast.proof.bench.data import EMPTY, Organization, Requests
from holdfast.proof.bench.growth import Cluster, Fill
from holdfast.proof.bench.report import Database, Report, goals
from holdfast.proof.bench.rounds import Measured, Round, Rounds

ROUNDS = 3
"""No more: what each round books stays, and 100,000 visits must not become 200,000."""
_WARM_READS_MAX = 8
_STEADY = 1.1
"""Reads warm up until they are faster than the time before by less than that: a clinic's pages are in memory at work."""


def run(
    out: Path,
    seconds: float,
    visits: int,
    organizations: int,
    fill: Fill,
    progress: bench.Progress,
    write: Callable[[str], object] = sys.stdout.write,
) -> int:
    """Fills, measures and prints; `out` and the exit code as of `bench.run`. Raises BenchError, GrowthError."""
    clusters = bench_growth.clusters(visits, organizations, 1 + ROUNDS)
    bench_growth.refuse_without_space(bench.folder_on_disk(), visits)
    with bench.stopped_by_signals(), ExitStack() as stack:
        homes = [stack.enter_context(bench.home_on_disk(progress)) for _ in clusters]
        report = Report(
            at=datetime.now(UTC), commit=machine.commit(), machine=machine.machine(homes[0]), seed=bench.SEED,
            clients=bench.CLIENTS, rounds=ROUNDS, seconds=seconds, profile=dict(bench.PROFILE),
        )  # fmt: skip
        # The largest first: what the page cache holds of the small ones would not outlive its load.
        running = {
            cluster.name: _filled(stack, home, cluster, fill, report, progress)
            for home, cluster in zip(homes, reversed(clusters), strict=True)
        }
        _measure(stack, running, report, progress)
        report.goals = goals(report)
    return bench.finish(report, out, write)


class _Running(msgspec.Struct):
    """A cluster that is filled, with its engine; its server comes with the rounds."""

    home: Path
    cluster: Cluster
    engine: Engine
    organizations: list[Organization]

    def rounds(self, stack: ExitStack, seconds: float) -> tuple[Rounds, dict[str, Requests]]:
        """Starts the server of this cluster."""
        server = stack.enter_context(serving.holdfast(self.home, dict(bench.PROFILE)))
        server.wait_until_answers("/health/ready")
        requests = {
            each.size.name: Requests(
                each, serving.sign_in(server, each.credentials), server.host_header, bench.SEED
            )
            for each in self.organizations
        }
        nothing: frozenset[str] = frozenset()
        rounds = Rounds(
            self.home, self.engine, server, None, requests, nothing, seconds, bench.CLIENTS, bench.SEED
        )
        return rounds, requests


def _filled(
    stack: ExitStack, home: Path, cluster: Cluster, fill: Fill, report: Report, progress: bench.Progress
) -> _Running:
    """Starts the engine of this cluster. Raises BenchError if it is not durable after the load."""
    with embedded.running(home, progress) as engine:
        secret = bench.migrated(engine, progress)
        progress(f"Filling the {cluster.name} cluster: {cluster.visits:,} visits.")
        made, load = asyncio.run(bench_growth.fill(engine, secret, cluster, bench.SEED, fill, progress))
        report.loads.append(load)
    # Started anew, as any that has grown in years was: it has memory by what is stored (db/engine_memory.py).
    engine = stack.enter_context(embedded.running(home, progress))
    facts = asyncio.run(_facts(engine))
    bench.refuse_undurable(facts)
    report.database = report.database or facts
    return _Running(home, cluster, engine, made)


async def _facts(engine: Engine) -> Database:
    connection = await asyncpg.connect(engine.admin_url)
    try:
        return await bench.database_facts(connection)
    finally:
        await connection.close()


def _warm_up(take: Callable[[], Round], most: int) -> None:
    """Every engine has just been started: what it has read since is not what it has in memory after a morning's work."""
    before = 0.0
    for _ in range(most):
        rate = take().per_second
        if rate < before * _STEADY:
            return
        before = rate


def _measure(
    stack: ExitStack, running: dict[str, _Running], report: Report, progress: bench.Progress
) -> None:
    """Reads in all rounds, then bookings: which would otherwise lie in the weeks that are read, and differently many."""
    started = {name: one.rounds(stack, report.seconds) for name, one in running.items()}
    rounds = {name: one for name, (one, _) in started.items()}
    large, few, booked = running["large"].cluster, "1k", EMPTY.name
    empties = (bench_growth.empty_name(number) for number in range(1 + ROUNDS))
    stored = f"{large.visits:,} visits"
    reads: list[tuple[str, str, Callable[[], Round]]] = [
        ("S7 1k", "conflict check, 1,000 visits", lambda: rounds["empty"].reads(few, "conflicts")),
        ("S7 large", f"conflict check, {stored}", lambda: rounds["large"].reads(booked, "conflicts")),
        ("S8 1k", "week of one clinic, page 50, 1,000 visits", lambda: rounds["empty"].reads(few, "weeks")),
        ("S8 large", f"week of one clinic, {stored}", lambda: rounds["large"].reads(booked, "weeks")),
    ]
    bookings: list[tuple[str, str, Callable[[], Round]]] = [
        ("S4 empty", "book, no visits stored", lambda: rounds["empty"].bookings(next(empties))),
        ("S4 small", f"book, {running['small'].cluster.visits:,} visits", rounds["small"].bookings),
        ("S4 large", f"book, {stored}", rounds["large"].bookings),
    ]
    for measures in (reads, bookings):
        for name, _, take in measures:
            progress(f"Warming up: {name}.")
            _warm_up(take, 1 if measures is bookings else _WARM_READS_MAX)
        taken = [(Measured(name=name, what=what), take) for name, what, take in measures]
        report.measures += [measured for measured, _ in taken]
        for number in range(ROUNDS):
            # Every other round backwards: none is always the one after the largest.
            for measured, take in taken[:: 1 if number % 2 == 0 else -1]:
                progress(f"Round {number + 1} of {ROUNDS}: {measured.name}.")
                measured.rounds.append(take())
    report.memory = rounds["large"].memory_max
    for name, (_, requests) in started.items():
        for each in requests.values():
            faults = asyncio.run(bench.unlike(running[name].engine, each))
            report.faults += [f"{name}: {fault}" for fault in faults]

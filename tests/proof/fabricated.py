"""A whole run of a proof, made up: the tests of the report change one thing of it and look what follows."""

import math
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from holdfast.proof.machine import Commit, Machine
from holdfast.proof.report import blanks
from holdfast.proof.report.figures import count, distribution, figure, share, usage
from holdfast.proof.report.model import (
    Answer,
    Balance,
    Bin,
    Comparison,
    Curve,
    Database,
    Fact,
    Figure,
    Floor,
    HistoryCheck,
    IndexUse,
    Inside,
    InvariantQuery,
    InvariantRows,
    LaneBatches,
    Load,
    Locks,
    Mark,
    Named,
    NotApplicable,
    Plan,
    PlanPair,
    Pool,
    Profile,
    Run,
    Scenario,
    Series,
    Span,
    Table,
    Threshold,
    Timing,
    Unit,
    Usage,
    Window,
)

STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECONDS = 60
N = 3000
INVARIANTS = ("claims_overlap", "units_within_total", "events_without_gap", "audit_chain")
LIMITS: dict[str, tuple[Comparison, float, Unit, float, bool]] = {
    "granted": ("exactly", 5, "count", 5, True),
    "mean": ("below", 100, "ms", 22, False),
    "p95": ("below", 100, "ms", 31, False),
    "p99": ("below", 300, "ms", 95, False),
    "throughput": ("at_least", 20, "per_second", 25, False),
    "detection_p95": ("below", 50, "ms", 19, False),
    "evaluation_p95": ("below", 50, "ms", 0.8, False),
    "cache_hit_rate": ("at_least", 80, "%", 99.2, False),
    "alternatives_bookable": ("exactly", 100, "%", 100, True),
    "error_rate": ("below", 2, "%", 0, False),
    "knee": ("at_least", 20, "per_second", 2100, False),
    "memory_growth": ("at_most", 5, "%", 1.2, False),
    "latency_growth": ("at_most", 10, "%", 3.5, False),
    "hard_filters": ("exactly", 100, "%", 100, True),
    "soft_order": ("exactly", 100, "%", 100, True),
}
"""By the name of a threshold: what it is, what was measured, and whether it is a law. Any other is a law of nothing found."""
WORDS = {
    "authenticate": "Who asks is authenticated", "lane_wait": "It waits in the lane", "facts": "Facts are read",
    "rules": "Rules are asked", "write": "Rows are written", "committing": "The commit is flushed",
    "server_cpu": "Processor, server", "database_cpu": "Processor, database",
    "generator_cpu": "Processor, load generator", "server_memory": "Memory, server",
    "database_memory": "Memory, database", "disk_reads": "Disk reads", "disk_writes": "Disk writes",
}  # fmt: skip


def seconds(chance: random.Random, middle_ms: float, n: int = N) -> list[float]:
    return [chance.lognormvariate(math.log(middle_ms / 1000), 0.45) for _ in range(n)]


def line(chance: random.Random, level: float, spread: float = 0.15) -> list[tuple[float, float]]:
    return [(float(at), max(0.0, level * chance.gauss(1, spread))) for at in range(SECONDS)]


def threshold(name: str) -> Threshold:
    comparison, limit, unit, measured, is_law = LIMITS.get(name, ("at_most", 0, "count", 0, True))
    return Threshold(
        name=name, what=name.replace("_", " "), comparison=comparison, limit=limit, unit=unit,
        measured=figure(measured, unit, N), source="seed" if not is_law else "ours",
        reference="seed 001, scenario 1", is_law=is_law,
        evidence="database" if name in {"deadlocks", "double_bookings"} else "http",
    )  # fmt: skip


def usages(chance: random.Random) -> tuple[Usage, ...]:
    level: dict[str, tuple[Unit, float]] = {
        "server_cpu": ("%", 62), "database_cpu": ("%", 48), "generator_cpu": ("%", 21), "server_memory": ("mb", 118),
        "database_memory": ("mb", 402), "disk_reads": ("per_second", 2), "disk_writes": ("per_second", 310),
    }  # fmt: skip
    return tuple(
        usage(name, WORDS[name], level[name][0], line(chance, level[name][1])) for name in blanks.USAGES
    )


def inside(chance: random.Random) -> Inside:
    middles = {
        "authenticate": 0.02, "lane_wait": 9, "facts": 1.1, "rules": 0.7, "write": 3.2, "committing": 1.4
    }  # fmt: skip
    whole = sum(middles.values())
    return Inside(
        spans=tuple(
            Span(
                name=name, what=WORDS[name], distribution=distribution(seconds(chance, middle)),
                share=figure(100 * middle / whole, "%", N),
            )
            for name, middle in middles.items()
        ),
        lanes=LaneBatches(
            n=400, mean=figure(7.5, "count", 400), max=count(31, 400),
            bins=tuple(Bin(upto=size, n=int(90 * math.exp(-((size - 7) ** 2) / 40)) + 1) for size in range(1, 32)),
        ),
        usages=usages(chance),
        pool=Pool(
            min=count(2, 1), max=count(10, 1), idle_timeout=figure(300, "s", 1),
            usages=tuple(
                usage(name, f"Connections {name}", "count", [(x, float(round(y))) for x, y in line(chance, level)])
                for name, level in (("active", 3.0), ("idle", 5.0), ("waiting", 0.0))
            ),
            acquisition=distribution(seconds(chance, 0.05)),
        ),
        locks=Locks(
            samples=SECONDS, waited=figure(12, "ms", SECONDS), deadlocks=count(0, N), rollbacks=count(3, N), retries=count(0, N)
        ),
    )  # fmt: skip


def scenario(name: str, **changed: Any) -> Scenario:
    """One of the proof's scenarios, in order; whatever is given is otherwise."""
    return msgspec.structs.replace(_scenario(name), **changed)


@cache
def _scenario(name: str) -> Scenario:
    chance = random.Random(name)
    granted, refused = (5, N - 5) if name == "contention" else (N - 400, 400)
    made = Scenario(
        name=name, title=f"{name.capitalize()}: what it is in a few words", reference="seed 000, scenario 1; seed 001",
        purpose="Fifty users book at once, and everything that was planned must be booked.",
        started=STARTED, seconds=SECONDS,
        load=Load(
            shape="open", asked="50 users, spawn 10/s, 2 minutes", users=50, spawn=figure(10, "per_second", 1),
            rate=figure(25, "per_second", N), planned=N, seconds=120, rounds=1, generator="driver",
            generator_cpu=figure(21.3, "%", SECONDS),
        ),
        data=(Named(name="rooms", what="Rooms", figure=count(10, 10)), Named(name="patients", what="Patients", figure=count(200, 200))),
        windows=(Window(what="Free room-time of the planned days", rows=4000),),
        balance=Balance(offered=N, granted=granted, refused_by_rule=refused, refused_by_overload=0, failed=0),
        answers=(Answer(status=201, code="granted", n=granted), Answer(status=409, code="no_room", n=refused)),
        floors=(Floor(what="Granted", least=5, reached=granted),),
        timings=(
            Timing(name="answer", what="From when a request was due to its answer", distribution=distribution(seconds(chance, 14))),
            Timing(name="room_assignment", what="Room assignment", distribution=distribution(seconds(chance, 0.9))),
        ),
        figures=tuple(
            Named(name=each, what=each.replace("_", " ").capitalize(), figure=_figure(each)) for each in blanks.FIGURES[name]
        ),
        thresholds=tuple(threshold(each) for each in blanks.THRESHOLDS[name]),
        series=(
            Series(name="offered", unit="per_second", points=tuple(line(chance, 25, 0.02))),
            Series(name="granted", unit="per_second", points=tuple(line(chance, 22, 0.05))),
            Series(name="p95", unit="ms", points=tuple(line(chance, 28))),
        ),
        inside=inside(chance),
        invariants=tuple(InvariantRows(name=each, rows=0, seconds=0.02) for each in INVARIANTS),
        history=HistoryCheck(operations=N, acknowledged=granted, refused=refused, unknown=0),
    )  # fmt: skip
    return msgspec.structs.replace(made, **_OWN.get(name, {}))


def _figure(name: str) -> Figure:
    if name in LIMITS:
        return figure(LIMITS[name][3], LIMITS[name][2], N)
    if name.endswith(("_rate", "_share", "_reduction")):
        return figure(12.5, "%", N)
    if name.endswith(("_mean", "_p95")):
        return figure(0.9, "ms", N)
    return count(0, N)


_CLIENTS = (1, 2, 5, 10, 20, 50, 100, 200)
_OWN: dict[str, dict[str, Any]] = {
    "contention": {
        "curves": (
            Curve(
                name="contention", title="Latency and goodput against clients", x_label="clients",
                lines=(
                    Series(name="p95", unit="ms", points=tuple((float(x), 2 + x * 0.21) for x in _CLIENTS)),
                    Series(name="goodput", unit="per_second", points=tuple((float(x), 8000 * x / (x + 9)) for x in _CLIENTS)),
                ),
            ),
        ),
    },
    "saturation": {
        "curves": (
            Curve(
                name="saturation", title="Answered and p99 against what was offered", x_label="offered, bookings a second",
                lines=(
                    Series(name="granted", unit="per_second", points=tuple((float(x), min(x, 2150.0)) for x in range(250, 3001, 250))),
                    Series(name="p99", unit="ms", points=tuple((float(x), 9 + 400 / (1 + math.exp((2300 - x) / 90))) for x in range(250, 3001, 250))),
                ),
                marks=(Mark(at=2100, label="the knee"),),
            ),
        ),
    },
    "isolation": {
        "tables": (
            Table(
                name="ways", title="Three ways to keep an authorization from being overspent",
                columns=("Way", "Granted", "A second", "p95", "Retries", "Processor time, database"),
                rows=(
                    ("SERIALIZABLE, retried", count(2000, 2000), figure(312, "per_second", 2000), figure(410, "ms", 2000), count(18211, 2000), figure(2900, "us", 2000)),
                    ("Row locked first", count(2000, 2000), figure(1403, "per_second", 2000), figure(48, "ms", 2000), count(0, 2000), figure(480, "us", 2000)),
                    ("The turn, in lanes", count(2000, 2000), figure(7420, "per_second", 2000), figure(11, "ms", 2000), count(0, 2000), figure(61, "us", 2000)),
                ),
            ),
        ),
    },
    "faults": {"marks": (Mark(at=20, label="server killed"), Mark(at=40, label="database killed"))},
}  # fmt: skip


def plan(name: str) -> PlanPair:
    return PlanPair(
        name=name, what=name.replace("_", " ").capitalize(), query=f"select * from {name} where organization_id = $1",
        index=f"{name}_index", rows=100_000,
        before=Plan(text="Seq Scan on claims  (cost=0.00..2041.00 rows=9)\n  Filter: <resource_id = $1>", time=figure(8.4, "ms", 5)),
        after=Plan(text="Index Scan using claims_pkey  (cost=0.42..8.44 rows=9)", time=figure(0.06, "ms", 5)),
        ratio=figure(140, "ratio", 5),
    )  # fmt: skip


def run(**changed: Any) -> Run:
    """A run of all scenarios in which everything holds; whatever is given is otherwise."""
    made = Run(
        started=STARTED, ended=STARTED + timedelta(minutes=31),
        commit=Commit(version="0.1.0", commit="0123456789abcdef0123456789abcdef01234567", is_changed=False),
        machine=Machine(
            system="Linux 6.8", processor="Some Processor at 2.6 GHz", processors=2, memory_mb=7800, python="CPython 3.11.7",
            load_before=0.2, file_system="ext4", fdatasync_median_ms=0.21,
        ),
        profile=Profile(name="full", what="The durations of the seeds", is_http_only=False, lifts={"HOLDFAST_RATE_LIMIT": "0"}),
        seed=1, versions={"holdfast": "0.1.0", "PostgreSQL": "18.6"},
        environment=tuple(Fact(name=each, value=f"The {each.replace('_', ' ')} of this machine") for each in blanks.ENVIRONMENT),
        database=Database(
            version="18.6", settings={"fsync": "on", "synchronous_commit": "on", "shared_buffers": "128MB"},
            plans=tuple(plan(each) for each in blanks.PLANS),
            indexes=(
                IndexUse(
                    name="claims_pkey", table="claims", serves="room availability", scans=count(81_220, 1),
                    tuples_read=count(91_000, 1), tuples_fetched=count(90_400, 1), size=figure(5_300_000, "bytes", 1),
                    share=share(81_220, 81_300),
                ),
            ),
            hot_paths=tuple(
                Named(
                    name=each, what=each.replace("_", " ").capitalize(),
                    figure=figure(0.8, "ms", N) if each != "calendar_push"
                    else NotApplicable(reason="Nothing is pushed to other calendars yet."),
                )
                for each in blanks.HOT_PATHS
            ),
        ),
        invariants=tuple(InvariantQuery(name=each, means=f"The law of {each}.", query=f"select * from {each}") for each in INVARIANTS),
        scenarios=tuple(scenario(each) for each in blanks.SCENARIOS),
        sizing=tuple(Fact(name=each, value="This machine as it is, one server process.") for each in blanks.SIZING),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changed)


def with_scenario(name: str, **changed: Any) -> Run:
    """A run of one scenario, of which something is otherwise."""
    return run(scenarios=(scenario(name, **changed),))


def storm(**changed: Any) -> Run:
    """A run of the storm alone; whatever is given is otherwise."""
    return run(**({"scenarios": (scenario("storm"),)} | changed))

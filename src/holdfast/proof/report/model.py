"""The report of a proof, whole: what was measured (`Run`), and what follows from it (`Report`). Every figure has its unit and
how many cases stand behind it; what cannot be measured says why. Nothing is left out or empty unless it has a default here:
see `blanks.py`. Measures nothing and derives nothing.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from holdfast.proof.machine import Commit, Machine

FORMAT: Final = 1
ESTIMATOR: Final = "nearest rank"

Unit = Literal[
    "ms", "us", "s", "%", "per_second", "count", "ratio", "bytes", "mb", "points", "mbit_per_second"
]
Comparison = Literal["below", "at_most", "at_least", "exactly"]
Source = Literal["seed", "ours"]
Evidence = Literal["http", "database"]


class Figure(msgspec.Struct, frozen=True, kw_only=True, tag="figure"):
    """A finite number. `n`: the samples it was estimated from, or the cases that were counted; at least one."""

    value: float
    unit: Unit
    n: int


class NotApplicable(msgspec.Struct, frozen=True, kw_only=True, tag="not_applicable"):
    """There is no such figure in this run, and the reason, as a sentence."""

    reason: str


Cell = Figure | NotApplicable
Words = str | NotApplicable


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A figure by the name under which `blanks.REQUIRED` asks for it, and what it is in a few words."""

    name: str
    what: str
    figure: Cell


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something known of the environment that is no number."""

    name: str
    value: Words


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """How many samples lie above the bin before it and at or below `upto`."""

    upto: float
    n: int


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """Of durations, in milliseconds. `bins` ascend, for the chart; of a sum alone there are none."""

    n: int
    mean: Cell
    p50: Cell
    p95: Cell
    p99: Cell
    max: Cell
    bins: tuple[Bin, ...] = ()
    estimator: str = ESTIMATOR


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """A duration that clients saw, or one of its parts."""

    name: str
    what: str
    distribution: Distribution


class Series(msgspec.Struct, frozen=True, kw_only=True, tag="series"):
    """A line of a chart: points of x (seconds since the start, if nothing else is said) and value, x ascending."""

    name: str
    unit: Unit
    points: tuple[tuple[float, float], ...]


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A place on a chart's x axis that has a name: the knee, a kill."""

    at: float
    label: str


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A chart whose x is not time: latency against clients, goodput against offered load. Each line has the axis of its unit."""

    name: str
    title: str
    x_label: str
    lines: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What is best compared side by side: ways of isolation, steps of load, sizes of data, kinds of faults."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | Figure | NotApplicable, ...], ...]
    note: str = "As measured in this run."


# What a scenario was and what became of it.


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """`open`: requests are due at planned times; `closed`: each client asks again as soon as it is answered. `asked`: what the
    seed asks for, in its own words. `rate` and `spawn` are per second; `generator_cpu` is the share of one processor."""

    shape: Literal["open", "closed"]
    asked: str
    users: int
    spawn: Cell
    rate: Cell
    planned: int
    seconds: float
    rounds: int
    generator: Literal["driver", "locust"]
    generator_cpu: Cell


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """offered = granted + refused_by_rule + refused_by_overload + failed. `unknown`: those of the failed ones of which nobody
    was told what became of them. A term that could not be counted takes the verdict away."""

    offered: int | NotApplicable
    granted: int | NotApplicable
    refused_by_rule: int | NotApplicable
    refused_by_overload: int | NotApplicable
    failed: int | NotApplicable
    unknown: int = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How often was answered so. `status` 0: no answer came. `code`: of the problem, or "granted", or "none"."""

    status: int
    code: str
    n: int


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """So many successes, or the scenario has shown nothing."""

    what: str
    least: int
    reached: int


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Data that a scenario looks at, and how much is there."""

    what: str
    rows: int


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and what was measured. `is_law`: nothing below it is a matter of degree (an overbooking, a count that is not
    exact). `evidence`: where the figure comes from; with `--url` alone those of the database are not applicable."""

    name: str
    what: str
    comparison: Comparison
    limit: float
    unit: Unit
    measured: Cell
    source: Source
    reference: str
    is_law: bool = False
    evidence: Evidence = "http"


class InvariantQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`query`: the statement, or what is done instead of one."""

    name: str
    means: str
    query: str


class InvariantRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that break an invariant; none is well. `sample`: the first of them."""

    name: str
    rows: int
    seconds: float
    sample: tuple[str, ...] = ()


class HistoryFinding(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    sentence: str


class HistoryCheck(msgspec.Struct, frozen=True, kw_only=True, tag="history_check"):
    """operations = acknowledged + refused + unknown."""

    operations: int
    acknowledged: int
    refused: int
    unknown: int
    findings: tuple[HistoryFinding, ...] = ()


# What was seen of the server and the database meanwhile.


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the road, timed by the server. `share`: per cent of the whole road's time."""

    name: str
    what: str
    distribution: Distribution
    share: Cell


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Something sampled each second."""

    name: str
    what: str
    average: Cell
    peak: Cell
    series: Series | NotApplicable


class Pool(msgspec.Struct, frozen=True, kw_only=True, tag="pool"):
    """Connections of the server to its database. `usages`: active, idle, waiting."""

    min: Cell
    max: Cell
    idle_timeout: Cell
    usages: tuple[Usage, ...]
    acquisition: Distribution


class LockWait(msgspec.Struct, frozen=True, kw_only=True):
    """Seen waiting, in samples."""

    kind: str
    relation: str
    mode: str
    n: int


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    cause: str
    n: int


class Locks(msgspec.Struct, frozen=True, kw_only=True, tag="locks"):
    """`samples`: how often was looked; no rows in `waits` means nobody was seen waiting in any of them."""

    samples: int
    waits: tuple[LockWait, ...] = ()
    waited: Cell
    deadlocks: Cell
    rollbacks: Cell
    retries: Cell
    retries_by_cause: tuple[Cause, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True, tag="plan"):
    text: str
    time: Cell


class PlanPair(msgspec.Struct, frozen=True, kw_only=True):
    """One query without its index and with it, on the same data. `ratio`: so many times as fast."""

    name: str
    what: str
    query: str
    index: str
    rows: int
    before: Plan | NotApplicable
    after: Plan | NotApplicable
    ratio: Cell


class IndexUse(msgspec.Struct, frozen=True, kw_only=True):
    """`share`: per cent of the scans of its table."""

    name: str
    table: str
    serves: str
    scans: Cell
    tuples_read: Cell
    tuples_fetched: Cell
    size: Cell
    share: Cell


class LaneBatches(msgspec.Struct, frozen=True, kw_only=True, tag="lane_batches"):
    """How many requests travelled together; `bins` by size."""

    n: int
    mean: Cell
    max: Cell
    bins: tuple[Bin, ...]


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario as the server and the database saw it. `usages`: those of `blanks.USAGES`."""

    spans: tuple[Span, ...] | NotApplicable
    lanes: LaneBatches | NotApplicable
    usages: tuple[Usage, ...] | NotApplicable
    pool: Pool | NotApplicable
    locks: Locks | NotApplicable


class Database(msgspec.Struct, frozen=True, kw_only=True, tag="database"):
    """What holds of the whole run. `hot_paths`: those of `blanks.HOT_PATHS`, average milliseconds."""

    version: str
    settings: dict[str, str]
    plans: tuple[PlanPair, ...] | NotApplicable
    indexes: tuple[IndexUse, ...] | NotApplicable
    hot_paths: tuple[Named, ...] | NotApplicable


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """`timings`: what clients saw, the one that the thresholds are about first. `series`: offered, granted (a second) and p95
    (of each second), and what else there is. `intended`: statuses of 401 and 403 that the scenario provokes. `crashes`: ends
    of a process that nobody asked for. `invalid`: whatever else takes the scenario its worth, as the scenario itself found."""

    name: str
    title: str
    reference: str
    purpose: str
    started: datetime
    seconds: float
    load: Load
    data: tuple[Named, ...]
    windows: tuple[Window, ...]
    balance: Balance
    answers: tuple[Answer, ...]
    floors: tuple[Floor, ...]
    timings: tuple[Timing, ...]
    figures: tuple[Named, ...]
    thresholds: tuple[Threshold, ...]
    series: tuple[Series, ...]
    inside: Inside
    invariants: tuple[InvariantRows, ...] | NotApplicable
    history: HistoryCheck | NotApplicable
    curves: tuple[Curve, ...] = ()
    tables: tuple[Table, ...] = ()
    marks: tuple[Mark, ...] = ()
    intended: tuple[int, ...] = ()
    crashes: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """`lifts`: the environment by which limits are lifted, in full. `is_http_only`: with `--url` alone nothing is seen of the
    database."""

    name: str
    what: str
    is_http_only: bool
    lifts: dict[str, str] = {}
    is_rate_limited: bool = False
    """Whether a limiter of requests is left in the way."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured. `versions`: of the programs that took part, by name; `environment`: the facts of
    `blanks.ENVIRONMENT`; `sizing`: for how much load which size is enough, from the knee."""

    started: datetime
    ended: datetime
    commit: Commit
    machine: Machine
    profile: Profile
    seed: int
    versions: dict[str, str]
    environment: tuple[Fact, ...]
    database: Database | NotApplicable
    invariants: tuple[InvariantQuery, ...] | NotApplicable
    scenarios: tuple[Scenario, ...]
    sizing: tuple[Fact, ...] | NotApplicable
    invalid: tuple[str, ...] = ()
    format: int = FORMAT


# What follows.

Outcome = Literal["GO", "NO-GO", "invalid"]
Standing = Literal["holds", "missed", "broken", "not_measured"]
Level = Literal["low", "medium", "high"]


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold judged. `margin`: per cent of the limit that is left; below 0, that it is missed by. `broken`: a law, or a
    limit missed by over 50 %."""

    scenario: str
    threshold: Threshold
    margin: Cell
    standing: Standing


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    area: Literal["performance", "scalability", "reliability"]
    level: Level
    why: str


class Bottleneck(msgspec.Struct, frozen=True, kw_only=True):
    """`share`: per cent of the road's time."""

    scenario: str
    symptom: str
    cause: str
    share: Cell
    impact: str
    remedy: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`broken`: why NO-GO; `invalid`: why the run says nothing; each a sentence that begins with its scenario."""

    outcome: Outcome
    exit_status: int
    reason: str
    readiness: str
    recommendation: str
    promises: tuple[Promise, ...]
    risks: tuple[Risk, ...]
    next_steps: tuple[str, ...]
    bottlenecks: tuple[Bottleneck, ...] = ()
    broken: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A figure before and now. `change`: per cent of what it was. `gate`: what fails it."""

    scenario: str
    name: str
    before: Cell
    after: Cell
    change: Cell
    gate: str
    fails: bool


class Compared(msgspec.Struct, frozen=True, kw_only=True, tag="compared"):
    """With an earlier run. `differences`: what makes the two hard to compare (machine, profile, seed)."""

    started: datetime
    commit: str
    changes: tuple[Change, ...]
    differences: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    commit: str
    value: float


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """What was held against one threshold (`name`), over the archived runs of the same profile, this one last."""

    scenario: str
    name: str
    what: str
    unit: Unit
    points: tuple[TrendPoint, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    run: Run
    verdict: Verdict
    baseline: Compared | NotApplicable
    trends: tuple[Trend, ...] | NotApplicable

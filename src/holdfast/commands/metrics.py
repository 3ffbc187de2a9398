"""What this process counts about itself, in Prometheus' words. Labels are routes, methods, statuses, codes, causes and
kinds of lanes, all from closed lists: never an id, a name or an address.

A label that can begin an alarm is there from the start, at 0: the first of its kind is an increase and not a new series.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, Literal, NamedTuple, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from holdfast.commands.database_figures import Figures
from holdfast.commands.policy_cache import PolicyCache
from holdfast.commands.spans import Spans
from holdfast.db.lanes import Lanes
from holdfast.db.spread import Spread
from holdfast.errors import OverloadCause

# The limits that alerts hold requests against (0.1, 0.15, 0.2) are bounds: what is above one is known exactly.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 3.0)

AgainCause = Literal["turn_moved", "batch_broken", "connection_lost"]
"""Another process wrote in between (HF001); the database refused a batch, whose requests go one by one; a connection
was lost, and nothing was committed on it."""


class Pool(NamedTuple):
    """`idle_seconds_max`: after how many a connection that nobody uses is closed."""

    connections: int
    idle: int
    least: int
    most: int
    idle_seconds_max: float
    waiting: int
    acquisitions: Spread


class Now(NamedTuple):
    """What is only looked at when somebody asks. `database`: the last that could be read, None before the first."""

    tokens_known: int
    pool: Pool
    listeners: int
    policy_cache: PolicyCache
    lanes: Mapping[str, Lanes[Any]]
    database_is_up: bool
    database: Figures | None


class Metrics:
    def __init__(self) -> None:
        # When each label was first seen is half of all lines, and nobody asks for it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "holdfast_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "holdfast_request_seconds", "Time from a request's first byte to its answer.", ("method", "route"),
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._refused = Counter(
            "holdfast_refusals", "Answers that said no, by their code.", ("code",), registry=self.registry
        )
        self._refused_by_code: dict[str, Counter] = {}
        self._unknown = Counter(
            "holdfast_outcomes_unknown",
            "Requests whose outcome could not be found out in time.",
            registry=self.registry,
        )
        overloads = Counter(
            "holdfast_overloads", "Requests refused because something was not to be had in time.", ("cause",),
            registry=self.registry,
        )  # fmt: skip
        self._overloads = {cause: overloads.labels(cause) for cause in get_args(OverloadCause)}
        again = Counter(
            "holdfast_decided_again", "Requests of the changes lane that were decided once more.", ("cause",),
            registry=self.registry,
        )  # fmt: skip
        self._again = {cause: again.labels(cause) for cause in get_args(AgainCause)}
        self.spans = Spans()
        ProcessCollector(registry=self.registry)
        # labels() checks and hashes on every call; the few hundred pairs there are live here. Bounded: routes are.
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def may_refuse(self, codes: Iterable[str]) -> None:
        """Says which codes there are; `refused` is called with no other."""
        self._refused_by_code = {code: self._refused.labels(code) for code in codes}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the route's pattern, "" for a path that is none."""
        pair = self._known.get((method, route, status))
        if pair is None:
            method = method if route else ""  # a stranger's method is a stranger's text
            pair = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
            if route:
                self._known[method, route, status] = pair
        pair[0].inc()
        pair[1].observe(seconds)

    def refused(self, code: str) -> None:
        self._refused_by_code[code].inc()

    def overloaded(self, cause: OverloadCause) -> None:
        self._overloads[cause].inc()

    def outcome_unknown(self) -> None:
        self._unknown.inc()

    def decided_again(self, cause: AgainCause, requests: int) -> None:
        self._again[cause].inc(requests)

    def text(self, now: Now) -> bytes:
        """Everything, in the text format."""
        together = chain(self.registry.collect(), _spans(self.spans), _looked(now))
        return generate_latest(_Collected(together))


class _Collected(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _spans(spans: Spans) -> Iterator[Metric]:
    family = HistogramMetricFamily(
        "holdfast_span_seconds", "What requests spent in each part of a change's way.", labels=("span",)
    )
    for name, spread in spans.by_name.items():
        _add(family, (name,), spread)
    yield family


def _looked(now: Now) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "holdfast_tokens_known", "Access tokens remembered as verified.", now.tokens_known
    )
    yield from _pool(now.pool)
    yield GaugeMetricFamily("holdfast_live_listeners", "Open streams of live updates.", now.listeners)
    cache = CounterMetricFamily(
        "holdfast_policy_cache", "Asked for an organization's rules and rooms, by what memory answered.",
        labels=("answer",),
    )  # fmt: skip
    cache.add_metric(("hit",), now.policy_cache.hits)
    cache.add_metric(("miss",), now.policy_cache.misses)
    yield cache
    yield from _lanes(now.lanes)
    yield GaugeMetricFamily(
        "holdfast_database_up", "1 if the database answered when it was last asked.", int(now.database_is_up)
    )
    if now.database is not None:
        yield from _database(now.database)


def _pool(pool: Pool) -> Iterator[Metric]:
    connections = GaugeMetricFamily(
        "holdfast_pool_connections", "Pooled database connections.", labels=("state",)
    )
    connections.add_metric(("idle",), pool.idle)
    connections.add_metric(("busy",), pool.connections - pool.idle)
    yield connections
    for name, what, value in (
        ("connections_min", "How many pooled connections are kept when nobody asks.", pool.least),
        ("connections_max", "How many pooled connections there may be.", pool.most),
        (
            "idle_seconds_max",
            "After how long a connection that nobody uses is closed.",
            pool.idle_seconds_max,
        ),
        ("waiting", "Who waits for a pooled connection now.", pool.waiting),
    ):
        yield GaugeMetricFamily(f"holdfast_pool_{name}", what, value)
    seconds = HistogramMetricFamily(
        "holdfast_pool_seconds", "How long a pooled connection was waited for.", labels=()
    )
    _add(seconds, (), pool.acquisitions)
    yield seconds


def _lanes(lanes: Mapping[str, Lanes[Any]]) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "holdfast_lane_waiting", "Requests that wait in lanes now, by kind of lane.", labels=("lane",)
    )
    batches = HistogramMetricFamily(
        "holdfast_lane_batch_requests", "How many requests travelled together in a batch.", labels=("lane",)
    )
    seconds = HistogramMetricFamily(
        "holdfast_lane_seconds", "How long a request waited in its lane, until a batch took it or in vain.",
        labels=("lane",),
    )  # fmt: skip
    for name, each in lanes.items():
        waiting.add_metric((name,), each.waiting)
        _add(batches, (name,), each.traffic.batches)
        _add(seconds, (name,), each.traffic.seconds)
    yield waiting
    yield batches
    yield seconds


def _add(family: HistogramMetricFamily, labels: Sequence[str], spread: Spread) -> None:
    bounds = [*(str(float(bound)) for bound in spread.bounds), "+Inf"]
    family.add_metric(labels, list(zip(bounds, accumulate(spread.counts), strict=True)), spread.sum)


def _database(figures: Figures) -> Iterator[Metric]:
    """Of the whole database, which every process of the installation tells alike."""
    counted = (
        ("commits", "Transactions committed.", figures.commits),
        ("rollbacks", "Transactions rolled back: every batch in which nothing was granted is one.", figures.rollbacks),
        ("deadlocks", "Deadlocks found. There should be none.", figures.deadlocks),
    )  # fmt: skip
    for name, what, value in counted:
        yield CounterMetricFamily(f"holdfast_database_{name}", what, value)
    yield GaugeMetricFamily("holdfast_database_connections", "Sessions of the database.", figures.connections)
    yield GaugeMetricFamily(
        "holdfast_database_waiting", "Our sessions that wait for a lock.", figures.waiting
    )

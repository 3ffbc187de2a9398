"""The parts of a scenario's evidence, made from what was counted and sampled, as the report has them. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from holdfast.proof.evidence.binned import distribution
from holdfast.proof.evidence.counted import Bins, Difference
from holdfast.proof.evidence.sampler import Points, Sampler
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure, share, usage
from holdfast.proof.report.model import Cell, NotApplicable

_SPAN: Final = "holdfast_span_seconds"
_REQUESTS: Final = "holdfast_request_seconds"
_BATCHES: Final = "holdfast_lane_batch_requests"
_LANE: Final = "holdfast_lane_seconds"
_WATCHING: Final = frozenset({"/metrics", "/health/live", "/health/ready", "/api/v1/calendar/events"})
"""Routes that are no part of the road: asked by whoever watches, or never answered to the end."""

_SPANS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "authenticate": ("authenticate", "who asks, by the token"),
    "lane_wait": ("lane", "waiting in the organization's lane"),
    "facts": ("facts", "taking the turn and reading what is not remembered"),
    "decide": ("decide", "deciding the batch, the rules among it"),
    "rules": ("rules", "the rules about one visit at one time, over all rooms"),
    "ahead": ("ahead", "decided, and waiting for the batch before"),
    "write": ("write", "writing the batch, its commit with it where both go in one trip"),
    "committing": ("committing", "the commit, where it is a trip of its own"),
    "explain": ("explain", "finding what is in the way of a refused request, and what could be had instead"),
})  # fmt: skip
"""By the report's name: the server's, and what it is."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({
    "rules": "No rule was asked: nothing was booked or moved.",
    "committing": "No batch was committed by a trip of its own; what goes in one trip is told as written.",
    "explain": "Nothing was refused that is explained.",
    "facts": "Memory knew all that was decided on.",
})  # fmt: skip

_USAGES: Final[tuple[tuple[str, str, model.Unit], ...]] = (
    ("server_cpu", "processor of the server", "%"),
    ("database_cpu", "processor of the database", "%"),
    ("generator_cpu", "processor of the program that makes the load", "%"),
    ("server_memory", "memory of the server", "mb"),
    ("database_memory", "memory of the database, what its processes share counted once", "mb"),
    ("disk_reads", "read operations of the database", "per_second"),
    ("disk_writes", "write operations of the database, flushes among them", "per_second"),
)  # fmt: skip
_POOL: Final = (
    ("active", "connections in use"),
    ("idle", "connections nobody uses"),
    ("waiting", "requests that wait for a connection"),
)


def spans(counted: Difference) -> tuple[model.Span, ...]:
    """Of all requests that were answered, by the parts of the road; what is left over is told as `rest`."""
    road = _road(counted)
    told = {
        name: (what, _bins(counted, name, span), _NOTHING.get(name, "No request of the scenario went this way."))
        for name, (span, what) in _SPANS.items()
    }  # fmt: skip
    found = [
        model.Span(
            name=name, what=what, distribution=distribution(bins, nothing),
            share=_rules_share(counted, told["decide"][1], bins, road) if name == "rules" else _share(bins.sum, road),
        )
        for name, (what, bins, nothing) in told.items()
    ]  # fmt: skip
    rest = Bins(
        (), (road.n,), road.sum - sum(bins.sum for name, (_, bins, _) in told.items() if name != "rules")
    )
    return (*found, _rest(rest, road))


def _road(counted: Difference) -> Bins:
    """The time of all requests but those of whoever watches."""
    routes = counted.by(f"{_REQUESTS}_count", "route")
    seconds = counted.by(f"{_REQUESTS}_sum", "route")
    asked = [route for route in routes if route not in _WATCHING]
    return Bins(
        (), (round(sum(routes[route] for route in asked)),), sum(seconds.get(each, 0.0) for each in asked)
    )


def _bins(counted: Difference, name: str, span: str) -> Bins:
    bins = counted.bins(_SPAN, span=span)
    if name == "write":
        return bins.with_those_of(counted.bins(_SPAN, span="write_and_commit"))
    if name == "lane_wait" and not bins.n:
        return counted.bins(_LANE)  # only looked things up, in lanes of readers
    return bins


def _share(seconds: float, road: Bins) -> Cell:
    if road.sum <= 0:
        return NotApplicable(reason="No request was answered.")
    return figure(max(0.0, 100 * seconds / road.sum), "%", road.n)


def _rules_share(counted: Difference, decide: Bins, rules: Bins, road: Bins) -> Cell:
    """The rules' part of deciding. One choice in each batch is timed, so it is that times the size of a batch."""
    if not rules.mean or not decide.mean:
        return NotApplicable(reason=_NOTHING["rules"])
    together = counted.bins(_BATCHES, lane="changes").mean or 1.0
    part = min(1.0, rules.mean * together / decide.mean)
    return _share(part * decide.sum, road)


def _rest(rest: Bins, road: Bins) -> model.Span:
    nothing = NotApplicable(reason="What is left over of each request is known on average only.")
    mean = figure(max(0.0, 1000 * rest.sum / rest.n), "ms", rest.n) if rest.n else nothing
    return model.Span(
        name="rest", what="everything else: HTTP, looking things up, encoding, waiting for the processor",
        distribution=model.Distribution(n=rest.n, mean=mean, p50=nothing, p95=nothing, p99=nothing, max=nothing, bins=()),
        share=_share(rest.sum, road),
    )  # fmt: skip


def lanes(counted: Difference) -> model.LaneBatches | NotApplicable:
    """Of the kind of lane that carried the most requests."""
    carried = counted.by(f"{_BATCHES}_sum", "lane")
    if not carried:
        return NotApplicable(reason="No request of the scenario went through a lane.")
    bins = counted.bins(_BATCHES, lane=max(carried, key=lambda lane: carried[lane]))
    edges = (*bins.bounds, 2 * bins.bounds[-1])
    return model.LaneBatches(
        n=bins.n, mean=figure(bins.sum / bins.n, "count", bins.n),
        max=figure(max(edge for edge, n in zip(edges, bins.counts, strict=True) if n), "count", bins.n),
        bins=tuple(model.Bin(upto=edge, n=n) for edge, n in zip(edges, bins.counts, strict=True)),
    )  # fmt: skip


def usages(points: Mapping[str, Points]) -> tuple[model.Usage, ...]:
    return tuple(usage(name, what, unit, points.get(name, ())) for name, what, unit in _USAGES)


def pool(counted: Difference, points: Mapping[str, Points]) -> model.Pool:
    def told(name: str, unit: model.Unit) -> Cell:
        value = counted.after.value(f"holdfast_pool_{name}")
        nothing = NotApplicable(reason="The server does not tell the bounds of its pool.")
        return nothing if value is None else figure(value, unit, 1)

    return model.Pool(
        min=told("connections_min", "count"), max=told("connections_max", "count"),
        idle_timeout=told("idle_seconds_max", "s"), usages=tuple(usage(name, what, "count", points.get(name, ())) for name, what in _POOL),
        acquisition=distribution(counted.bins("holdfast_pool_seconds"), "No pooled connection was asked for."),
    )  # fmt: skip


def locks(
    counted: Difference | None, sampler: Sampler, database: tuple[Cell, Cell]
) -> model.Locks | NotApplicable:
    """`database`: deadlocks and rollbacks. `waited`: in how many of the looks somebody waited, per cent."""
    if not sampler.looks_at_locks:
        return NotApplicable(reason="The database could not be looked at.")
    again = {} if counted is None else counted.by("holdfast_decided_again_total", "cause")
    nothing = NotApplicable(reason="The server's counters of this scenario could not be read.")
    changes = 0 if counted is None else round(counted.sum(f"{_LANE}_count", lane="changes"))
    return model.Locks(
        samples=sampler.looks_at_locks,
        waits=tuple(
            model.LockWait(kind=each.kind, relation=each.relation, mode=each.mode, n=n)
            for each, n in sampler.waits.most_common()
        ),
        waited=share(sampler.looks_with_waits, sampler.looks_at_locks), deadlocks=database[0], rollbacks=database[1],
        retries=nothing if counted is None else count(round(sum(again.values())), max(1, changes)),
        retries_by_cause=tuple(model.Cause(cause=cause, n=round(n)) for cause, n in sorted(again.items())),
    )  # fmt: skip

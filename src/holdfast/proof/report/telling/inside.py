"""One scenario from inside: the parts of the road, the lanes, the pool, locks and resources. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from holdfast.proof.report.blocks import (
    Block,
    Chart,
    Charts,
    Column,
    Grid,
    Heading,
    Paragraph,
    Said,
    numbers,
    row_of,
    said,
)
from holdfast.proof.report.charts import Part, columns, lines, parts
from holdfast.proof.report.figures import value
from holdfast.proof.report.model import Locks, NotApplicable, Pool, Scenario, Series, Span, Usage
from holdfast.proof.report.units import told_value

_TOGETHER: Final = (
    ("processors", ("server_cpu", "database_cpu", "generator_cpu")),
    ("memory", ("server_memory", "database_memory")),
    ("disk", ("disk_reads", "disk_writes")),
)
"""What is drawn in one chart; each unit has its own panel."""
_PARTS_MAX: Final = 5


def charts(one: Scenario) -> Iterator[Chart]:
    inside = one.inside
    if not isinstance(inside.lanes, NotApplicable) and inside.lanes.bins:
        yield columns(f"{one.name}: how many requests travel together", inside.lanes.bins, "requests")
    if not isinstance(inside.usages, NotApplicable):
        for title, names in _TOGETHER:
            drawn = [each for each in inside.usages if each.name in names]
            yield from _over_time(f"{one.name}: {title}", drawn, one)
    if not isinstance(inside.pool, NotApplicable):
        yield from _over_time(f"{one.name}: connections of the pool", inside.pool.usages, one)


def _over_time(caption: str, usages: Sequence[Usage], one: Scenario) -> Iterator[Chart]:
    drawn = [
        Series(name=each.name.replace("_", " "), unit=each.series.unit, points=each.series.points)
        for each in usages
        if not isinstance(each.series, NotApplicable) and each.series.points
    ]
    if drawn:
        yield lines(caption, drawn, "seconds", one.marks)


def told(one: Scenario) -> Iterator[Block]:
    inside = one.inside
    yield Heading(4, f"{one.name}, from inside")
    if isinstance(inside.spans, NotApplicable):
        yield _nothing("The parts of the road", inside.spans)
    else:
        yield from _spans(one.name, inside.spans)
    if isinstance(inside.lanes, NotApplicable):
        yield _nothing("Lanes", inside.lanes)
    else:
        of = inside.lanes
        yield Grid(
            "Requests that travelled together", numbers("Batches", "Number", "Mean size", "Largest"),
            ((Said("In the lanes"), Said(f"{of.n:,}"), said(of.mean), said(of.max)),),
        )  # fmt: skip
    if isinstance(inside.usages, NotApplicable):
        yield _nothing("Resources", inside.usages)
    else:
        yield _usages("Resources, sampled each second", inside.usages)
    if isinstance(inside.pool, NotApplicable):
        yield _nothing("Pool", inside.pool)
    else:
        yield from _pool(inside.pool)
    if isinstance(inside.locks, NotApplicable):
        yield _nothing("Locks", inside.locks)
    else:
        yield from _locks(inside.locks)


def _nothing(what: str, why: NotApplicable) -> Paragraph:
    return Paragraph(f"{what}: not applicable. {why.reason}", "muted")


def _spans(name: str, spans: Sequence[Span]) -> Iterator[Block]:
    rows = tuple(
        (
            Said(each.what), *row_of((of.mean, of.p50, of.p95, of.p99, of.max)),
            said(each.share, with_n=False), Said(f"{of.n:,}"),
        )
        for each in spans
        for of in (each.distribution,)
    )  # fmt: skip
    titles = numbers("Part of the road", "Mean", "p50", "p95", "p99", "Most", "Share", "n")
    estimators = sorted({each.distribution.estimator for each in spans})
    yield Grid(f"The parts of the road, timed by the server ({'; '.join(estimators)})", titles, rows)
    wholes = list(_largest(spans))
    if wholes:
        yield Charts((parts(f"{name}: where the time goes", wholes),))


def _largest(spans: Sequence[Span]) -> Iterator[Part]:
    """In the order of the road, those that take the most; what is left stands together at the end."""
    known = [(each, part) for each in spans if (part := value(each.share)) is not None and part > 0]
    largest = sorted(known, key=lambda each: each[1], reverse=True)[:_PARTS_MAX]
    for index, (each, part) in enumerate(one for one in known if one in largest):
        yield Part(each.what, part, told_value(part, "%"), f"c{index}")
    rest = sum(part for each, part in known if (each, part) not in largest)
    if rest:
        yield Part("everything else", rest, told_value(rest, "%"), "muted")


def _usages(caption: str, usages: Sequence[Usage]) -> Grid:
    rows = tuple((Said(each.what), said(each.average), said(each.peak, with_n=False)) for each in usages)
    return Grid(caption, numbers("What", "Average", "Peak"), rows)


def _pool(pool: Pool) -> Iterator[Block]:
    of = pool.acquisition
    rows = (
        (Said("Connections, at least"), said(pool.min, with_n=False)),
        (Said("Connections, at most"), said(pool.max, with_n=False)),
        (Said("Idle timeout"), said(pool.idle_timeout, with_n=False)),
        (Said("Taking one, mean"), said(of.mean)),
        (Said("Taking one, p95"), said(of.p95)),
        (Said("Taking one, most"), said(of.max)),
    )
    yield Grid("The pool of connections", numbers("Pool", "In this run"), rows)
    yield _usages("Connections, sampled each second", pool.usages)


def _locks(locks: Locks) -> Iterator[Block]:
    rows = (
        (Said("Looks at what waits for locks"), Said(f"{locks.samples:,}")),
        (Said("Waited for locks"), said(locks.waited)),
        (Said("Deadlocks"), said(locks.deadlocks)),
        (Said("Rollbacks"), said(locks.rollbacks)),
        (Said("Transactions tried again"), said(locks.retries)),
        *((Said(f"Tried again: {each.cause}"), Said(f"{each.n:,}")) for each in locks.retries_by_cause),
    )
    yield Grid("Locks and retries", numbers("What", "In this run"), rows)
    if not locks.waits:
        yield Paragraph("In none of the looks did anybody wait for a lock.")
        return
    titles = (Column("Kind"), Column("Relation"), Column("Mode"), Column("Seen", is_number=True))
    waits = tuple(
        (Said(each.kind), Said(each.relation), Said(each.mode), Said(f"{each.n:,}")) for each in locks.waits
    )
    yield Grid("Locks that somebody was seen waiting for", titles, waits)

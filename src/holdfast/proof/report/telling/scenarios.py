"""Each scenario: what was asked, what became of it, how long it took, and what was seen inside meanwhile. Pure."""

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
    Points,
    Said,
    numbers,
    row_of,
    said,
)
from holdfast.proof.report.charts import Part, histogram, lines, parts
from holdfast.proof.report.figures import share, value
from holdfast.proof.report.model import (
    Balance,
    Figure,
    Mark,
    NotApplicable,
    Promise,
    Report,
    Scenario,
    Series,
    Table,
)
from holdfast.proof.report.telling import inside, overview
from holdfast.proof.report.units import number, told_value

_TERMS: Final = (
    ("granted", "Granted", "good"), ("refused_by_rule", "Refused by rule", "c0"),
    ("refused_by_overload", "Refused by overload", "warn"), ("failed", "Failed", "bad"),
)  # fmt: skip


def told(report: Report) -> Iterator[Block]:
    yield Heading(2, "The scenarios", anchor="scenarios")
    for one in report.run.scenarios:
        yield from _scenario(one, [each for each in report.verdict.promises if each.scenario == one.name])


def _scenario(one: Scenario, promises: Sequence[Promise]) -> Iterator[Block]:
    yield Heading(3, f"{one.name}: {one.title}", anchor=f"scenario-{one.name}")
    yield Paragraph(f"{one.purpose} ({one.reference}.)")
    if promises:
        yield overview.grid("Its limits", promises, is_of_one=True)
    if one.crashes or one.invalid:
        yield Points((*one.crashes, *one.invalid), tone="bad")
    yield _asked(one)
    yield _balance(one.balance)
    yield _answers(one)
    yield Grid(
        "Figures",
        numbers("Figure", "Measured"),
        tuple((Said(each.what), said(each.figure)) for each in one.figures),
    )
    yield _timings(one)
    charts = [*_became(one.balance), *_charts(one), *inside.charts(one)]
    if charts:
        yield Charts(tuple(charts))
    for table in one.tables:
        yield _table(table)
    yield from inside.told(one)


def _asked(one: Scenario) -> Grid:
    load = one.load
    rows = [
        (Said("The seed asks for"), Said(load.asked)),
        (Said("Load"), Said(f"{load.shape} loop, {load.users:,} users, {load.planned:,} requests planned")),
        (Said("New users"), said(load.spawn, with_n=False)),
        (Said("Offered, planned"), said(load.rate, with_n=False)),
        (Said("Duration"), Said(f"{told_value(one.seconds, 's')}", note=f"planned {told_value(load.seconds, 's')}, in {load.rounds} round{'s' * (load.rounds != 1)}")),
        (Said("Load made by"), Said(load.generator)),
        (Said("Its processor"), said(load.generator_cpu)),
        *((Said(each.what), said(each.figure, with_n=False)) for each in one.data),
        *((Said(f"{each.what}, rows"), Said(f"{each.rows:,}")) for each in one.windows),
        *((Said(f"{each.what}, at least {each.least:,}"), Said(f"{each.reached:,}")) for each in one.floors),
    ]  # fmt: skip
    return Grid("What was asked, and of what", (Column("Load and data"), Column("In this run")), tuple(rows))


def _balance(of: Balance) -> Grid:
    offered = of.offered
    rows = [(Said("Offered"), _term(offered), Said("100 %" if offered else "nothing"))]
    for field, title, _ in _TERMS:
        term = getattr(of, field)
        if isinstance(term, NotApplicable) or isinstance(offered, NotApplicable):
            part = Said("not applicable", "muted")
        else:
            part = said(share(term, offered), with_n=False)
        rows.append((Said(title), _term(term), part))
    rows.append(
        (Said("Of the failed: outcome unknown"), Said(f"{of.unknown:,}"), Said("part of failed", "muted"))
    )
    return Grid("What became of what was offered", numbers("Requests", "Number", "Share"), tuple(rows))


def _became(of: Balance) -> Iterator[Chart]:
    counts = [(title, getattr(of, field), tone) for field, title, tone in _TERMS]
    if of.offered and not any(isinstance(term, NotApplicable) for _, term, _ in counts):
        drawn = [Part(title, term, f"{term:,}", tone) for title, term, tone in counts]
        yield parts("What became of what was offered", drawn)


def _term(term: int | NotApplicable) -> Said:
    return (
        Said("not applicable", "muted", term.reason) if isinstance(term, NotApplicable) else Said(f"{term:,}")
    )


def _answers(one: Scenario) -> Grid:
    rows = tuple(
        (Said(str(each.status) if each.status else "no answer"), Said(each.code), Said(f"{each.n:,}"))
        for each in one.answers
    )
    columns = (Column("Status"), Column("Code"), Column("Number", is_number=True))
    return Grid("What was answered", columns, rows)


def _timings(one: Scenario) -> Grid:
    rows = tuple(
        (Said(each.what), *row_of((of.mean, of.p50, of.p95, of.p99, of.max)), Said(f"{of.n:,}"))
        for each in one.timings
        for of in (each.distribution,)
    )
    return Grid("Latency, by nearest rank", numbers("What", "Mean", "p50", "p95", "p99", "Most", "n"), rows)


def _charts(one: Scenario) -> Iterator[Chart]:
    drawn = [each for each in one.series if each.points]
    if drawn:
        yield lines(f"{one.name}: over time", _ordered(drawn), "seconds", one.marks, is_wide=True)
    for curve in one.curves:
        there = [each for each in curve.lines if each.points]
        if there:
            yield lines(f"{one.name}: {curve.title}", there, curve.x_label, curve.marks, is_wide=True)
    first = one.timings[0] if one.timings else None
    if first is not None and first.distribution.bins:
        yield histogram(f"{one.name}: how latency is distributed", first.distribution.bins, _percentiles(one))


def _percentiles(one: Scenario) -> list[Mark]:
    """Of the first timing, and the nearest limit of it."""
    of = one.timings[0].distribution
    found = [
        Mark(at=at, label=f"{name} {number(at)} ms")
        for name, cell in (("p50", of.p50), ("p95", of.p95), ("p99", of.p99))
        if (at := value(cell)) is not None
    ]
    limits = [each for each in one.thresholds if "p95" in each.name and each.unit == "ms"]
    found += [Mark(at=each.limit, label=f"limit of p95 {number(each.limit)} ms") for each in limits[:1]]
    return found


def _ordered(series: Sequence[Series]) -> list[Series]:
    """Rates above, latencies below."""
    return sorted(series, key=lambda each: each.unit != "per_second")


def _table(table: Table) -> Grid:
    """With a bar in each column of numbers of one unit, as far as it has any."""
    peaks = []
    for index in range(len(table.columns)):
        cells = [row[index] for row in table.rows]
        units = {each.unit for each in cells if isinstance(each, Figure)}
        peaks.append(
            max((each.value for each in cells if isinstance(each, Figure)), default=0.0)
            if len(units) == 1
            else 0.0
        )
    columns = tuple(
        Column(title, is_number=any(isinstance(row[index], Figure) for row in table.rows))
        for index, title in enumerate(table.columns)
    )
    rows = tuple(
        tuple(_cell(each, peak) for each, peak in zip(row, peaks, strict=True)) for row in table.rows
    )
    return Grid(f"{table.title}. {table.note}", columns, rows)


def _cell(cell: str | Figure | NotApplicable, peak: float) -> Said:
    if isinstance(cell, str):
        return Said(cell)
    plain = said(cell)
    if not isinstance(cell, Figure) or peak <= 0:
        return plain
    return Said(plain.words, plain.tone, plain.note, bar=max(0.0, cell.value / peak))

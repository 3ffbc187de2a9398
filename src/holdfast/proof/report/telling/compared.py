"""Against an earlier run, and over the archived ones. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from holdfast.proof.report.baseline import FOR_INFORMATION
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
    said,
)
from holdfast.proof.report.charts import lines
from holdfast.proof.report.model import Change, Compared, NotApplicable, Report, Series, Trend
from holdfast.proof.report.telling.overview import FIRST

_DRAWN_MAX: Final = 8


def told(report: Report) -> Iterator[Block]:
    yield Heading(2, "Against earlier runs", anchor="earlier")
    yield Heading(3, "Baseline")
    if isinstance(report.baseline, NotApplicable):
        yield Paragraph(f"Not applicable: {report.baseline.reason}", "muted")
    else:
        yield from _baseline(report.baseline)
    yield Heading(3, "Trend")
    if isinstance(report.trends, NotApplicable):
        yield Paragraph(f"Not applicable: {report.trends.reason}", "muted")
    else:
        yield from _trends(report.trends)


def _baseline(compared: Compared) -> Iterator[Block]:
    yield Paragraph(f"The run of {compared.started:%Y-%m-%d %H:%M} UTC at commit {compared.commit[:10]}.")
    if compared.differences:
        yield Points(compared.differences, tone="warn")
    titles = (
        Column("Scenario"), Column("Figure"), Column("Before", is_number=True), Column("After", is_number=True),
        Column("Change", is_number=True), Column("Fails if"), Column("Standing"),
    )  # fmt: skip
    yield Grid("Before and after", titles, tuple(map(_change, compared.changes)))


def _change(change: Change) -> tuple[Said, ...]:
    standing = Said("✗ fails", "bad") if change.fails else Said("✓ holds", "good")
    if change.gate == FOR_INFORMATION:
        standing = Said("not judged", "muted")
    return (
        Said(change.scenario), Said(change.name), said(change.before), said(change.after), said(change.change, with_n=False),
        Said(change.gate, "muted"), standing,
    )  # fmt: skip


def _trends(trends: Sequence[Trend]) -> Iterator[Block]:
    """Those of the first look, else the first there are."""
    drawn = [each for each in trends if (each.scenario, each.name) in FIRST] or trends[:_DRAWN_MAX]
    yield Charts(tuple(map(_trend, drawn)))
    left = len(trends) - len(drawn)
    if left:
        yield Paragraph(f"The JSON has the trends of {left:,} more limits.", "muted")


def _trend(trend: Trend) -> Chart:
    first, last = trend.points[0].at, trend.points[-1].at
    unit, seconds = ("days", 86400) if (last - first).days >= 2 else ("hours", 3600)
    points = tuple(((each.at - first).total_seconds() / seconds, each.value) for each in trend.points)
    series = Series(name=f"{trend.what}, {len(points)} runs", unit=trend.unit, points=points)
    return lines(f"{trend.scenario}: {trend.what} since {first:%Y-%m-%d}", [series], unit)

"""What is read first: the verdict with its reason, a few figures, what is wrong, and every promise with its margin. Pure."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from holdfast.proof.report.blocks import (
    Block,
    Column,
    Grid,
    Heading,
    Hero,
    Paragraph,
    Points,
    Said,
    Tile,
    Tiles,
    Tone,
    said,
)
from holdfast.proof.report.charts import margin_bar
from holdfast.proof.report.figures import value
from holdfast.proof.report.model import Figure, Promise, Report, Run, Standing
from holdfast.proof.report.units import told as told_figure
from holdfast.proof.report.verdict import limit

FIRST: Final = (
    ("storm", "p95"), ("storm", "throughput"), ("conflict", "detection_p95"), ("rules", "evaluation_p95"),
    ("contention", "granted"), ("throughput", "throughput"), ("mixed", "p95"), ("saturation", "knee"),
)  # fmt: skip
"""Limits whose figures are shown large."""
_SHOWN_MAX: Final = 20
_NEAREST: Final = 3
"""How many limits of a scenario are shown first."""
SIGN: Final[Mapping[Standing, tuple[str, Tone]]] = {
    "holds": ("✓ holds", "good"), "missed": ("✗ missed", "warn"), "broken": ("✗ broken", "bad"),
    "not_measured": ("○ not measured", "muted"),
}  # fmt: skip


def told(report: Report) -> Iterator[Block]:
    run, verdict = report.run, report.verdict
    yield Hero(
        verdict.outcome, verdict.reason, f"{verdict.recommendation} ({verdict.readiness})", tuple(_facts(run))
    )
    tiles = tuple(_tile(each) for each in verdict.promises if (each.scenario, each.threshold.name) in FIRST)
    if tiles:
        yield Tiles(tiles)
    for title, sentences in (
        ("What is broken", verdict.broken),
        ("What was missed", verdict.missed),
        ("Why this run says nothing", verdict.invalid),
    ):
        if sentences:
            yield Heading(2, title, anchor=title.split()[-1].lower())
            left = len(sentences) - _SHOWN_MAX
            more = (f"And {left:,} more; the JSON has them all.",) if left > 0 else ()
            yield Points(sentences[:_SHOWN_MAX] + more, tone="bad")
    if verdict.promises:
        yield Heading(2, "Each promise, and what is left of it", anchor="promises")
        yield from _closest(verdict.promises)


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    commit = run.commit
    changed = ", with changes that are not committed" if commit.is_changed else ""
    yield "Measured", f"{run.started:%Y-%m-%d %H:%M} to {run.ended:%H:%M} UTC"
    yield "Source", f"{commit.commit[:10]} (version {commit.version}){changed}"
    yield "Profile", f"{run.profile.name}, seed {run.seed}"
    yield (
        "Machine",
        f"{run.machine.processors} processors, {run.machine.memory_mb:,} MB: {run.machine.processor}",
    )


def _tile(promise: Promise) -> Tile:
    of = promise.threshold
    return Tile(
        words=f"{promise.scenario}: {of.what}", value=told_figure(of.measured), note=limit(of),
        tone=SIGN[promise.standing][1], link=f"scenario-{promise.scenario}",
    )  # fmt: skip


def _closest(promises: Sequence[Promise]) -> Iterator[Block]:
    """Of each scenario what does not hold, the laws, and the limits of which the least is left."""
    shown = []
    for _, group in itertools.groupby(promises, key=lambda each: each.scenario):
        of = list(group)
        near = sorted((each for each in of if isinstance(each.margin, Figure)), key=_left)[:_NEAREST]
        shown += [each for each in of if each in near or each.threshold.is_law or each.standing != "holds"]
    yield grid("What was measured, and how much of the limit is left", shown, is_of_one=False)
    left = len(promises) - len(shown)
    if left:
        yield Paragraph(
            f"{left:,} more limits hold, with more left: they stand with their scenarios.", "muted"
        )


def _left(promise: Promise) -> float:
    return value(promise.margin) or 0.0


def grid(caption: str, promises: Sequence[Promise], *, is_of_one: bool) -> Grid:
    """Promises, with their scenario unless they are all of one."""
    columns = (
        Column("Scenario"), Column("Promise"), Column("Limit", is_number=True), Column("Measured", is_number=True),
        Column("Used of the limit"), Column("Margin", is_number=True), Column("Standing"), Column("From"),
    )  # fmt: skip
    return Grid(caption, columns[is_of_one:], tuple(_row(each)[is_of_one:] for each in promises))


def _row(promise: Promise) -> tuple[Said, ...]:
    of = promise.threshold
    sign, tone = SIGN[promise.standing]
    source = of.reference if of.source == "seed" else f"ours: {of.reference}"
    left = promise.margin
    return (
        Said(promise.scenario, link=f"scenario-{promise.scenario}"), Said(of.what, note="a law" if of.is_law else ""),
        Said(limit(of)), said(of.measured), _used(promise),
        Said(told_figure(left), tone) if isinstance(left, Figure) else Said("no margin", "muted"),
        Said(sign, tone), Said(source, "muted"),
    )  # fmt: skip


def _used(promise: Promise) -> Said:
    """How much of the limit is used: of a least rate, how near it is."""
    of, measured = promise.threshold, value(promise.threshold.measured)
    if measured is None or not isinstance(promise.margin, Figure):
        return Said("all or nothing" if measured is not None else "not applicable", "muted")
    if of.comparison == "at_least":
        part = of.limit / measured if measured > 0 else 2.0
    else:
        part = measured / of.limit
    words = f"{100 * part:.0f} %"
    return Said(words, drawing=margin_bar(part, SIGN[promise.standing][1], f"{words} of the limit is used."))

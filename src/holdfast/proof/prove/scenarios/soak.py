"""Soak: mixed work for hours at half of what saturation found. Memory and latency at the end are what they were at the
beginning, and every ten minutes what is stored is checked and its organizations are deleted.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count as numbers
from statistics import median
from typing import Final

import msgspec

from holdfast.proof import machine
from holdfast.proof.prove import units
from holdfast.proof.prove.seen import Seen, named, threshold, timing
from holdfast.proof.prove.stage import About, Checked, Scale, Stage, scenario
from holdfast.proof.prove.three import three
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, distribution, figure, share, value
from holdfast.proof.report.model import HistoryCheck, NotApplicable

ABOUT = About(
    name="soak", title="Hours of mixed work", reference="002: a soak of 4 to 8 hours",
    purpose="Mixed work at half the knee for hours: memory and latency stay flat, and everything that is stored holds.",
    asked="4 to 8 hours of sustained load",
)  # fmt: skip
MEMORY_GROWTH_PERCENT, LATENCY_GROWTH_PERCENT = 10, 25
_ROUND_SECONDS: Final = 600.0
_CHUNK_SECONDS: Final = 60.0
_CHUNKS_LEAST: Final = 12
_QUARTERS: Final = 4


@dataclass
class _Hours:
    """What is kept of hours: counts, every latency, and of each chunk when it ended and what was seen then."""

    seen: Seen = field(default_factory=Seen)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    offered: list[tuple[float, float]] = field(default_factory=list)
    granted: list[tuple[float, float]] = field(default_factory=list)
    p95: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    checks: list[Checked] = field(default_factory=list)


def run(stage: Stage, scale: Scale) -> model.Scenario:
    """`scale.rate` is half of the knee; `scale.seconds` is how long."""
    began = datetime.now(UTC)
    hours = _Hours()
    data: tuple[model.Named, ...] = ()
    with stage.watching() as watch:
        for number in numbers():
            left = scale.seconds - hours.seen.seconds
            if left <= 0 or (number and not hours.latencies):
                break
            data = _round(stage, scale, hours, number, min(_ROUND_SECONDS, left))
    seen, checked = hours.seen, combined(hours.checks)
    memory, slower = growth(hours.memory), growth(hours.p95)
    asked = timing("request", "any of them, granted or refused, from when it was due", hours.latencies)
    refused = share(seen.refused, seen.offered)
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, data=data, timings=[asked],
        windows=[model.Window(what="parts of the time that are compared", rows=len(hours.p95))],
        floors=[
            model.Floor(what="requests granted", least=round(0.7 * seen.planned), reached=seen.granted),
            model.Floor(what="parts of the time that are compared", least=_QUARTERS, reached=len(hours.p95)),
        ],
        figures=[
            named("throughput", "requests granted a second", figure(seen.per_second, "per_second", max(1, seen.granted))),
            named("memory_growth", "the server's memory, last quarter against the first", memory),
            named("latency_growth", "p95, last quarter against the first", slower),
            named("refused_share", "requests refused by a rule", refused),
            named("overbooked", "authorizations of which more is promised than there is", checked.overbooked),
        ],
        thresholds=[
            threshold("memory_growth", "the server's memory, last quarter against the first", "at_most", MEMORY_GROWTH_PERCENT,
                      "%", memory, ABOUT.reference, source="ours", evidence="database"),
            threshold("latency_growth", "p95, last quarter against the first", "at_most", LATENCY_GROWTH_PERCENT, "%", slower,
                      ABOUT.reference, source="ours"),
            threshold("overbooked", "authorizations promised twice", "exactly", 0, "count", checked.overbooked, ABOUT.reference,
                      is_law=True),
        ],
        series=_series(hours),
    )  # fmt: skip


def _round(stage: Stage, scale: Scale, hours: _Hours, number: int, seconds: float) -> tuple[model.Named, ...]:
    """Organizations of its own, worked on in chunks, then checked."""
    rate = scale.rate or 1.0
    chunk = max(1.0, min(_CHUNK_SECONDS, scale.seconds / _CHUNKS_LEAST))
    name = f"{ABOUT.name}-{number + 1}"
    with three(stage, name, units.for_mixed(round(rate * seconds))) as of:
        plans, operations = units.Units(of.accounts(), stage.seed, name), []
        until = hours.seen.seconds + seconds
        while hours.seen.seconds < until - chunk / 2:
            stage.say(f"{hours.seen.seconds / 60:.0f} of {scale.seconds / 60:.0f} minutes")
            plans.signed_as(of.signed_in_anew())
            asked = plans.mixed(max(1, round(rate * chunk)))
            plan = stage.plan(asked, msgspec.structs.replace(scale, seconds=chunk), status=200, also=409)
            seen = stage.drive(asked, plan)
            operations += seen.operations
            _keep(stage, hours, seen)
            if not seen.samples:
                break
        hours.checks.append(stage.checked(of.organizations, operations))
        return of.data()


def _keep(stage: Stage, hours: _Hours, seen: Seen) -> None:
    at = hours.seen.seconds
    hours.latencies.extend(seen.latencies())
    hours.seen.join(seen.totals())
    p95 = value(distribution(seen.latencies()).p95)
    if p95 is not None:
        hours.p95.append((at, p95))
    hours.offered.append((at, seen.offered / max(seen.seconds, 1e-9)))
    hours.granted.append((at, seen.per_second))
    if stage.place.server_pid is not None:
        hours.memory.append((at, machine.memory(stage.place.server_pid).rss_mb))


def growth(points: Sequence[tuple[float, float]]) -> model.Cell:
    """Per cent by which the last quarter's median is above that of the first; the very first point is the warm-up."""
    values = [each for _, each in points[1:]]
    quarter = len(values) // _QUARTERS
    if not quarter:
        return NotApplicable(reason="The time was too short to compare its quarters.")
    first, last = median(values[:quarter]), median(values[-quarter:])
    return figure(100 * (last - first) / first, "%", len(values))


def combined(checks: Sequence[Checked]) -> Checked:
    """All rounds' checks as one."""
    rows: dict[str, model.InvariantRows] = {}
    histories = [each.history for each in checks if isinstance(each.history, HistoryCheck)]
    for each in (row for one in checks if isinstance(one.invariants, tuple) for row in one.invariants):
        before = rows.get(each.name)
        rows[each.name] = each if before is None else model.InvariantRows(
            name=each.name, rows=before.rows + each.rows, seconds=round(before.seconds + each.seconds, 4),
            sample=before.sample + each.sample,
        )  # fmt: skip
    if not histories:
        return checks[-1]
    return Checked(
        invariants=tuple(rows.values()),
        history=HistoryCheck(
            operations=sum(each.operations for each in histories), acknowledged=sum(each.acknowledged for each in histories),
            refused=sum(each.refused for each in histories), unknown=sum(each.unknown for each in histories),
            findings=tuple(one for each in histories for one in each.findings),
        ),
        overbooked=count(
            int(sum(each.overbooked.value for each in checks)), sum(each.overbooked.n for each in checks)
        ),
    )  # fmt: skip


def _series(hours: _Hours) -> tuple[model.Series, ...]:
    def lines() -> Iterator[model.Series]:
        yield model.Series(name="offered", unit="per_second", points=tuple(hours.offered))
        yield model.Series(name="granted", unit="per_second", points=tuple(hours.granted))
        yield model.Series(name="p95", unit="ms", points=tuple(hours.p95))
        if hours.memory:
            yield model.Series(name="server_memory", unit="mb", points=tuple(hours.memory))

    return tuple(lines())

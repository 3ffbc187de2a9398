"""Saturation: more and more bookings are offered a second until the slow ones become much slower. That is the knee, and from
it follows how large an installation must be.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from holdfast.proof.prove.bookings import Bookings
from holdfast.proof.prove.organization import Furniture
from holdfast.proof.prove.seen import Seen, named, threshold, timing
from holdfast.proof.prove.stage import P99_SAMPLES, About, Scale, Stage, furnished, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import figure, value
from holdfast.proof.report.model import Fact, NotApplicable

ABOUT = About(
    name="saturation", title="Saturation", reference="000, scaling recommendations",
    purpose="Bookings are offered faster and faster, step by step, until p99 bends: what one installation of this size carries.",
    asked="sizes for 100 and for 500 requests a second",
)  # fmt: skip
FURNITURE = Furniture(name="saturation")
STEPS: Final = (1, 2, 3, 4, 5, 6.5, 8, 10, 13, 16, 20, 26, 33)
"""The offered load of each step, in multiples of the first."""
BENDS_AT_TIMES, BENDS_AT_MS, GOODPUT_PERCENT = 5, 50, 95
PER_SECOND_LEAST = 20
HEADROOM = 0.5
"""Of the knee, so much is planned with: a busy hour must not find the knee."""
_WEEKS = 104


class Step(NamedTuple):
    """One load and what came of it. `p99_ms` is None when too little was answered for it."""

    offered: float
    goodput: float
    p50_ms: float | None
    p99_ms: float | None


def run(stage: Stage, scale: Scale) -> model.Scenario:
    """`scale`: the first step's load, and how long each step lasts at the least."""
    began = datetime.now(UTC)
    seen, steps = Seen(), list[Step]()
    first_rate = scale.rate or 1.0
    with stage.organization(FURNITURE) as of, of.signed_in() as admin:
        bookings = Bookings(of, admin.token, stage.seed, ABOUT.name, weeks=(0, _WEEKS))
        with stage.watching() as watch:
            for times in STEPS:
                step_scale = Scale(
                    users=scale.users, rate=round(times * first_rate, 1), seconds=scale.seconds
                )
                steps.append(_step(stage, bookings, seen, step_scale))
                if bent(steps):
                    break
        checked = stage.checked([of], seen.operations)
    highest = knee(steps)
    booked = timing("booking", "a booking at any of the steps, from when it was due", seen.latencies())
    knee_cell = figure(highest.offered, "per_second", len(steps))
    has_bent = bent(steps)
    curve = model.Curve(
        name="saturation", title="Latency and goodput against offered load", x_label="bookings offered a second",
        lines=tuple(_lines(steps)), marks=(model.Mark(at=highest.offered, label="knee"),),
    )  # fmt: skip
    return scenario(
        ABOUT, scale, seen, checked, watch, stage=stage, began=began, data=furnished(of), timings=[booked],
        windows=[model.Window(what="steps of offered load", rows=len(steps))],
        floors=[model.Floor(what="steps of offered load", least=2, reached=len(steps))],
        figures=[
            named("knee", "the highest load before p99 bends" if has_bent else "the highest load offered; p99 had not bent", knee_cell),
            named("knee_p99", "p99 there", _cell(highest.p99_ms)),
            named("lowest_p99", "p99 of the calmest step", _cell(_calmest(steps))),
        ],
        thresholds=[
            threshold("knee", "bookings a second before p99 bends", "at_least", PER_SECOND_LEAST, "per_second", knee_cell,
                      "000: 20 or more bookings a second, sustained"),
        ],
        curves=(curve,), tables=(_table(steps),),
    )  # fmt: skip


def _step(stage: Stage, bookings: Bookings, seen: Seen, scale: Scale) -> Step:
    stage.say(f"{scale.rate:.0f} bookings a second")
    asked = bookings.planned(max(P99_SAMPLES, scale.requests))
    alone = stage.drive(asked, stage.plan(asked, scale, status=201))
    found = timing("", "", alone.latencies()).distribution
    seen.join(alone)
    return Step(scale.rate or 0.0, alone.per_second, value(found.p50), value(found.p99))


def bent(steps: Sequence[Step]) -> bool:
    """Whether the last step is beyond the knee: its p99 is many times the calmest, or not all of the load was carried."""
    last = steps[-1]
    limit = max(BENDS_AT_MS, BENDS_AT_TIMES * _calmest(steps))
    return last.p99_ms is None or last.p99_ms > limit or last.goodput < GOODPUT_PERCENT / 100 * last.offered


def knee(steps: Sequence[Step]) -> Step:
    """The last step before the one that bends; the last of all if none does."""
    return steps[-2] if len(steps) > 1 and bent(steps) else steps[-1]


def _calmest(steps: Sequence[Step]) -> float:
    return min((each.p99_ms for each in steps if each.p99_ms is not None), default=math.inf)


def _cell(milliseconds: float | None) -> model.Cell:
    if milliseconds is None or not math.isfinite(milliseconds):
        return NotApplicable(reason="Too little was answered for a p99.")
    return figure(milliseconds, "ms", P99_SAMPLES)


def _lines(steps: Sequence[Step]) -> Iterator[model.Series]:
    """A single point where a step had too few answers would be a hole: it is left out."""
    p50 = tuple((each.offered, each.p50_ms) for each in steps if each.p50_ms is not None)
    p99 = tuple((each.offered, each.p99_ms) for each in steps if each.p99_ms is not None)
    yield model.Series(name="p50", unit="ms", points=p50)
    yield model.Series(name="p99", unit="ms", points=p99)
    yield model.Series(
        name="goodput", unit="per_second", points=tuple((each.offered, each.goodput) for each in steps)
    )


def _table(steps: Sequence[Step]) -> model.Table:
    return model.Table(
        name="steps", title="Steps of offered load", columns=("offered a second", "granted a second", "p50", "p99"),
        rows=tuple(
            (figure(each.offered, "per_second", P99_SAMPLES), figure(each.goodput, "per_second", P99_SAMPLES), _cell(each.p50_ms), _cell(each.p99_ms))
            for each in steps
        ),
        note=f"The knee is the last step whose p99 is below {BENDS_AT_MS} ms or {BENDS_AT_TIMES} times that of the calmest, and "
        f"in which {GOODPUT_PERCENT} % of what was offered was granted.",
    )  # fmt: skip


def sizing(knee_per_second: float, processors: int) -> tuple[Fact, ...]:
    """What is enough for 100 and for 500 requests a second, at half of what was measured."""
    planned = knee_per_second * HEADROOM
    facts = [
        Fact(
            name="measured",
            value=f"One server process and its database on {processors} processors carry {knee_per_second:.0f} bookings a second "
            f"before p99 bends; {HEADROOM:.0%} of it is planned with.",
        )
    ]  # fmt: skip
    for wanted in (100, 500):
        many = math.ceil(wanted / planned)
        what = (
            "one installation of this size"
            if many == 1
            else f"{many} installations of this size, each with a part of the organizations"
        )
        facts.append(
            Fact(name=f"per_second_{wanted}", value=f"For {wanted} requests a second: {what}, at {wanted / many / knee_per_second:.0%} of the knee.")
        )  # fmt: skip
    return tuple(facts)

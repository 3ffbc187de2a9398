"""A run against an earlier one: before, after, change, and what of it fails. Pure, but for reading the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from holdfast.plain import PlainError
from holdfast.proof.report.figures import figure, value
from holdfast.proof.report.model import Cell, Change, Compared, Figure, NotApplicable, Report, Run, Scenario
from holdfast.proof.report.promises import margin
from holdfast.proof.report.units import told

P95_WORSE_PERCENT: Final = 20.0
P99_WORSE_PERCENT: Final = 30.0
MISSED_PERCENT: Final = 10.0
FOR_INFORMATION: Final = "never: for information"
NO_BASELINE: Final = NotApplicable(reason="No earlier run was given as --baseline.")


class BaselineError(PlainError):
    """The file given as a baseline cannot be compared with; the message says why."""


def read(file: Path) -> Report:
    """The report of an earlier run, from its JSON. Raises BaselineError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Report)
    except OSError as error:
        raise BaselineError(f"The baseline cannot be read: {error}") from None
    except msgspec.DecodeError as error:
        raise BaselineError(f"{file} is no report of a proof that this version reads: {error}") from None


def compared(earlier: Run, now: Run) -> Compared:
    """Each latency, each limit and each hot path that both runs have."""
    before = {each.name: each for each in earlier.scenarios}
    changes = [
        change
        for one in now.scenarios
        if one.name in before
        for change in (*_latencies(before[one.name], one), *_limits(before[one.name], one))
    ]
    changes += _hot_paths(earlier, now)
    failed = [f"{one.scenario}: {_failure(one)}" for one in changes if one.fails]
    if not changes:
        failed = ["The two runs have no figure in common."]
    return Compared(
        started=earlier.started, commit=earlier.commit.commit, changes=tuple(changes),
        differences=tuple(_differences(earlier, now)), failed=tuple(failed),
    )  # fmt: skip


def _latencies(before: Scenario, after: Scenario) -> Iterator[Change]:
    known = {each.name: each for each in before.timings}
    for each in after.timings:
        if each.name not in known:
            continue
        was, now = known[each.name].distribution, each.distribution
        yield _change(after.name, f"{each.what}, mean", was.mean, now.mean)
        yield _change(after.name, f"{each.what}, p95", was.p95, now.p95, P95_WORSE_PERCENT)
        yield _change(after.name, f"{each.what}, p99", was.p99, now.p99, P99_WORSE_PERCENT)


def _limits(before: Scenario, after: Scenario) -> Iterator[Change]:
    known = {each.name: each for each in before.thresholds}
    for each in after.thresholds:
        left = value(margin(each))
        yield Change(
            scenario=after.name, name=f"Limit: {each.what}",
            before=known[each.name].measured if each.name in known else NotApplicable(reason="The earlier run had no such limit."),
            after=each.measured, change=_by(known[each.name].measured if each.name in known else None, each.measured),
            gate=f"missed by over {MISSED_PERCENT:.0f} %", fails=left is not None and left < -MISSED_PERCENT,
        )  # fmt: skip


def _hot_paths(earlier: Run, now: Run) -> Iterator[Change]:
    def paths(run: Run) -> dict[str, Cell]:
        if isinstance(run.database, NotApplicable) or isinstance(run.database.hot_paths, NotApplicable):
            return {}
        return {each.what: each.figure for each in run.database.hot_paths}

    was = paths(earlier)
    for what, figure_now in paths(now).items():
        if what in was and not (
            isinstance(was[what], NotApplicable) and isinstance(figure_now, NotApplicable)
        ):
            yield _change("hot path", f"{what}, mean", was[what], figure_now)


def _change(
    scenario: str, name: str, before: Cell, after: Cell, worse_percent: float | None = None
) -> Change:
    """Of a duration: more is worse."""
    change = _by(before, after)
    much = value(change)
    return Change(
        scenario=scenario, name=name, before=before, after=after, change=change,
        gate=FOR_INFORMATION if worse_percent is None else f"worse by over {worse_percent:.0f} %",
        fails=worse_percent is not None and much is not None and much > worse_percent,
    )  # fmt: skip


def _by(before: Cell | None, after: Cell) -> Cell:
    """Per cent of what it was."""
    if not isinstance(before, Figure) or not isinstance(after, Figure):
        return NotApplicable(reason="One of the two runs has no such figure.")
    if before.value == after.value:
        return figure(0, "%", min(before.n, after.n))
    if not before.value:
        return NotApplicable(reason="It was nothing before, so there is no share of it.")
    return figure(100 * (after.value - before.value) / abs(before.value), "%", min(before.n, after.n))


def _failure(one: Change) -> str:
    return f"{one.name} was {told(one.before)} and is {told(one.after)}; it fails if {one.gate}."


def _differences(earlier: Run, now: Run) -> Iterator[str]:
    """What makes it hard to say that a change of the figures is one of the program."""
    pairs = (
        ("Format", str(earlier.format), str(now.format)),
        ("Profile", earlier.profile.name, now.profile.name),
        ("Seed", str(earlier.seed), str(now.seed)),
        ("Processor", earlier.machine.processor, now.machine.processor),
        ("Processors", str(earlier.machine.processors), str(now.machine.processors)),
        ("Disk", earlier.machine.file_system, now.machine.file_system),
        ("Limits lifted", _lifts(earlier), _lifts(now)),
    )
    for name, was, new in pairs:
        if was != new:
            yield f"{name}: {was} before, {new} now."
    ran = {each.name for each in now.scenarios}
    gone = [each.name for each in earlier.scenarios if each.name not in ran]
    if gone:
        yield f"Not run now: {', '.join(gone)}."


def _lifts(run: Run) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(run.profile.lifts.items())) or "none"

"""Reports kept by date, and how their figures went from run to run. A folder for each day, in it one for each run."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from holdfast.proof.report.model import Cell, Figure, NotApplicable, Outcome, Run, Scenario, Trend, TrendPoint

REPORT: Final = "report.json"
_POINTS_MAX: Final = 200
_NOTHING_EARLIER: Final = NotApplicable(reason="The archive has no earlier valid run of this profile.")


class _Measured(msgspec.Struct, frozen=True):
    name: str
    measured: Cell


class _Scenario(msgspec.Struct, frozen=True):
    name: str
    thresholds: tuple[_Measured, ...]


class _Profile(msgspec.Struct, frozen=True):
    name: str


class _Commit(msgspec.Struct, frozen=True):
    commit: str


class _Run(msgspec.Struct, frozen=True):
    """As much of an archived run as a trend needs; runs of other formats may have this much."""

    started: datetime
    commit: _Commit
    profile: _Profile
    scenarios: tuple[_Scenario, ...]


class _Verdict(msgspec.Struct, frozen=True):
    outcome: Outcome


class _Report(msgspec.Struct, frozen=True):
    run: _Run
    verdict: _Verdict


def folder(archive: Path, run: Run) -> Path:
    """Where this run is kept: by day, then by time, profile and commit."""
    started = run.started
    return archive / f"{started:%Y-%m-%d}" / f"{started:%H%M%S}-{run.profile.name}-{run.commit.commit[:8]}"


def trends(archive: Path, now: Run) -> tuple[Trend, ...] | NotApplicable:
    """Each measured limit over the valid runs of the same profile, oldest first, this one last."""
    earlier = sorted(_earlier(archive, now), key=lambda each: each.started)[-_POINTS_MAX:]
    found = tuple(trend for one in now.scenarios for trend in _trends(one, earlier, now))
    return found or _NOTHING_EARLIER


def _earlier(archive: Path, now: Run) -> Iterator[_Run]:
    decoder = msgspec.json.Decoder(_Report)
    for file in archive.glob(f"*/*/{REPORT}"):
        try:
            report = decoder.decode(file.read_bytes())
        except msgspec.DecodeError:
            # Of another format, or cut off: a trend does without it.
            continue
        run = report.run
        if (
            report.verdict.outcome != "invalid"
            and run.profile.name == now.profile.name
            and run.started < now.started
        ):
            yield run


def _trends(one: Scenario, earlier: Sequence[_Run], now: Run) -> Iterator[Trend]:
    """A law has no trend: it holds or it does not."""
    for each in one.thresholds:
        if each.is_law or not isinstance(each.measured, Figure):
            continue
        points = [
            TrendPoint(at=run.started, commit=run.commit.commit, value=measured.value)
            for run in earlier
            if isinstance(measured := _measured(run, one.name, each.name), Figure)
        ]
        points.append(TrendPoint(at=now.started, commit=now.commit.commit, value=each.measured.value))
        if len(points) > 1:
            yield Trend(
                scenario=one.name, name=each.name, what=each.what, unit=each.unit, points=tuple(points)
            )


def _measured(run: _Run, scenario: str, threshold: str) -> Cell | None:
    return next(
        (
            each.measured
            for one in run.scenarios
            if one.name == scenario
            for each in one.thresholds
            if each.name == threshold
        ),
        None,
    )

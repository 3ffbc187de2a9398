"""Figures made from what was seen: with their unit and their n, or with the reason why there is none. Pure."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from holdfast.proof.report.model import Bin, Cell, Distribution, Figure, NotApplicable, Series, Unit, Usage
from holdfast.proof.statistics import nearest_rank, samples_needed

_BINS_MAX: Final = 48
_DIGITS: Final = 6
_NO_SAMPLES: Final = "No sample was taken of it."


def figure(value: float, unit: Unit, n: int) -> Figure:
    """A number with its unit and the cases behind it."""
    return Figure(value=round(value, _DIGITS), unit=unit, n=n)


def count(value: int, n: int) -> Figure:
    """How many, of `n` cases that were looked at."""
    return Figure(value=value, unit="count", n=n)


def share(part: int, whole: int) -> Cell:
    """Per cent; of nothing there is no share."""
    if not whole:
        return NotApplicable(reason="There was no case to take a share of.")
    return figure(100 * part / whole, "%", whole)


def value(cell: Cell) -> float | None:
    """The number, or None if there is none."""
    return cell.value if isinstance(cell, Figure) else None


def distribution(seconds: Iterable[float]) -> Distribution:
    """Of samples in seconds, by nearest rank. A percentile that so few samples cannot carry is not applicable."""
    ordered = sorted(1000 * each for each in seconds)
    n = len(ordered)

    def at(percent: float) -> Cell:
        needed = samples_needed(percent)
        if n < needed:
            return NotApplicable(reason=f"A p{percent:g} needs {needed:,} samples, and there were {n:,}.")
        return figure(nearest_rank(ordered, percent), "ms", n)

    if not n:
        none = NotApplicable(reason=_NO_SAMPLES)
        return Distribution(n=0, mean=none, p50=none, p95=none, p99=none, max=none, bins=())
    return Distribution(
        n=n, mean=figure(math.fsum(ordered) / n, "ms", n), p50=at(50), p95=at(95), p99=at(99),
        max=figure(ordered[-1], "ms", n), bins=tuple(_bins(ordered)),
    )  # fmt: skip


def _bins(ordered: Sequence[float]) -> Iterator[Bin]:
    """Bins that grow by the same factor, for latencies have long tails; one bin if all samples are alike."""
    low, high = max(ordered[0], ordered[-1] / 1e6, 1e-6), ordered[-1]
    steps = min(_BINS_MAX, max(1, math.ceil(math.log(max(high, low) / low) / math.log(1.12))))
    factor = (high / low) ** (1 / steps)
    edges = [low * factor**step for step in range(1, steps)] + [high]
    left = iter(ordered)
    waiting = next(left, None)
    for edge in edges:
        n = 0
        while waiting is not None and waiting <= edge:
            n, waiting = n + 1, next(left, None)
        yield Bin(upto=round(edge, _DIGITS), n=n)


def usage(name: str, what: str, unit: Unit, points: Sequence[tuple[float, float]]) -> Usage:
    """Of samples at seconds since the start: their average, their peak and the line."""
    if not points:
        none = NotApplicable(reason=_NO_SAMPLES)
        return Usage(name=name, what=what, average=none, peak=none, series=none)
    values = [each for _, each in points]
    return Usage(
        name=name, what=what, average=figure(math.fsum(values) / len(values), unit, len(values)),
        peak=figure(max(values), unit, len(values)), series=Series(name=name, unit=unit, points=tuple(points)),
    )  # fmt: skip


def per_second(name: str, moments: Iterable[float]) -> Series:
    """How many things happened in each second; moments are seconds since the start, in any order."""
    counts: dict[int, int] = {}
    for each in moments:
        counts[int(each)] = counts.get(int(each), 0) + 1
    last = max(counts, default=0)
    return Series(
        name=name,
        unit="per_second",
        points=tuple((float(second), float(counts.get(second, 0))) for second in range(last + 1)),
    )


def p95_of_each_second(name: str, samples: Iterable[tuple[float, float]]) -> Series:
    """Of samples (seconds since the start, latency in seconds): nearest rank within each second, however few; in a second
    without samples there is no point."""
    points = []
    for second, group in itertools.groupby(sorted(samples), key=lambda each: int(each[0])):
        ordered = sorted(latency for _, latency in group)
        points.append((float(second), round(1000 * nearest_rank(ordered, 95), _DIGITS)))
    return Series(name=name, unit="ms", points=tuple(points))

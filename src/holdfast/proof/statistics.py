"""Figures from samples. One estimator everywhere (nearest rank), always with n; a percentile that so few samples
cannot carry is not given. Reads no clock and no file.
"""

import math
import statistics
from collections.abc import Iterable, Sequence

import msgspec

_BEYOND_MIN = 10
"""How many samples must lie beyond a percentile: 20 for the median, 200 for p95, 1,000 for p99."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds. A percentile is None when n is too small for it."""

    n: int
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None


def nearest_rank(ordered: Sequence[float], percent: float) -> float:
    """The smallest sample that at least `percent` of all samples do not exceed. `ordered` ascends."""
    if not ordered:
        raise ValueError("no samples")
    if not 0 < percent <= 100:
        raise ValueError("percent must be above 0 and at most 100")
    return ordered[max(0, math.ceil(round(percent * len(ordered) / 100, 9)) - 1)]


def samples_needed(percent: float) -> int:
    """How many samples a percentile asks for."""
    return math.ceil(round(_BEYOND_MIN * 100 / (100 - percent), 9))


def latency(seconds: Iterable[float]) -> Latency:
    """The figures of a run, from its samples in seconds."""
    ordered = sorted(seconds)
    n = len(ordered)

    def at(percent: float) -> float | None:
        return _ms(nearest_rank(ordered, percent)) if n >= samples_needed(percent) else None

    return Latency(
        n=n,
        mean_ms=_ms(math.fsum(ordered) / n) if n else None,
        p50_ms=at(50),
        p95_ms=at(95),
        p99_ms=at(99),
        max_ms=_ms(ordered[-1]) if n else None,
    )


def median(values: Iterable[float | None]) -> float | None:
    """The median of the rounds; None if any round has no value, for a median of the rest would be of a choice."""
    known = list(values)
    if not known or any(value is None for value in known):
        return None
    return statistics.median(value for value in known if value is not None)


def ratio(measured: float | None, yardstick: float | None) -> float | None:
    """One by the other; None if either is missing or the yardstick is nothing."""
    if measured is None or not yardstick:
        return None
    return measured / yardstick


def median_ratio(measured: Sequence[float | None], yardstick: Sequence[float | None]) -> float | None:
    """The median of the ratios round by round, so that a drift between rounds cancels."""
    if len(measured) != len(yardstick):
        return None
    return median(ratio(one, other) for one, other in zip(measured, yardstick, strict=True))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)

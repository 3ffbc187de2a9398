"""Distributions of durations that were only counted into bins: each percentile is told by the upper bound of its bin, so that
the true one is at most that. Pure.
"""

import math
from typing import Final

from holdfast.proof.evidence.counted import Bins
from holdfast.proof.report.figures import figure
from holdfast.proof.report.model import Bin, Cell, Distribution, NotApplicable
from holdfast.proof.statistics import samples_needed

ESTIMATOR: Final = "nearest rank, told as the upper bound of its bin"


def distribution(bins: Bins, nothing: str) -> Distribution:
    """Of seconds, in milliseconds. `nothing`: the sentence that says why there may be none."""
    n = bins.n
    if not n:
        none = NotApplicable(reason=nothing)
        return Distribution(
            n=0, mean=none, p50=none, p95=none, p99=none, max=none, bins=(), estimator=ESTIMATOR
        )

    def at(percent: float) -> Cell:
        needed = samples_needed(percent)
        if n < needed:
            return NotApplicable(reason=f"A p{percent:g} needs {needed:,} samples, and there were {n:,}.")
        return _upper(bins, max(1, math.ceil(round(percent * n / 100, 9))))

    mean = bins.sum / n
    return Distribution(
        n=n, mean=figure(1000 * mean, "ms", n), p50=at(50), p95=at(95), p99=at(99), max=_upper(bins, n),
        bins=tuple(Bin(upto=1000 * bound, n=count) for bound, count in zip(_edges(bins), bins.counts, strict=True)),
        estimator=ESTIMATOR,
    )  # fmt: skip


def _upper(bins: Bins, rank: int) -> Cell:
    seen = 0
    for bound, count in zip(bins.bounds, bins.counts, strict=False):
        seen += count
        if seen >= rank:
            return figure(1000 * bound, "ms", bins.n)
    return NotApplicable(reason=f"It lies above the last bound, {1000 * bins.bounds[-1]:,.0f} ms.")


def _edges(bins: Bins) -> tuple[float, ...]:
    """The bounds, and one beyond the last, where a chart shows those above it."""
    return (*bins.bounds, 2 * bins.bounds[-1])

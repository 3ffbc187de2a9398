"""A histogram for what is counted on the road: adding to it takes no lock and looks nothing up by name, since only the
event loop's own thread does. Whoever reads makes of it what they need.
"""

from bisect import bisect_left
from collections.abc import Sequence


class Spread:
    """How many values lay at or below each bound, above the one before; the last count is of those above all."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def add_each(self, value: float, count: int) -> None:
        """The same value so many times."""
        self.counts[bisect_left(self.bounds, value)] += count
        self.sum += value * count

"""Where the time of a change goes: the parts of its way through the server, counted where they end. Each request weighs
the same, whoever it travelled with: what a batch does takes its whole time of every request in it, so the spans of a
request add up to its time.
"""

from collections.abc import Sequence
from typing import Final

from holdfast.db.spread import Spread

NAMES: Final = (
    "authenticate", "lane", "facts", "decide", "rules", "ahead", "write", "committing", "write_and_commit", "explain",
)  # fmt: skip
"""In the order of the road. What each is stands in docs/watching.md."""
_BOUNDS: Final[Sequence[float]] = (
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
)  # fmt: skip
"""Seconds; 0.05 is the seeds' limit for judging one slot and for finding a conflict."""


class Spans:
    """What the requests of this process have spent in each span."""

    def __init__(self) -> None:
        self.by_name = {name: Spread(_BOUNDS) for name in NAMES}
        self.authenticate = self.by_name["authenticate"]
        self.lane = self.by_name["lane"]
        self.decide = self.by_name["decide"]
        self.rules = self.by_name["rules"]
        """One choice of each batch, the first: a clock before and after each would cost more than it tells."""
        self.ahead = self.by_name["ahead"]
        self.explain = self.by_name["explain"]

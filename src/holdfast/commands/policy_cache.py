"""How often a compiled policy was in memory when a decision asked for it. Counts; keeps nothing."""


class PolicyCache:
    """One process's counters since it started: only what memory answered is a hit."""

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0

    def count(self, *, is_hit: bool) -> None:
        if is_hit:
            self.hits += 1
        else:
            self.misses += 1

    @property
    def hit_rate(self) -> float:
        """Between 0 and 1; 0 when nothing was asked for."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0

"""What a server has counted about itself: `/metrics` read before and after, and the difference. Reads text; asks nobody."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


class Bins(NamedTuple):
    """A histogram: how many values lie at or below each bound and above the one before, the last of them all others."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        return self.sum / self.n if self.n else None

    def with_those_of(self, other: "Bins") -> "Bins":
        """Both together; they have the same bounds."""
        counts = tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        return Bins(self.bounds, counts, self.sum + other.sum)


class Told:
    """One reading of `/metrics`."""

    def __init__(self, text: str) -> None:
        self.samples: dict[tuple[str, Labels], float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @property
    def process(self) -> float | None:
        """Tells processes apart: when the one that answered began. None where the system does not tell."""
        return self.value("process_start_time_seconds")

    def value(self, name: str, **labels: str) -> float | None:
        """Of the one sample with exactly these labels."""
        return self.samples.get((name, frozenset(labels.items())))


class Difference:
    """What was counted between two readings of one process; `before` None: since it began."""

    def __init__(self, before: Told | None, after: Told) -> None:
        self.after = after
        self._before: Mapping[tuple[str, Labels], float] = {} if before is None else before.samples

    def sum(self, name: str, **labels: str) -> float:
        """Over all samples of the name that have these labels, whatever others they have."""
        asked = frozenset(labels.items())
        return sum(
            value - self._before.get(key, 0.0)
            for key, value in self.after.samples.items()
            if key[0] == name and asked <= key[1]
        )

    def by(self, name: str, label: str) -> dict[str, float]:
        """The same, by the values of one label; those of which there is nothing are left out."""
        found: dict[str, float] = {}
        for key, value in self.after.samples.items():
            if key[0] == name:
                said = dict(key[1]).get(label, "")
                found[said] = found.get(said, 0.0) + value - self._before.get(key, 0.0)
        return {said: value for said, value in found.items() if value}

    def bins(self, name: str, **labels: str) -> Bins:
        """A histogram, of all that have these labels."""
        asked, upto = frozenset(labels.items()), dict[float, float]()
        for key, value in self.after.samples.items():
            if key[0] == f"{name}_bucket" and asked <= key[1]:
                bound = float(dict(key[1])["le"])
                upto[bound] = upto.get(bound, 0.0) + value - self._before.get(key, 0.0)
        bounds = sorted(upto)
        counts = [round(high - low) for low, high in pairwise([0.0, *(upto[bound] for bound in bounds)])]
        return Bins(tuple(bounds[:-1]), tuple(counts), self.sum(f"{name}_sum", **labels))

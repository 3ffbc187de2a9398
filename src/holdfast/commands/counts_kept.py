"""What a batch does to the counts of patients' units, which caps are held against: how they were read, as the batch before
leaves them, and what it changes itself, as the rows of its write.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from holdfast.db.written import UnitCount
from holdfast.rules.facts import Counted, DatesOf, Facts

Key = tuple[str, date, str, str]
"""Patient, local date, payer and service code."""

Units = Mapping[Key, int]


class CountsKept:
    """Rows are written as they shall be. Whoever changes one must have read it: a count of a date that was not read is not
    known to be nothing."""

    def __init__(self) -> None:
        self._read: dict[Key, int] = {}
        self.dates: set[DatesOf] = set()
        """For which all counts are known."""
        self._spans: dict[str, set[tuple[date, date]]] = {}
        """The same by patient."""
        self._before: dict[Key, int] = {}
        """What the batch before does, which may not be stored yet when this one's facts are read."""
        self._changed: dict[Key, int] = {}
        self._lifted: dict[Key, int] = {}
        self._keys: dict[str, set[Key]] = {}
        """Those that are known, by patient."""

    def learn(self, facts: Facts) -> None:
        self.dates.update(facts.counted_dates)
        for patient, first, last in facts.counted_dates:
            self._spans.setdefault(patient, set()).add((first, last))
        for patient, on, payer, code, units in facts.counts or ():
            self._read[patient, on, payer, code] = units
        self._know(self._read)

    def inherit(self, before: "CountsKept") -> None:
        self._before = before._changed  # noqa: SLF001 one may look into another
        self._know(self._before)

    def _know(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._keys.setdefault(key[0], set()).add(key)

    def copy(self) -> tuple[Any, ...]:
        """What `restore` puts back."""
        return dict(self._changed), dict(self._lifted)

    def restore(self, kept: tuple[Any, ...]) -> None:
        self._changed, self._lifted = dict(kept[0]), dict(kept[1])

    def lift(self, units: Units, sign: int = 1) -> None:
        """Takes a visit's units off for the question what may be held beside the others; with sign -1 puts them back."""
        for key, count in units.items():
            self._lifted[key] = self._lifted.get(key, 0) + sign * count

    def move(self, gone: Units, new: Units) -> None:
        """Counts units of `new` instead of those of `gone`."""
        for key in gone.keys() | new.keys():
            more = new.get(key, 0) - gone.get(key, 0)
            if more:
                self._changed[key] = self._now(key) + more
                self._know((key,))

    def _now(self, key: Key) -> int:
        for known in (self._changed, self._before, self._read):
            if key in known:
                return known[key]
        patient, on = key[:2]
        if not any(first <= on <= last for first, last in self._spans.get(patient, ())):
            raise LookupError(f"the units of {on} were not read")
        return 0

    def of(self, patient_id: str) -> tuple[Counted, ...]:
        """What is counted for a patient now, without what is lifted."""
        found = []
        for key in self._keys.get(patient_id, ()):
            lifted = self._lifted.get(key, 0)
            found.append(Counted(*key[1:], self._now(key) - lifted, lifted))
        return tuple(found)

    @property
    def known(self) -> dict[Key, int]:
        """All counts that were read, as the batch leaves them."""
        return {key: self._now(key) for keys in self._keys.values() for key in keys}

    @property
    def changed(self) -> list[UnitCount]:
        return [UnitCount(*key, units) for key, units in self._changed.items()]

"""Who has which time: the claims of an organization's resources as far as they have been read, by UTC day.

A timetable knows which days of which resources it holds, so a question about any other is an error and not an
empty answer. It takes part in a batch as its overlay: what is granted is added, what is released is taken out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import intern
from types import MappingProxyType
from typing import Any, NamedTuple
from weakref import WeakMethod

from holdfast.rules.facts import Hold, SpanOf, StoredClaim
from holdfast.slot import DAY, Span


class Claim(NamedTuple):
    """One seat of a resource is taken from `start` until `end`. `owner`: the appointment, hold or absence."""

    start: int
    end: int
    seat: int
    kind: str
    owner: str


Cell = tuple[str, int]
"""A resource and a UTC day (days since the epoch)."""


GIVEN = frozenset({"visit", "group"})
"""Kinds of claims under which somebody gives something; a group is one, however many come."""
_REMEMBERED_MAX = 2_000
_NOTHING: Mapping[int, int] = MappingProxyType({})


class Timetable:
    def __init__(self, seq: int, holds: Iterable[Hold] = ()) -> None:
        self.seq = seq
        self.holds: dict[str, Hold] = {}
        """Those that have not ended, with the claims that they have now; some may have expired."""

        self.learn_holds(holds)
        self._known: dict[str, dict[int, int]] = {}
        """The days that were read, by resource: a bit for each, 64 days in one number. Most days of most patients are
        empty, and an empty day costs no more than its bit."""

        self._asked: dict[str, dict[int, int]] = {}
        """The days that were asked for since `begin_asking`, likewise."""

        self._days: dict[str, dict[int, list[Claim]]] = {}
        """The claims that touch a day, by resource; days without are left out."""

        self.held = 0
        """How many claims are held, each as often as it touches a day."""
        self._totals: dict[Span, _Totals] = {}
        self._counts: dict[Cell, dict[Span, int]] = {}
        """How many visits and groups begin on a resource in a span, by the cells that the span touches, once asked for."""

        self._changes: list[tuple[str, Claim, bool]] = []
        """What was added (True) or removed since `seq`, in order: what is read anew does not show it yet."""
        self._departed = 0
        self._seq_departed: int | None = None
        self.remembered: dict[Any, Any] = {}
        """What was found out by it and is true as long as nothing in it changes."""

    def remember(self, key: Any, found: Any) -> None:
        if len(self.remembered) >= _REMEMBERED_MAX:
            self.remembered.clear()
        self.remembered[key] = found

    # What is being written. A batch departs when its write is sent and arrives when it is committed; until then a
    # reader sees the state before it or after it.

    def holds_at(self, seq: int) -> bool:
        """Whether what is read at `seq`, with the changes since, is what this timetable tells."""
        return seq in (self.seq, self._seq_departed)

    def depart(self, seq_after: int) -> None:
        """All changes so far are on their way and will be stored as of `seq_after`."""
        self._departed, self._seq_departed = len(self._changes), seq_after

    def arrive(self) -> None:
        """What departed is stored."""
        if self._seq_departed is not None:
            self.seq, self._seq_departed = self._seq_departed, None
        del self._changes[: self._departed]
        self._departed = 0

    @property
    def changes(self) -> int:
        """How many changes have not arrived; only for `take_back`, before anything else arrives."""
        return len(self._changes)

    def take_back(self, changes: int) -> None:
        """Undoes what was added and removed since there were so many changes."""
        for resource, claim, is_added in reversed(self._changes[changes:]):
            (self._take if is_added else self._put)(resource, claim)
            self._count(resource, claim, -1 if is_added else +1)
        del self._changes[changes:]
        self.remembered.clear()

    def __len__(self) -> int:
        """How many days of resources were read."""
        return sum(days.bit_count() for known in self._known.values() for days in known.values())

    @property
    def resources(self) -> int:
        """Of how many resources something was read."""
        return len(self._known)

    def missing(self, spans: Iterable[SpanOf], *, is_asked: bool = True) -> set[Cell]:
        """The cells that must be read before questions about these spans can be asked. `is_asked`: they will be, and not
        only perhaps."""
        missing: set[Cell] = set()
        all_known, all_asked = self._known, self._asked
        for resource, start, end in set(spans):
            known = all_known.get(resource, _NOTHING)
            for word, wanted in _words(start // DAY, (end - 1) // DAY):
                if is_asked:
                    asked = all_asked.get(resource)
                    if asked is None:
                        asked = all_asked[resource] = {}
                    asked[word] = asked.get(word, 0) | wanted
                lacking = wanted & ~known.get(word, 0)
                if lacking:  # nearly never
                    missing |= {(resource, (word << 6) + bit) for bit in range(64) if lacking >> bit & 1}
        return missing

    def begin_asking(self) -> None:
        """From here on it is noted anew which days are asked for."""
        self._asked = {}

    def forget_unasked(self) -> None:
        """Forgets the days with claims that were not asked for since `begin_asking`, and begins that again. A day without
        costs nothing and stays."""
        for resource, days in self._days.items():
            known, asked = self._known[resource], self._asked.get(resource, _NOTHING)
            for day in [day for day in days if not asked.get(day >> 6, 0) >> (day & 63) & 1]:
                known[day >> 6] &= ~(1 << (day & 63))
                self.held -= len(days.pop(day))
                self._uncount(resource, day)
        self.begin_asking()

    def fill(self, cells: set[Cell], claims: Iterable[StoredClaim]) -> None:
        """Takes in what was read for `cells`: every claim that touches them."""
        self.remembered.clear()
        for resource, day in cells:
            known = self._known.setdefault(resource, {})
            known[day >> 6] = known.get(day >> 6, 0) | 1 << (day & 63)
            self.held -= len(self._days.setdefault(resource, {}).pop(day, ()))
            self._uncount(resource, day)
        shared: dict[Claim, Claim] = {}
        for stored in claims:
            claim = Claim(stored.start, stored.end, stored.seat, intern(stored.kind), stored.owner)
            # those of a visit are mostly equal for everybody in it, and then need their memory once
            self._put(stored.resource_id, shared.setdefault(claim, claim), cells)
        for resource, claim, is_added in self._changes:
            (self._put if is_added else self._take)(resource, claim, cells)

    def _put(self, resource: str, claim: Claim, cells: set[Cell] | None = None) -> None:
        """Puts a claim into the days that it touches, those of `cells` or all, as far as they were read."""
        known = self._known.get(resource, _NOTHING)
        for day in range(claim.start // DAY, (claim.end - 1) // DAY + 1):
            if known.get(day >> 6, 0) >> (day & 63) & 1 and (cells is None or (resource, day) in cells):
                held = self._days[resource].setdefault(day, [])
                if claim not in held:
                    held.append(claim)
                    self.held += 1

    def _take(self, resource: str, claim: Claim, cells: set[Cell] | None = None) -> None:
        """Takes a claim out of the days that it touches, likewise."""
        days = self._days.get(resource, {})
        for day in range(claim.start // DAY, (claim.end - 1) // DAY + 1):
            if claim in days.get(day, ()) and (cells is None or (resource, day) in cells):
                days[day].remove(claim)
                self.held -= 1

    def _read(self, resource: str, day: int) -> Sequence[Claim]:
        """The claims that touch a day. Raises KeyError if it was not read."""
        if not self._known[resource].get(day >> 6, 0) >> (day & 63) & 1:
            raise KeyError(resource, day)
        return self._days[resource].get(day, ())

    def overlapping(self, resource: str, start: int, end: int) -> list[Claim]:
        """The claims that overlap [start, end), in order. Raises KeyError for time that was not read."""
        first, last = start // DAY, (end - 1) // DAY
        found = [c for c in self._read(resource, first) if c.start < end and start < c.end]
        for day in range(first + 1, last + 1):
            found += [
                c for c in self._read(resource, day) if c.start < end and start < c.end and c not in found
            ]
        found.sort()
        return found

    def free_seat(self, resource: str, start: int, end: int, seats: int) -> int | None:
        """The lowest seat that is free for all of [start, end), None if there is none. Asked of every room for every
        booking, so it looks into the days itself."""
        known, days = self._known[resource], self._days[resource]
        first, last = start // DAY, (end - 1) // DAY
        taken: set[int] = set()
        for day in (first,) if first == last else range(first, last + 1):
            if not known.get(day >> 6, 0) >> (day & 63) & 1:
                raise KeyError(resource, day)
            for claim in days.get(day, ()):
                if claim.start < end and start < claim.end:
                    if seats == 1:
                        return None
                    taken.add(claim.seat)
        return next((seat for seat in range(seats) if seat not in taken), None) if taken else 0

    def around(self, resource: str, start: int, end: int) -> tuple[list[Claim], int, int]:
        """The claims of the days that [start, end) touches and of those beside them, in order, as far as these were
        read; and from when to when that is known."""
        known = self._known.get(resource, _NOTHING)
        first, last = start // DAY, (end - 1) // DAY
        first -= known.get((first - 1) >> 6, 0) >> ((first - 1) & 63) & 1
        last += known.get((last + 1) >> 6, 0) >> ((last + 1) & 63) & 1
        low, high = first * DAY, (last + 1) * DAY
        return self.overlapping(resource, low, high), low, high

    def has(self, resource: str, start: int, end: int, owner: str) -> bool:
        """Whether the owner has some of [start, end) of a resource, as far as it was read."""
        known, days = self._known.get(resource, _NOTHING), self._days.get(resource, {})
        return any(
            claim.owner == owner and claim.start < end and start < claim.end
            for day in range(start // DAY, (end - 1) // DAY + 1)
            if known.get(day >> 6, 0) >> (day & 63) & 1
            for claim in days.get(day, ())
        )

    def in_use(self, wanted: Iterable[tuple[str, int]], start: int) -> set[str]:
        """Of resources with one seat, each with its own end, those that somebody has some of [start, end). Raises KeyError for
        time that was not read. Asked of all rooms for every booking, so it looks into the days itself."""
        all_known, all_days, day = self._known, self._days, start // DAY
        word, bit, last_of_day = day >> 6, 1 << (day & 63), (day + 1) * DAY
        found: set[str] = set()
        for resource, end in wanted:
            if end > last_of_day:
                if self.free_seat(resource, start, end, 1) is None:
                    found.add(resource)
                continue
            if not all_known[resource].get(word, 0) & bit:
                raise KeyError(resource, day)
            for claim in all_days[resource].get(day, ()):
                if claim[0] < end and start < claim[1]:
                    found.add(resource)
                    break
        return found

    def visits_beginning(self, start: int, end: int) -> Mapping[str, int]:
        """How many visits and groups begin in [start, end), by resource: of each counted once, when it is asked for, then kept
        up to date. Raises KeyError for time that was not read."""
        found = self._totals.get((start, end))
        if found is None:
            found = self._totals[start, end] = _Totals(WeakMethod(self._beginning), start, end)
        return found

    def _beginning(self, resource: str, start: int, end: int) -> int:
        total = 0
        for day in range(start // DAY, (end - 1) // DAY + 1):
            counts = self._counts.setdefault((resource, day), {})
            count = counts.get((start, end))
            if count is None:
                count = counts[start, end] = sum(
                    1
                    for claim in self._read(resource, day)
                    if start <= claim.start < end and claim.kind in GIVEN and claim.start // DAY == day
                )
            total += count
        return total

    def owners_beginning(self, resource: str, start: int, end: int) -> int:
        """How many visits, groups and holds have time of a resource that begins in [start, end), each once."""
        claims = self.overlapping(resource, start, end)
        return len(
            {
                each.owner
                for each in claims
                if (each.kind in GIVEN or each.kind == "hold") and each.start >= start
            }
        )

    def _uncount(self, resource: str, day: int) -> None:
        for span in self._counts.pop((resource, day), ()):
            if span in self._totals:
                self._totals[span].pop(resource, None)

    def _count(self, resource: str, claim: Claim, by: int) -> None:
        if claim.kind in GIVEN and (counts := self._counts.get((resource, claim.start // DAY))):
            for span in counts:
                if span[0] <= claim.start < span[1]:
                    counts[span] += by
                    if span in self._totals and resource in self._totals[span]:
                        self._totals[span][resource] += by

    # What is only read may be followed: as others write, what they have changed is forgotten and read anew.

    def follow(self, seq: int, owners: set[str], spans: Iterable[SpanOf]) -> None:
        """Goes on to a later seq. The days in which these owners have claims, and those of the spans, are forgotten; all
        others must be as they were. Holds are to be told anew."""
        cells = {
            (resource, day)
            for resource, days in self._days.items()
            for day, held in days.items()
            if any(claim.owner in owners for claim in held)
        } if owners else set()  # fmt: skip
        for resource, start, end in spans:
            cells |= {(resource, day) for day in range(start // DAY, (end - 1) // DAY + 1)}
        for resource, day in cells:
            known = self._known.get(resource)
            if known is not None and day >> 6 in known:
                known[day >> 6] &= ~(1 << (day & 63))
                self.held -= len(self._days[resource].pop(day, ()))
                self._uncount(resource, day)
        self.seq, self.wants_holds = seq, True
        self._changes.clear()
        self.remembered.clear()

    def learn_holds(self, holds: Iterable[Hold]) -> None:
        """All that have not ended, as they are at `seq`."""
        self.holds = {hold.id: hold for hold in holds if hold.ended_as is None}
        self.wants_holds = False

    def expired(self, now: int) -> list[Hold]:
        return [hold for hold in self.holds.values() if now >= hold.expires_at] if self.holds else []

    def owned(self, resource: str, start: int, end: int, owner: str) -> list[Claim]:
        return [claim for claim in self.overlapping(resource, start, end) if claim.owner == owner]

    def add(self, resource: str, claim: Claim) -> None:
        self._put(resource, claim)
        self._changes.append((resource, claim, True))
        self.remembered.clear()
        self._count(resource, claim, +1)

    def remove(self, resource: str, claim: Claim) -> None:
        self._take(resource, claim)
        self._changes.append((resource, claim, False))
        self.remembered.clear()
        self._count(resource, claim, -1)


def _words(first: int, last: int) -> Sequence[tuple[int, int]]:
    """The days from first to last as bits: by their word of 64 days."""
    if first >> 6 == last >> 6:  # nearly always
        return ((first >> 6, ((2 << (last - first)) - 1) << (first & 63)),)
    found = []
    for word in range(first >> 6, (last >> 6) + 1):
        low, high = max(first, word << 6), min(last, (word << 6) + 63)
        found.append((word, ((2 << (high - low)) - 1) << (low & 63)))
    return found


class _Totals(dict[str, int]):
    """How many begin in a span, by resource. Reading is all that it costs to ask again. Part of a timetable, which must not
    live on for it."""

    def __init__(self, count: WeakMethod[Callable[[str, int, int], int]], start: int, end: int) -> None:
        self._count, self._span = count, (start, end)

    def __missing__(self, resource: str) -> int:
        count = self._count()
        assert count is not None  # noqa: S101 whoever asks has the timetable
        found = self[resource] = count(resource, *self._span)
        return found


def held_by(hold: Hold) -> list[tuple[str, Claim]]:
    """The claims that a hold has, each with its resource."""
    return [
        (claim.resource_id, Claim(claim.start, claim.end, claim.seat, claim.kind, claim.owner))
        for claim in hold.claims
    ]


def spans_of(cells: Iterable[Cell]) -> list[SpanOf]:
    """Cells as spans to read: days that follow each other on a resource become one."""
    spans: list[SpanOf] = []
    for resource, day in sorted(cells):
        if spans and spans[-1][0] == resource and spans[-1][2] == day * DAY:
            spans[-1] = (resource, spans[-1][1], (day + 1) * DAY)
        else:
            spans.append((resource, day * DAY, (day + 1) * DAY))
    return spans

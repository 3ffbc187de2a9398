"""Units as they were acknowledged, against each authorization's ledger. Pure.

The stored ledger is the order that the grants claim to have had: each entry made one version. It is right if every
acknowledged operation has its entries there and no entry is anybody else's, if the counters of every answer are those of its
version, if no version passes the total, and if time never contradicts the order. A refusal must be true of the version that
it names, and that version must have been the present one at some time between its sending and its answer.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from holdfast.proof.history.deeds import Deed, Finding, Seen, ended, out_of_order
from holdfast.proof.history.log import BY_HAND, Counters, Operation, Refusal, Visit, Wish
from holdfast.proof.history.stored import Entry, Stored
from holdfast.proof.history.visits import Course

_Step = tuple[str, str, int]
"""The kind of an entry, its authorization, and units."""
_SHORT = frozenset({"insufficient_units", "units_not_reserved"})


class Ledger:
    """One authorization: its entries since the history began, its counters at each version, and whose each entry is."""

    def __init__(self, authorization: Counters, base: Counters | None, entries: Iterable[Entry]) -> None:
        self.authorization = authorization
        start = base or Counters(
            id=authorization.id, version=1, total_units=authorization.total_units, used_units=0, scheduled_units=0,
            manual_units=0,
        )  # fmt: skip
        self.entries = {each.entry_no: each for each in entries if each.entry_no > start.version}
        self.states = {start.version: start}
        for number, each in self.entries.items():
            self.states[number] = start = _after(start, each)
        self.makers: dict[int, Deed] = {}

    def claim(self, deed: Deed, numbers: Iterable[int]) -> Iterator[Finding]:
        """Says that a deed made these versions."""
        for number in numbers:
            if number in self.makers:
                yield Finding(
                    "version",
                    f"{self.makers[number]} and {deed} both made version {number} of authorization {self.authorization.id}.",
                )
            self.makers[number] = deed

    def unclaimed(self) -> list[Entry]:
        return [each for number, each in self.entries.items() if number not in self.makers]


def _after(counters: Counters, entry: Entry) -> Counters:
    promised = 0 if entry.kind == "adjust" else entry.units if entry.kind == "reserve" else -entry.units
    return Counters(
        id=counters.id, version=entry.entry_no, total_units=counters.total_units,
        used_units=counters.used_units + (entry.units if entry.kind in ("consume", "adjust") else 0),
        scheduled_units=counters.scheduled_units + promised,
        manual_units=counters.manual_units + (promised if entry.is_manual else 0),
    )  # fmt: skip


def check(
    operations: Sequence[Operation],
    deeds: Sequence[Deed],
    courses: Iterable[Course],
    stored: Stored,
    before: Stored,
) -> Iterator[Finding]:
    """Everything about units. `operations` and `deeds` are the same history, `courses` its visits."""
    entries = stored.ledgers()
    ledgers = {
        each.id: Ledger(each, before.authorizations.get(each.id), entries.get(each.id, []))
        for each in stored.authorizations.values()
    }
    for ledger in ledgers.values():
        yield from _sound(ledger)
    by_hand = [deed for deed in deeds if deed.wish.kind in BY_HAND]
    for deed in by_hand:
        if deed.counters is not None:
            yield from _acknowledged(deed, deed.counters, ledgers.get(deed.wish.subject))
    yield from _of_visits(courses, stored, ledgers)
    yield from _unexplained([deed for deed in by_hand if deed.outcome == "unknown"], ledgers)
    seen = {
        each: [Seen((number, 0), deed.begin, deed.end, str(deed)) for number, deed in ledger.makers.items()]
        for each, ledger in ledgers.items()
    }
    for number, operation in enumerate(operations):
        refusal = operation.refusal
        if refusal is not None and refusal.code in _SHORT:
            authorization = refusal.authorization_id or operation.wish.subject
            yield from _refused(number, operation.wish, refusal, ledgers.get(authorization))
            if authorization in seen:
                who = f"operation {number} (refused: {refusal.code})"
                place = (refusal.version, 1)
                seen[authorization].append(Seen(place, operation.begin, ended(operation), who))
    for each, places in seen.items():
        yield from out_of_order(f"Authorization {each}", places)


def _sound(ledger: Ledger) -> Iterator[Finding]:
    """The stored ledger by itself: no gap, never above the total, and it adds up to the stored counters."""
    name = f"authorization {ledger.authorization.id}"
    for one, other in pairwise(ledger.states):
        if other != one + 1:
            yield Finding(
                "ledger", f"The ledger of {name} has entry {other} after {one}, and none in between."
            )
    for number, state in ledger.states.items():
        if state.available < 0:
            yield Finding(
                "overbooked",
                f"At version {number} of {name} {state.used_units} used and {state.scheduled_units} scheduled units are more "
                f"than the total of {state.total_units}.",
            )
    last = max(ledger.states)
    if ledger.states[last] != ledger.authorization:
        yield Finding(
            "ledger", f"The stored counters of {name} are not what its entries up to {last} add up to."
        )


def _steps(wish: Wish) -> list[_Step]:
    """The entries that a wish by hand makes. What is consumed of a reservation ends it: the rest is released."""
    made: list[_Step] = [(wish.kind, wish.subject, wish.units)]
    if wish.kind == "consume" and wish.of_reserved is not None and wish.of_reserved > wish.units:
        made.append(("release", wish.subject, wish.of_reserved - wish.units))
    return made


def _step(entry: Entry) -> _Step:
    return entry.kind, entry.authorization_id, entry.units


def _acknowledged(deed: Deed, counters: Counters, ledger: Ledger | None) -> Iterator[Finding]:
    """An operation by hand has its entries, which end at the version of its answer, and was told the counters there."""
    if counters.id != deed.wish.subject:
        yield Finding("answer", f"{deed} was answered with authorization {counters.id}.")
    if ledger is None:
        yield Finding(
            "lost", f"{deed} was acknowledged, and authorization {deed.wish.subject} is not stored."
        )
        return
    steps = _steps(deed.wish)
    numbers = range(counters.version - len(steps) + 1, counters.version + 1)
    made = [ledger.entries.get(number) for number in numbers]
    if None in made:
        yield Finding(
            "lost", f"{deed} was told version {counters.version}, and the ledger has no entry that made it."
        )
        return
    if not _are(made, steps):
        yield Finding("differs", f"{deed} was told version {counters.version}, whose entry is another's.")
    elif ledger.states[counters.version] != counters:
        state = ledger.states[counters.version]
        yield Finding(
            "differs",
            f"{deed} was told {counters.scheduled_units} scheduled, {counters.manual_units} by hand and {counters.used_units} used of "
            f"{counters.total_units} at version {counters.version}; by the ledger it was {state.scheduled_units}, "
            f"{state.manual_units} and {state.used_units} of {state.total_units}.",
        )
    yield from ledger.claim(deed, numbers)


def _of_visits(courses: Iterable[Course], stored: Stored, ledgers: dict[str, Ledger]) -> Iterator[Finding]:
    """What each visit's versions did to units, as its ledger entries say, in their order. After a version that nobody was told
    of, the entries are those of the operations of unknown outcome."""
    of_visit: dict[str, list[Entry]] = defaultdict(list)
    for entry in stored.entries:
        ledger = ledgers.get(entry.authorization_id)
        if entry.appointment_id is not None and ledger is not None and entry.entry_no in ledger.entries:
            of_visit[entry.appointment_id].append(entry)
    for course in courses:
        entries = of_visit[course.visit_id]
        at = 0
        was, version = course.before, (course.before.version if course.before is not None else 0)
        while (deed := course.made.get(version + 1)) is not None and deed.visit is not None:
            steps = _changed(was, deed.visit)
            made = entries[at : at + len(steps)]
            if sorted(map(_step, made)) != sorted(steps):
                yield Finding(
                    "differs",
                    f"{deed} changed units of visit {course.visit_id} by {steps}, and the ledger says {[_step(e) for e in made]}.",
                )
                break
            for entry in made:
                yield from ledgers[entry.authorization_id].claim(deed, [entry.entry_no])
            at, was, version = at + len(steps), deed.visit, version + 1
        if course.unknown:
            for entry in entries[at:]:
                yield from ledgers[entry.authorization_id].claim(course.unknown[0], [entry.entry_no])


def _changed(before: Visit | None, after: Visit) -> list[_Step]:
    """What happens to units between two versions of a visit: what a line held goes back, what it holds is taken."""
    old, new = (
        {
            line.line_no: (line.authorization_id, line.units_reserved)
            for line in (visit.lines if visit else ())
        }
        for visit in (before, after)
    )
    found = [("release", *held) for number, held in old.items() if new.get(number) != held]
    found += [("reserve", *held) for number, held in new.items() if old.get(number) != held]
    return [
        (kind, authorization, units)
        for kind, authorization, units in found
        if authorization is not None and units
    ]


def _unexplained(unknown: list[Deed], ledgers: dict[str, Ledger]) -> Iterator[Finding]:
    """Entries that no acknowledged operation made are those of operations of unknown outcome, each at most once: of those
    that time allows, the one that was sent first has the first."""
    waiting: dict[str, list[Deed]] = defaultdict(list)
    for deed in unknown:
        waiting[deed.wish.subject].append(deed)
    for name, ledger in ledgers.items():
        candidates = waiting[name]
        for entry in ledger.unclaimed():
            if entry.entry_no in ledger.makers:
                continue
            fitting = [deed for deed in candidates if _fits(deed.wish, ledger, entry.entry_no)]
            if not fitting:
                yield Finding(
                    "nowhere",
                    f"Entry {entry.entry_no} of authorization {name} ({entry.kind} of {entry.units} units) is stored, and "
                    "nobody was told of it or could have made it.",
                )
                continue
            first = entry.entry_no
            latest = min((deed.end for n, deed in ledger.makers.items() if n > first), default=math.inf)
            found = min(fitting, key=lambda d: (d.begin > latest, -len(_steps(d.wish)), d.begin))
            candidates.remove(found)
            yield from ledger.claim(found, range(first, first + len(_steps(found.wish))))


def _fits(wish: Wish, ledger: Ledger, first: int) -> bool:
    """Whether the entries from `first` on are those that the wish makes, and still nobody's."""
    steps = _steps(wish)
    numbers = range(first, first + len(steps))
    made = [ledger.entries.get(number) for number in numbers]
    return not any(number in ledger.makers for number in numbers) and _are(made, steps)


def _are(entries: Sequence[Entry | None], steps: Sequence[_Step]) -> bool:
    """Whether these entries were made by hand and are those steps."""
    made = [_step(entry) for entry in entries if entry is not None and entry.is_manual]
    return len(made) == len(entries) and made == list(steps)


def _refused(number: int, wish: Wish, refusal: Refusal, ledger: Ledger | None) -> Iterator[Finding]:
    """A refusal for want of units, against the version that it names."""
    who = f"operation {number} ({wish.kind}, refused: {refusal.code})"
    state = None if ledger is None else ledger.states.get(refusal.version)
    if state is None:
        yield Finding(
            "refusal", f"{who} names version {refusal.version} of an authorization, which never was."
        )
        return
    is_short = refusal.code == "insufficient_units"
    there, told = (state.available, refusal.available) if is_short else (state.manual_units, refusal.reserved)
    if there != told or refusal.requested is None or there >= refusal.requested:
        yield Finding(
            "refusal",
            f"{who} says that {told} units were there for {refusal.requested} at version {refusal.version} of authorization "
            f"{state.id}; there were {there}.",
        )
    if wish.kind in BY_HAND and refusal.requested != (wish.of_reserved or wish.units):
        yield Finding("refusal", f"{who} was refused {refusal.requested} units, which it did not ask for.")

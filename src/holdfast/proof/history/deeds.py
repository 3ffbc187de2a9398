"""A history as its clients meant it: every try of one wish together, whatever became of each; and the order that time itself
proves. Pure.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from holdfast.proof.history.log import BY_HAND, Counters, Operation, Outcome, Visit, Wish

_FINAL = frozenset({404, 409, 410, 412, 422})
"""What is said after looking: no other try of a key that was granted may be told so."""


class Finding(msgspec.Struct, frozen=True):
    """What cannot be: `kind` for counting, and a sentence that names the operations and the evidence."""

    kind: str
    sentence: str


class Deed(NamedTuple):
    """A wish and what became of it: sent from `begin` on, and done by `end` if it was acknowledged (else nobody knows)."""

    number: int
    wish: Wish
    outcome: Outcome
    begin: float
    end: float
    visit: Visit | None
    counters: Counters | None

    def __str__(self) -> str:
        wish = self.wish
        what = f"{wish.kind} of {wish.units} units" if wish.kind in BY_HAND else wish.kind
        key = f", key {wish.key}" if wish.key else ""
        return f"operation {self.number} ({what}{key})"


def deeds(operations: Sequence[Operation]) -> tuple[list[Deed], list[Finding]]:
    """What was wished for, by the first sending; and where a key had more than one effect or answer. An operation is told by
    its place in the history, from 0 on."""
    tries: dict[tuple[str, int], list[tuple[int, Operation]]] = defaultdict(list)
    for number, each in enumerate(operations):
        tries[each.wish.key, -1 if each.wish.key else number].append((number, each))
    made: list[Deed] = []
    found: list[Finding] = []
    for (key, _), group in tries.items():
        found += _unreadable(group)
        acknowledged = [(n, each) for n, each in group if each.outcome == "ok"]
        if not acknowledged:
            made += _not_acknowledged(group)
            continue
        number, first = acknowledged[0]
        end = min(ended(each) for _, each in acknowledged)
        for other, each in acknowledged[1:]:
            if each.wish != first.wish:
                found.append(
                    Finding("key", f"Key {key} was granted to two wishes: operations {number} and {other}.")
                )
            elif each.digest != first.digest:
                found.append(
                    Finding("key", f"Key {key} has two answers: those of operations {number} and {other}.")
                )
        tried = [each for _, each in group if each.wish == first.wish and each.outcome != "fail"]
        begin = min(each.begin for each in tried)
        found += [
            Finding(
                "key", f"Key {key}, granted to operation {number}, was refused to operation {n}, sent later."
            )
            for n, each in group
            if each.wish == first.wish and each.status in _FINAL and each.begin > end
        ]
        made.append(Deed(number, first.wish, "ok", begin, end, first.visit, first.counters))
    return sorted(made, key=lambda deed: deed.begin), found


def _not_acknowledged(group: list[tuple[int, Operation]]) -> Iterator[Deed]:
    """Of tries under one key at most one had an effect: the first whose end nobody knows stands for all of its wish."""
    wishes: list[Wish] = []
    for number, each in group:
        if each.outcome == "unknown" and each.wish not in wishes:
            wishes.append(each.wish)
            yield Deed(number, each.wish, "unknown", each.begin, math.inf, None, None)


def _unreadable(group: list[tuple[int, Operation]]) -> Iterator[Finding]:
    for number, each in group:
        if 200 <= each.status < 300 and each.outcome != "ok":
            yield Finding(
                "unreadable", f"Operation {number} was answered {each.status} without what it answers with."
            )


def ended(operation: Operation) -> float:
    return math.inf if operation.end is None else operation.end


class Seen(NamedTuple):
    """Somebody was at a place in the order of one thing's versions. Whoever made version n is at (n, 0), whoever was shown
    it at (n, 1)."""

    place: tuple[int, int]
    begin: float
    end: float
    who: str


def out_of_order(what: str, seen: Iterable[Seen]) -> Iterator[Finding]:
    """Who was answered before somebody else asked, and comes later in the order all the same."""
    earliest: Seen | None = None
    by_place = sorted(seen, key=lambda each: each.place, reverse=True)
    for place, group in groupby(by_place, key=lambda each: each.place):
        there = list(group)
        for each in there:
            if earliest is not None and earliest.end < each.begin:
                yield Finding(
                    "order",
                    f"{what}: {earliest.who} was answered {each.begin - earliest.end:.6f} s before {each.who} was sent, "
                    f"and is at version {earliest.place[0]}, later than version {place[0]}.",
                )
        first = min(there, key=lambda each: each.end)
        earliest = first if earliest is None or first.end < earliest.end else earliest

"""Who stands in for somebody at several visits at once, so that as many as possible take place."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from holdfast.slot import Span, overlaps

_STEPS_MAX = 10_000
"""So many choices are tried at most (some ten milliseconds); the best assignment found by then counts."""


class StandIn(msgspec.Struct, frozen=True):
    """Somebody who could give a visit in somebody else's place, and when they would be busy with it. `seats`: how many
    visits they can have at once; `knows`: they have seen the patient before; `load`: their visits of that day."""

    id: str
    name: str
    span: Span
    seats: int
    knows: bool
    load: int


def by_preference(able: Iterable[StandIn], more: Mapping[str, int] = MappingProxyType({})) -> list[StandIn]:
    """Who knows the patient first, then who has least to do that day (`more`: what was added), then by name."""
    return sorted(
        able, key=lambda each: (not each.knows, each.load + more.get(each.id, 0), each.name, each.id)
    )


def assigned(able: Sequence[Sequence[StandIn]]) -> list[StandIn | None]:
    """For each visit one of those who are able, or nobody; nobody has more at once than they can.

    As many visits as possible are stood in for (by exact search, bounded); of several such assignments it is the first by
    preference, visit by visit in the order that is given.
    """
    best: list[StandIn | None] = [None] * len(able)
    most = 0
    steps = 0
    chosen: list[StandIn | None] = []
    left = [sum(map(bool, able[number:])) for number in range(len(able) + 1)]
    """How many of the visits from each on somebody is able to give."""

    def search(count: int) -> None:
        nonlocal best, most, steps
        steps += 1
        number = len(chosen)
        if count + left[number] <= most or steps > _STEPS_MAX:
            return
        if number == len(able):
            best, most = list(chosen), count
            return
        given = [each for each in chosen if each is not None]
        more = Counter(each.id for each in given)
        for each in by_preference(able[number], more):
            if sum(other.id == each.id and overlaps(other.span, each.span) for other in given) < each.seats:
                chosen.append(each)
                search(count + 1)
                chosen.pop()
        chosen.append(None)
        search(count)
        chosen.pop()

    search(0)
    return best

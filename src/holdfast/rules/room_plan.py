"""Which rooms a day's visits could have, all of them out of each other's way: the places that each may take, and which of
these exclude each other. Choosing among them is arithmetic, and done elsewhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from holdfast.rules.facts import Directory, Visit
from holdfast.rules.rooms import Account, RoomRefusal
from holdfast.rules.timetable import Timetable
from holdfast.slot import MINUTE, Span

PLANNED: Final = ("scheduled", "confirmed")
"""The statuses of visits whose room may still be another; who has arrived is there."""


class Place(NamedTuple):
    """A room that a visit may have, with its turnover: `until` is when the next may come. `stays`: the room that it has.
    One that is not `is_fit` has it and may keep it, though no rule or hour would give it anew."""

    visit: int
    room_id: str
    start: int
    until: int
    score: int
    stays: bool
    is_fit: bool = True


class Exclusion(NamedTuple):
    """Of these places (by index) at most so many can be taken: they are in one room at one moment."""

    places: tuple[int, ...]
    most: int


def places(number: int, visit: Visit, account: Account) -> list[Place]:
    """The rooms that visit `number` could have by `account`, which was made with all that may move out of the way. A visit
    that stays keeps the turnover that it has."""
    kept_until = visit.end + visit.turnover_minutes * MINUTE
    found = [
        Place(
            number,
            free.suitable.room.id,
            visit.start,
            visit.end + free.turnover_minutes * MINUTE,
            free.score,
            stays=False,
        )
        for free in account.free
        if free.suitable.room.id != visit.room_id
    ]
    if visit.room_id is not None:
        own = [free.score for free in account.free if free.suitable.room.id == visit.room_id]
        stays = Place(
            number, visit.room_id, visit.start, kept_until, own[0] if own else 0, stays=True, is_fit=bool(own)
        )
        found.insert(0, stays)
    return found


def exclusions(
    directory: Directory, timetable: Timetable, offered: Sequence[Place]
) -> Iterator[list[Exclusion]]:
    """What excludes each other among the places, room by room: of a large day each takes some milliseconds. A room has as
    many visits at once as it has seats, less those that something else takes then: who sits on which is arranged when they
    come (rules/seats.py)."""
    in_room: dict[str, list[int]] = defaultdict(list)
    for number, place in enumerate(offered):
        in_room[place.room_id].append(number)
    for room_id, numbers in in_room.items():
        seats = directory.rooms[room_id].seats
        others = _others(timetable, room_id, [offered[n] for n in numbers]) if seats > 1 else []
        yield _exclusions(offered, numbers, seats, others)


def _exclusions(
    offered: Sequence[Place], numbers: Sequence[int], seats: int, others: Sequence[Span]
) -> list[Exclusion]:
    """Those of one room, where the places of these numbers are."""
    found: list[Exclusion] = []
    coming = sorted(numbers, key=lambda n: offered[n].start, reverse=True)
    there: list[int] = []
    last: Exclusion | None = None
    for moment in sorted({offered[n].start for n in numbers} | {start for start, _ in others}):
        there = [n for n in there if moment < offered[n].until]
        while coming and offered[coming[-1]].start <= moment:
            there.append(coming.pop())
        each = Exclusion(tuple(there), seats - sum(start <= moment < end for start, end in others))
        if len(there) <= each.most or (last is not None and _says(last, each)):
            continue
        if last is not None and _says(each, last):
            found.pop()
        found.append(each)
        last = each
    return found


def _others(timetable: Timetable, room_id: str, here: Iterable[Place]) -> list[Span]:
    spans = [(place.start, place.until) for place in here]
    low, high = min(start for start, _ in spans), max(until for _, until in spans)
    return [(claim.start, claim.end) for claim in timetable.overlapping(room_id, low, high)]


def _says(one: Exclusion, other: Exclusion) -> bool:
    """Whether the first forbids all that the second forbids."""
    return one.most <= other.most and set(one.places) >= set(other.places)


def refusals(account: Account, rooms: Mapping[str, str]) -> list[RoomRefusal]:
    """Why a visit that the plan leaves without a room has none of them. `rooms`: numbers by id."""
    taken = [
        RoomRefusal(
            free.suitable.room.id,
            "room_conflict",
            f"Room {rooms[free.suitable.room.id]} is given to another visit.",
            "room_conflict",
        )
        for free in account.free
    ]
    return [*account.refused, *taken]

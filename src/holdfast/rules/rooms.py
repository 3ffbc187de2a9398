"""Which room a visit gets. Hard rules filter, soft rules score, ties break in a fixed order.

The rule engine takes the places of `HARD` and `score`: a hard rule is a function from a room and what is asked of
it to a sentence (why not) or None; `score` adds what the soft rules say to the base.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from holdfast.rules import hours
from holdfast.rules.facts import Directory, Room, Service
from holdfast.rules.seats import Seating, seating
from holdfast.rules.timetable import Timetable
from holdfast.slot import MINUTE, Span

BASE_SCORE: Final = 100
POLICY_VERSION: Final = 0
"""The version under which rooms are chosen before an organization has published a policy."""


class RoomAsk(NamedTuple):
    """What is asked of a room. `day`: the local day of the visit, for counting."""

    span: Span
    service: Service
    needs: frozenset[str]
    day: Span


class RoomRefusal(NamedTuple):
    room_id: str
    rule: str
    reason: str


class RoomChoice(NamedTuple):
    room: Room
    seating: Seating
    score: int
    turnover_minutes: int


HardRule = Callable[[Room, RoomAsk], str | None]


def _room_type(room: Room, ask: RoomAsk) -> str | None:
    if ask.service.room_types and room.room_type not in ask.service.room_types:
        return f"is a {room.room_type} room; needed is {' or '.join(sorted(ask.service.room_types))}"
    return None


def _equipment(room: Room, ask: RoomAsk) -> str | None:
    lacking = ask.service.equipment - room.equipment
    return f"lacks {', '.join(sorted(lacking))}" if lacking else None


def _capacity(room: Room, ask: RoomAsk) -> str | None:
    if room.capacity < ask.service.capacity:
        return f"holds {room.capacity} people; needed are {ask.service.capacity}"
    return None


def _accessibility(room: Room, ask: RoomAsk) -> str | None:
    lacking = ask.needs - room.accessibility
    return f"does not offer what the patient needs: {', '.join(sorted(lacking))}" if lacking else None


HARD: Final[Mapping[str, HardRule]] = MappingProxyType({
    "room_type_match": _room_type,
    "equipment": _equipment,
    "capacity": _capacity,
    "accessibility": _accessibility,
})  # fmt: skip


def turnover(room: Room, service: Service) -> int:
    """Minutes that a room needs after a visit: the larger of the room's own and the service's."""
    return max(room.cleaning_minutes, service.turnover_minutes or 0)


def unsuitable(room: Room, ask: RoomAsk) -> list[RoomRefusal]:
    """Every hard rule that refuses the room for this visit, whatever the time."""
    return [
        RoomRefusal(room.id, rule, reason)
        for rule, refuses in HARD.items()
        if (reason := refuses(room, ask)) is not None
    ]


def unavailable(directory: Directory, room: Room, span: Span) -> str | None:
    """Why the room is not in use at that time, though nobody has claimed it."""
    if not room.is_available:
        return f"Room {room.number} is out of use."
    if hours.absences(directory, room.id, span):
        return f"Room {room.number} is closed at that time."
    return None


def score(room: Room, ask: RoomAsk) -> int:
    """The base; soft rules will add to it, with 0 as the floor."""
    return BASE_SCORE


class Suitable(NamedTuple):
    """A room that every hard rule admits: the turnover it would need, its score negated and its surplus capacity
    (smaller is better), and whether it may be out of use or closed at some time."""

    room: Room
    turnover_minutes: int
    rank: tuple[int, int]
    may_be_unavailable: bool


class Candidates(NamedTuple):
    """Rooms in the order in which equal ones are taken, and why the others are refused."""

    admitted: tuple[Suitable, ...]
    refused: tuple[RoomRefusal, ...]


def candidates(directory: Directory, rooms: tuple[Room, ...], ask: RoomAsk) -> Candidates:
    """What can be said of the rooms whatever the time. Remembered as long as the directory is: it depends on the
    rooms, the service and the needs alone."""
    key = ("candidates", rooms[0].clinic_id if len(rooms) > 1 else rooms[0].id, ask.service.id, ask.needs)
    known: Candidates | None = directory.remembered.get(key)
    if known is None:
        against = [(room, unsuitable(room, ask)) for room in rooms]
        admitted = [
            Suitable(
                room,
                turnover(room, ask.service),
                (-score(room, ask), room.capacity - ask.service.capacity),
                not room.is_available or room.id in directory.absences_of,
            )
            for room, why in against
            if not why
        ]
        admitted.sort(key=lambda each: (each.room.display_order, each.room.number, each.room.id))
        known = Candidates(tuple(admitted), tuple(refusal for _, why in against for refusal in why))
        directory.remembered[key] = known
    return known


def choose(
    directory: Directory, timetable: Timetable, rooms: tuple[Room, ...], ask: RoomAsk
) -> RoomChoice | list[RoomRefusal]:
    """The best room for a visit among all rooms of a clinic or one, or why each is refused.

    Order: score, smaller surplus capacity, fewer visits that day, display order, room number, id (product.md).
    """
    if not rooms:
        return []
    admitted, refused = candidates(directory, rooms, ask)
    start, end = ask.span
    best: list[tuple[Suitable, Seating]] = []
    for suitable in admitted:
        room, minutes, rank, may_be_unavailable = suitable
        if best and rank > best[0][0].rank:
            continue
        if may_be_unavailable and unavailable(directory, room, ask.span) is not None:
            continue
        found = seating(timetable, room.id, start, end + minutes * MINUTE, room.seats)
        if found is None:
            continue
        if best and rank < best[0][0].rank:
            best.clear()
        best.append((suitable, found))
    if not best:
        return [*refused, *_taken(directory, admitted, ask)]
    chosen, found = best[0]
    if len(best) > 1:
        day_start, day_end = ask.day
        # The first of equals is kept, and they are in display order, then number, then id.
        chosen, found = min(
            best, key=lambda each: timetable.visits_beginning(each[0].room.id, day_start, day_end)
        )
    return RoomChoice(chosen.room, found, -chosen.rank[0], chosen.turnover_minutes)


def _taken(directory: Directory, admitted: tuple[Suitable, ...], ask: RoomAsk) -> list[RoomRefusal]:
    """Why none of the admitted rooms could be had."""
    refusals = []
    for suitable in admitted:
        room = suitable.room
        why = unavailable(directory, room, ask.span)
        refusals.append(
            RoomRefusal(room.id, "room_conflict", f"Room {room.number} is taken.")
            if why is None
            else RoomRefusal(room.id, "room_unavailable", why)
        )
    return refusals

"""Which room a visit gets. Hard rules filter, soft rules score, ties break in a fixed order.

The rule engine takes the places of `HARD` and `score`: a hard rule is a function from a room and what is asked of
it to a sentence (why not) or None; `score` adds what the soft rules say to the base.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from holdfast.rules import hours
from holdfast.rules.facts import Directory, Room, Service
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
    seat: int
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
    """A room that every hard rule admits, with the turnover it would need."""

    room: Room
    turnover_minutes: int


def candidates(
    directory: Directory, rooms: tuple[Room, ...], ask: RoomAsk
) -> tuple[tuple[Suitable, ...], tuple[RoomRefusal, ...]]:
    """The rooms that hard rules admit, and why the others are refused. Remembered as long as the directory is:
    it depends on the rooms, the service and the needs alone."""
    key = ("candidates", rooms[0].clinic_id if len(rooms) > 1 else rooms[0].id, ask.service.id, ask.needs)
    known: tuple[tuple[Suitable, ...], tuple[RoomRefusal, ...]] | None = directory.remembered.get(key)
    if known is None:
        against = [(room, unsuitable(room, ask)) for room in rooms]
        admitted = tuple(Suitable(room, turnover(room, ask.service)) for room, why in against if not why)
        known = admitted, tuple(refusal for _, why in against for refusal in why)
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
    taken: list[RoomRefusal] = []
    best: list[tuple[Suitable, int]] = []
    best_rank = (0, 0)
    for suitable in admitted:
        room = suitable.room
        why = unavailable(directory, room, ask.span)
        if why is not None:
            taken.append(RoomRefusal(room.id, "room_unavailable", why))
            continue
        seat = timetable.free_seat(room.id, start, end + suitable.turnover_minutes * MINUTE, room.seats)
        if seat is None:
            taken.append(RoomRefusal(room.id, "room_conflict", f"Room {room.number} is taken."))
            continue
        rank = (-score(room, ask), room.capacity - ask.service.capacity)
        if not best or rank < best_rank:
            best, best_rank = [(suitable, seat)], rank
        elif rank == best_rank:
            best.append((suitable, seat))
    if not best:
        return [*refused, *taken]
    chosen, seat = best[0]
    if len(best) > 1:
        day_start, day_end = ask.day
        chosen, seat = min(
            best,
            key=lambda each: (
                timetable.visits_beginning(each[0].room.id, day_start, day_end),
                each[0].room.display_order,
                each[0].room.number,
                each[0].room.id,
            ),
        )
    return RoomChoice(chosen.room, seat, -best_rank[0], chosen.turnover_minutes)

"""Which room a visit gets. Hard rules filter, soft rules score, ties break in a fixed order: score, smaller surplus
capacity, fewer visits that day, display order, room number, id (product.md).

What the rules say of a room whatever the time is remembered as long as the directory is; what they say of it at a time is
asked each time, of those rooms only that are free.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from holdfast.rules import hours
from holdfast.rules.facts import Directory, Room, Service
from holdfast.rules.policy.policy import in_force
from holdfast.rules.policy.program import Program, Said
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.types.cleaning_buffer import CleaningBuffer
from holdfast.rules.seats import Seating, seating
from holdfast.rules.timetable import Timetable
from holdfast.slot import MINUTE, Span

BASE_SCORE: Final = 100


class RoomRefusal(NamedTuple):
    """Why a room cannot be had; `rule` is the name of a rule where `code` is rule_violation."""

    room_id: str
    rule: str
    reason: str
    code: str = "rule_violation"


class Suitable(NamedTuple):
    """A room that every lasting hard rule admits: its place among the admitted, the turnover that it needs by itself, the
    points that lasting rules give it, its surplus capacity (smaller is better), whether it may be out of use or closed at
    some time, and what was said."""

    place: int
    room: Room
    turnover_minutes: int
    points: int
    surplus: int
    may_be_unavailable: bool
    said: tuple[Said, ...]


class Candidates(NamedTuple):
    """Rooms in the order in which equal ones are taken, and why the others are refused."""

    admitted: tuple[Suitable, ...]
    refused: tuple[RoomRefusal, ...]


class Free(NamedTuple):
    """A room that could be had: its score, what was said of it at this time, and how many visits begin in it that day (0
    where nobody asks how it was chosen)."""

    suitable: Suitable
    seating: Seating
    turnover_minutes: int
    score: int
    said: Sequence[Said]
    visits_that_day: int = 0


class RoomChoice(NamedTuple):
    room: Room
    seating: Seating
    score: int
    turnover_minutes: int


class Account(NamedTuple):
    """How a room was chosen: what can be said of the rooms at any time, what was said of the visit whatever its room, every
    room that could be had, best first, and why each other of the admitted could not."""

    policy_version: int
    known: Candidates
    said: Sequence[Said]
    free: Sequence[Free]
    not_now: Sequence[RoomRefusal]
    own_hard: Sequence[str]
    """The hard rules, not shipped, that the free rooms passed."""

    @property
    def refused(self) -> list[RoomRefusal]:
        return [*self.known.refused, *self.not_now]

    @property
    def choice(self) -> RoomChoice | None:
        return _choice(self.free[0]) if self.free else None


_NO_ROOMS = Candidates((), ())


def turnover(room: Room, service: Service, by_rule: int | None = None) -> int:
    """Minutes that a room needs after a visit: the larger of the service's own and of what a rule says, or else the room."""
    return max(room.cleaning_minutes if by_rule is None else by_rule, service.turnover_minutes or 0)


def turnover_by_rule(directory: Directory, question: Question) -> int | None:
    """What a rule says about how long a room needs after the visit; None: as the room itself says."""
    program = in_force(directory).program(question)
    return program.minutes(CleaningBuffer, question) if program.numbers else None


def unavailable(directory: Directory, room: Room, span: Span) -> str | None:
    """Why the room is not in use at that time, though nobody has claimed it."""
    if not room.is_available:
        return f"Room {room.number} is out of use."
    if hours.absences(directory, room.id, span):
        return f"Room {room.number} is closed at that time."
    return None


def candidates(
    directory: Directory, rooms: tuple[Room, ...], question: Question, program: Program
) -> Candidates:
    """What can be said of the rooms whatever the time."""
    whose = rooms[0].clinic_id if len(rooms) > 1 else rooms[0].id
    key = ("candidates", whose, question.service.id, question.needs, program.key)
    known: Candidates | None = directory.remembered.get(key)
    if known is None:
        known = directory.remembered[key] = _candidates(directory, rooms, question, program)
    return known


def _candidates(
    directory: Directory, rooms: tuple[Room, ...], question: Question, program: Program
) -> Candidates:
    admitted: list[Suitable] = []
    refused: list[RoomRefusal] = []
    service = question.service
    for room in sorted(rooms, key=lambda each: (each.display_order, each.number, each.id)):
        against = program.against_room(question, room)
        refused += [RoomRefusal(room.id, each.rule, each.reason) for each in against]
        if not against:
            said = tuple(program.about_room(question, room))
            admitted.append(
                Suitable(
                    len(admitted),
                    room,
                    turnover(room, service),
                    sum(each.effect for each in said),
                    room.capacity - service.capacity,
                    not room.is_available or room.id in directory.absences_of,
                    said,
                )
            )
    return Candidates(tuple(admitted), tuple(refused))


def choose(
    directory: Directory, timetable: Timetable, rooms: tuple[Room, ...], question: Question
) -> RoomChoice | list[RoomRefusal]:
    """The best room for a visit among all rooms of a clinic or one, or why each is refused."""
    if not rooms:
        return []
    program = in_force(directory).program(question)
    known = candidates(directory, rooms, question, program)
    said = program.about_visit(question, timetable)
    found = _free(directory, timetable, known, question, program, said, only_best=True)
    if not found:
        return [*known.refused, *_not_now(directory, timetable, known, question, program)]
    return _choice(found[0] if len(found) == 1 else _first(found, timetable, question))


def _choice(free: Free) -> RoomChoice:
    return RoomChoice(free.suitable.room, free.seating, free.score, free.turnover_minutes)


def account(
    directory: Directory, timetable: Timetable, rooms: tuple[Room, ...], question: Question
) -> Account:
    """How `choose` chooses among the rooms, in full: its first free room is the one that is chosen."""
    policy = in_force(directory)
    program = policy.program(question)
    known = candidates(directory, rooms, question, program) if rooms else _NO_ROOMS
    said = program.about_visit(question, timetable)
    free = _free(directory, timetable, known, question, program, said, only_best=False)
    free.sort(key=_rank)
    not_now: Sequence[RoomRefusal] = ()
    if len(free) < len(known.admitted):
        not_now = _not_now(directory, timetable, known, question, program)
    return Account(policy.version, known, said, free, not_now, program.own_hard)


def _rank(each: Free) -> tuple[int, int, int]:
    return -each.score, each.suitable.surplus, each.visits_that_day


def _free(
    directory: Directory,
    timetable: Timetable,
    known: Candidates,
    question: Question,
    program: Program,
    said_of_visit: Sequence[Said],
    *,
    only_best: bool,
) -> list[Free]:
    """The rooms that could be had, in the order in which equal ones are taken: all, or those that are best by score and
    surplus."""
    base = BASE_SCORE + sum([each.effect for each in said_of_visit])
    by_rule = program.minutes(CleaningBuffer, question) if program.numbers else None
    moment = program.moment(question, timetable)
    start, end = question.span
    best: tuple[int, int] | None = None
    found: list[Free] = []
    for suitable in known.admitted:
        _, room, minutes, points, surplus, may_be_unavailable, _ = suitable
        score = base + points
        if only_best and moment is None and best is not None and (-max(score, 0), surplus) > best:
            continue
        if may_be_unavailable and unavailable(directory, room, question.span) is not None:
            continue
        if by_rule is not None:
            minutes = turnover(room, question.service, by_rule)
        seat = seating(timetable, room.id, start, end + minutes * MINUTE, room.seats)
        if seat is None:
            continue
        said: Sequence[Said] = ()
        if moment is not None:
            if moment.hard and moment.against(room):
                continue
            said = moment.about(room)
            score += sum([each.effect for each in said])
        score = max(score, 0)
        if not only_best:
            visits = question.visits_that_day(timetable, room.id)
            found.append(Free(suitable, seat, minutes, score, said, visits))
            continue
        rank = (-score, surplus)
        if best is None or rank < best:
            best, found = rank, []
        if rank == best:
            found.append(Free(suitable, seat, minutes, score, said))
    return found


def _first(found: list[Free], timetable: Timetable, question: Question) -> Free:
    """The one of equal rooms that has the fewest visits that day; the first of those, in display order, then number, then
    id."""
    return min(found, key=lambda each: question.visits_that_day(timetable, each.suitable.room.id))


def _not_now(
    directory: Directory, timetable: Timetable, known: Candidates, question: Question, program: Program
) -> list[RoomRefusal]:
    """Why those of the admitted rooms could not be had that could not."""
    by_rule = program.minutes(CleaningBuffer, question) if program.numbers else None
    moment = program.moment(question, timetable)
    start, end = question.span
    refusals = []
    for _, room, *_ in known.admitted:
        why = unavailable(directory, room, question.span)
        minutes = turnover(room, question.service, by_rule)
        if why is not None:
            refusals.append(RoomRefusal(room.id, "room_unavailable", why, "room_unavailable"))
        elif seating(timetable, room.id, start, end + minutes * MINUTE, room.seats) is None:
            refusals.append(
                RoomRefusal(room.id, "room_conflict", f"Room {room.number} is taken.", "room_conflict")
            )
        elif moment is not None:
            refusals += [RoomRefusal(room.id, each.rule, each.reason) for each in moment.against(room)]
    return refusals

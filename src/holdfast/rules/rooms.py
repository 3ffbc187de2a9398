"""Which room a visit gets. Hard rules filter, soft rules score, ties break in a fixed order: score, smaller surplus
capacity, fewer visits that day, display order, room number, id (product.md).

What the rules say of a room whatever the time is remembered as long as the directory is; what they say of it at a time is
asked each time, of those rooms only that are free.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from holdfast.rules import hours
from holdfast.rules.facts import Directory, Room, Service
from holdfast.rules.policy.policy import in_force
from holdfast.rules.policy.program import Program, Said
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.types.cleaning_buffer import CleaningBuffer
from holdfast.rules.seats import FIRST, Seating, seating
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
    """How a room was chosen: what can be said of the rooms at any time, and at all by soft rules, what was said of the visit whatever its room, every
    room that could be had, best first, those that are taken, and why others of the admitted could not be had."""

    policy_version: int
    known: Candidates
    says: Sequence[Said]
    said: Sequence[Said]
    free: Sequence[Free]
    taken: Sequence[Suitable]
    not_now: Sequence[RoomRefusal]
    own_hard: Sequence[str]
    """The hard rules, not shipped, that the free rooms passed."""

    @property
    def refused(self) -> list[RoomRefusal]:
        return _refused(self.known, self.taken, self.not_now)

    @property
    def choice(self) -> RoomChoice | None:
        return _choice(self.free[0]) if self.free else None


def _refused(
    known: Candidates, taken: Iterable[Suitable], not_now: Iterable[RoomRefusal]
) -> list[RoomRefusal]:
    return [*known.refused, *not_now, *map(_taken, taken)]


_NO_ROOMS = Candidates((), ())
_NOTHING_SAID: Sequence[Said] = ()


def turnover(room: Room, service: Service, by_rule: int | None = None) -> int:
    """Minutes that a room needs after a visit: the larger of the service's own and of what a rule says, or else the room."""
    return max(room.cleaning_minutes if by_rule is None else by_rule, service.turnover_minutes or 0)


def turnover_by_rule(directory: Directory, question: Question) -> int | None:
    """What a rule says about how long a room needs after the visit; None: as the room itself says."""
    return in_force(directory).program(question).minutes(CleaningBuffer, question)


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
    key = ("candidates", _whose(rooms), question.service.id, question.people, question.needs, program.key)
    known: Candidates | None = directory.remembered.get(key)
    if known is None:
        known = directory.remembered[key] = _candidates(directory, rooms, question, program)
    return known


def _whose(rooms: tuple[Room, ...]) -> str:
    """What tells all rooms of a clinic, or one, from others."""
    return rooms[0].clinic_id if len(rooms) > 1 else rooms[0].id


def admits_any(directory: Directory, question: Question) -> bool:
    """Whether a room of the clinic suits, by what can be said whatever the time: if not, none will be chosen."""
    found = directory.rooms_of[question.clinic.id]
    program = in_force(directory).program(question)
    return bool(found) and bool(candidates(directory, found, question, program).admitted)


def _candidates(
    directory: Directory, rooms: tuple[Room, ...], question: Question, program: Program
) -> Candidates:
    admitted: list[Suitable] = []
    refused: list[RoomRefusal] = []
    service = question.service
    others = _others(directory, question)
    for room in sorted(rooms, key=lambda each: (each.display_order, each.number, each.id)):
        against = program.against_room(question, room)
        against += [each for own, theirs in others for each in theirs.against_room(own, room)]
        refused += dict.fromkeys(RoomRefusal(room.id, each.rule, each.reason) for each in against)
        if not against:
            said = tuple(program.about_room(question, room))
            admitted.append(
                Suitable(
                    len(admitted),
                    room,
                    turnover(room, service),
                    sum(each.effect for each in said),
                    room.capacity - question.people,
                    not room.is_available or room.id in directory.absences_of,
                    said,
                )
            )
    return Candidates(tuple(admitted), tuple(refused))


def _others(directory: Directory, question: Question) -> list[tuple[Question, Program]]:
    """Who else gives something in the visit, under the rules that hold for them."""
    owns = [question.of(who) for who in question.practitioner_ids[1:]]
    return [(own, in_force(directory).program(own)) for own in owns]


def choose(
    directory: Directory, timetable: Timetable, rooms: tuple[Room, ...], question: Question
) -> RoomChoice | list[RoomRefusal]:
    """The best room for a visit among all rooms of a clinic or one, or why each is refused. Whoever asks about the same
    moment as somebody before, while nobody's time has changed, is told the same."""
    if not rooms:
        return []
    program = in_force(directory).program(question)
    if not program.is_for_anybody or len(question.practitioner_ids) > 1:
        return _chosen(directory, timetable, rooms, question, program)
    # A program is of one directory, so its rooms are too.
    key = (
        program,
        _whose(rooms),
        question.service.id,
        question.people,
        question.needs,
        question.span,
        question.now,
    )
    chosen: RoomChoice | list[RoomRefusal] | None = timetable.remembered.get(key)
    if chosen is None:
        chosen = _chosen(directory, timetable, rooms, question, program)
        timetable.remember(key, chosen)
    return chosen


def _chosen(
    directory: Directory, timetable: Timetable, rooms: tuple[Room, ...], question: Question, program: Program
) -> RoomChoice | list[RoomRefusal]:
    known = candidates(directory, rooms, question, program)
    weighing = _Weighing(directory, timetable, known, question, program)
    found = weighing.best()
    if found:
        return _choice(found[0] if len(found) == 1 else _first(found, timetable, question))
    taken: list[Suitable] = []
    not_now: list[RoomRefusal] = []
    weighing.all(taken, not_now)
    return _refused(known, taken, not_now)


def _choice(free: Free) -> RoomChoice:
    return RoomChoice(free.suitable.room, free.seating, free.score, free.turnover_minutes)


def account(
    directory: Directory, timetable: Timetable, rooms: tuple[Room, ...], question: Question
) -> Account:
    """How `choose` chooses among the rooms, in full: its first free room is the one that is chosen."""
    policy = in_force(directory)
    program = policy.program(question)
    known = candidates(directory, rooms, question, program) if rooms else _NO_ROOMS
    weighing = _Weighing(directory, timetable, known, question, program)
    taken: list[Suitable] = []
    not_now: list[RoomRefusal] = []
    free = weighing.all(taken, not_now)
    return Account(policy.version, known, program.says, weighing.said, free, taken, not_now, program.own_hard)


class _Weighing:
    """The admitted rooms at one visit's time, in the order in which equal ones are taken."""

    def __init__(
        self,
        directory: Directory,
        timetable: Timetable,
        known: Candidates,
        question: Question,
        program: Program,
    ) -> None:
        self._directory = directory
        self._timetable = timetable
        self._known = known
        self._question = question
        self._start, self._end = question.span
        self.said = program.about_visit(question, timetable)
        self._base = BASE_SCORE + sum([each.effect for each in self.said]) if self.said else BASE_SCORE
        self._by_rule, self._of_group = program.minutes(CleaningBuffer, question), question.turnover_minutes
        self._is_told = self._by_rule is not None or self._of_group is not None
        self._moment = program.moment(question, timetable)
        moments = [self._moment]
        if len(question.practitioner_ids) > 1:
            moments += [theirs.moment(own, timetable) for own, theirs in _others(directory, question)]
        self._hard = [each for each in moments if each is not None and each.hard]

    def best(self) -> list[Free]:
        """Those that are best by score and surplus."""
        base, moment = self._base, self._moment
        best: tuple[int, int] | None = None
        found: list[Free] = []
        for suitable in self._known.admitted:
            if moment is None and best is not None:
                score = base + suitable.points
                if (-score if score > 0 else 0, suitable.surplus) > best:
                    continue
            if suitable.may_be_unavailable and self._unavailable(suitable.room) is not None:
                continue
            minutes = self._minutes(suitable)
            seat = self._seat(suitable.room, minutes)
            if seat is None or (self._hard and self._against(suitable.room)):
                continue
            score, said = self._score(suitable)
            rank = (-score, suitable.surplus)
            if best is None or rank < best:
                best, found = rank, []
            if rank == best:
                found.append(Free(suitable, seat, minutes, score, said))
        return found

    def all(self, taken: list[Suitable], not_now: list[RoomRefusal]) -> list[Free]:
        """All that could be had, best first; the others are put into the lists."""
        timetable, end = self._timetable, self._end
        visits = timetable.visits_beginning(*self._question.day)
        needed = [(each, self._minutes(each)) for each in self._known.admitted]
        in_use = timetable.in_use(
            [(each.room.id, end + minutes * MINUTE) for each, minutes in needed if each.room.seats == 1],
            self._start,
        )
        found: list[tuple[int, int, int, int, Free]] = []
        for suitable, minutes in needed:
            room = suitable.room
            why = self._unavailable(room) if suitable.may_be_unavailable else None
            if why is not None:
                not_now.append(RoomRefusal(room.id, "room_unavailable", why, "room_unavailable"))
                continue
            if room.id in in_use:
                taken.append(suitable)
                continue
            seat = FIRST if room.seats == 1 else self._seat(room, minutes)
            if seat is None:
                taken.append(suitable)
                continue
            if self._hard and (against := self._against(room)):
                not_now += against
                continue
            score, said = self._score(suitable)
            that_day = visits[room.id]
            free = Free(suitable, seat, minutes, score, said, that_day)
            found.append((-score, suitable.surplus, that_day, suitable.place, free))
        found.sort()
        return [each for *_, each in found]

    def _minutes(self, suitable: Suitable) -> int:
        """How many minutes the room needs after."""
        if not self._is_told:
            return suitable.turnover_minutes
        if self._of_group is not None:
            return self._of_group
        return turnover(suitable.room, self._question.service, self._by_rule)

    def _against(self, room: Room) -> list[RoomRefusal]:
        """The hard rules that refuse the room at this time."""
        against = [each for moment in self._hard for each in moment.against(room)]
        return list(dict.fromkeys(RoomRefusal(room.id, each.rule, each.reason) for each in against))

    def _unavailable(self, room: Room) -> str | None:
        return unavailable(self._directory, room, self._question.span)

    def _seat(self, room: Room, minutes: int) -> Seating | None:
        """A seat of the room, which needs so many minutes after; None if it is taken."""
        return seating(self._timetable, room.id, self._start, self._end + minutes * MINUTE, room.seats)

    def _score(self, suitable: Suitable) -> tuple[int, Sequence[Said]]:
        score = self._base + suitable.points
        said = _NOTHING_SAID
        if self._moment is not None:
            points, said = self._moment.about(suitable.room)
            score += points
        return (score if score > 0 else 0), said  # noqa: FURB136 max() costs a call for every room


def _first(found: list[Free], timetable: Timetable, question: Question) -> Free:
    """The one of equal rooms that has the fewest visits that day; the first of those, in display order, then number, then
    id."""
    visits = timetable.visits_beginning(*question.day)
    return min(found, key=lambda each: visits[each.suitable.room.id])


def _taken(suitable: Suitable) -> RoomRefusal:
    room = suitable.room
    return RoomRefusal(room.id, "room_conflict", f"Room {room.number} is taken.", "room_conflict")

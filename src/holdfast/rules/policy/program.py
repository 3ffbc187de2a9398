"""The rules about one kind of visit, compiled: closures in lists by what they look at. Made once per policy, clinic, service
and whoever the rules name, and then asked for every visit.

A judge that fails counts against: a hard rule refuses, a soft one says nothing, and the fault is kept for whoever reports it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import NumberRule, Opinion, RoomRule, Rule, VisitRule, Why
from holdfast.rules.timetable import Timetable


class Scoped(NamedTuple):
    """A rule and how narrow the scope is that it comes from; 0 is the shipped one."""

    narrowness: int
    rule: Rule


class Fault(NamedTuple):
    """A rule that could not be judged, and the kind of error."""

    rule: str
    why: str


class Said(NamedTuple):
    """What a rule does to a room's score, or to that of all: points that are not 0. `place`: among all that the rules of its
    program can say."""

    place: int
    rule: str
    effect: int
    reason: str


class Against(NamedTuple):
    """A hard rule that is broken."""

    rule: str
    type: str
    reason: str
    members: Mapping[str, Any] = MappingProxyType({})


class _Judged(NamedTuple):
    """A rule with its judge, and what is said of a room or visit when the judge is for it or against it, if that counts."""

    rule: Rule
    judge: Callable[..., Any]
    said_for: Said | None
    said_against: Said | None


class Moment:
    """What the rules say of rooms at one visit's time. Made anew for each visit."""

    def __init__(self, hard: list[_Judged], soft: list[_Judged], faults: dict[str, Fault]) -> None:
        self.hard, self.soft = hard, soft
        self._faults = faults

    def against(self, room: Room) -> list[Against]:
        """The hard rules that refuse the room."""
        return _refusals(self.hard, self._faults, room)

    def about(self, room: Room) -> tuple[int, list[Said]]:
        """What the soft rules say of it, and the points of that together. Asked of every free room, so it goes without
        `_said` until a rule fails."""
        found = []
        points = 0
        try:
            for _, judge, said_for, said_against in self.soft:
                opinion = judge(room)
                said = said_for if opinion == 1 else said_against if opinion == -1 else None
                if said is not None:
                    found.append(said)
                    points += said.effect
        except Exception:  # noqa: BLE001 which rule it is is found out there
            found = _said(self.soft, self._faults, room)
            points = sum(each.effect for each in found)
        return points, found


class Program:
    """`key` is equal for programs that are. Lists hold a judge per rule, in the order of the rules' names."""

    def __init__(self, key: tuple[object, ...], lasting: Iterable[Scoped], faults: dict[str, Fault]) -> None:
        self.key = key
        self._faults = faults
        self._visit_hard: list[_Judged] = []
        self._visit_soft: list[_Judged] = []
        self._room_hard: list[_Judged] = []
        self._room_soft: list[_Judged] = []
        self._moment_hard: list[_Judged] = []
        self._moment_soft: list[_Judged] = []
        self._numbers: list[Scoped] = []
        self.says: list[Said] = []
        """Everything that the soft rules can say."""

        self.own_hard: list[str] = []
        """The names of the hard rules that are not shipped."""

        self.is_for_anybody = True
        """Whether all of whom it is the program get the same rooms at the same time."""

        for scoped in lasting:
            self._add(scoped)

    def _add(self, scoped: Scoped) -> None:
        rule = scoped.rule
        is_hard = rule.kind == "hard"
        if is_hard and scoped.narrowness:
            self.own_hard.append(rule.name)
        if (
            rule.looks_at_people
            and not isinstance(rule, NumberRule)
            and not (is_hard and isinstance(rule, VisitRule))
        ):
            self.is_for_anybody = False
        if isinstance(rule, NumberRule):
            self._numbers.append(scoped)
            return
        judge: Callable[..., Any] = rule.judge()  # type: ignore[attr-defined]
        is_timed = rule.when is not None and rule.when.is_timed
        if isinstance(rule, VisitRule):
            judges = self._visit_hard if is_hard else self._visit_soft
        elif isinstance(rule, RoomRule) and not is_timed:
            judges = self._room_hard if is_hard else self._room_soft
        else:
            judges = self._moment_hard if is_hard else self._moment_soft
            if isinstance(rule, RoomRule):
                judge = _at_any_moment(judge)
        judges.append(self._judged(rule, _at_times(rule, judge) if is_timed else judge))

    def _judged(self, rule: Rule, judge: Callable[..., Any]) -> _Judged:
        if rule.kind == "hard":
            return _Judged(rule, judge, None, None)
        modifier, penalty = int(getattr(rule, "score_modifier", 0)), int(getattr(rule, "penalty", 0))
        return _Judged(rule, judge, self._said(rule, modifier, 1), self._said(rule, -penalty, -1))

    def _said(self, rule: Rule, effect: int, opinion: Literal[-1, 1]) -> Said | None:
        if not effect:
            return None
        self.says.append(Said(len(self.says), rule.name, effect, rule.says(opinion)))
        return self.says[-1]

    # About the visit

    def against(self, question: Question, timetable: Timetable) -> list[Against]:
        """The hard rules that refuse the visit, whatever its room."""
        return _refusals(self._visit_hard, self._faults, question, timetable)

    def about_visit(self, question: Question, timetable: Timetable) -> list[Said]:
        """What the soft rules say of the visit, whatever its room."""
        return _said(self._visit_soft, self._faults, question, timetable)

    def minutes(self, kind: type[NumberRule], question: Question) -> int | None:
        """The number that takes the place of the resource's own: of the narrowest scope, then the largest. None: its own."""
        if not self._numbers:  # nearly always
            return None
        found = [
            (scoped.narrowness, scoped.rule.minutes)
            for scoped in self._numbers
            if isinstance(scoped.rule, kind)
            and (
                scoped.rule.when is None
                or not scoped.rule.when.is_timed
                or scoped.rule.when.clock()(question)
            )
        ]
        return max(found)[1] if found else None

    # About a room

    def against_room(self, question: Question, room: Room) -> list[Against]:
        """The hard rules that refuse the room at any time."""
        return _refusals(self._room_hard, self._faults, question, room)

    def about_room(self, question: Question, room: Room) -> list[Said]:
        """What the soft rules say of the room at any time."""
        return _said(self._room_soft, self._faults, question, room)

    def moment(self, question: Question, timetable: Timetable) -> Moment | None:
        """The rules about rooms at the visit's time; None if there are none."""
        if not self._moment_hard and not self._moment_soft:
            return None
        hard = self._now(self._moment_hard, question, timetable)
        soft = self._now(self._moment_soft, question, timetable)
        return Moment(hard, soft, self._faults) if hard or soft else None

    def _now(self, judges: list[_Judged], question: Question, timetable: Timetable) -> list[_Judged]:
        """Those that have something to say at that time."""
        prepared = [self._prepared(question, timetable, each) for each in judges]
        return [each for each in prepared if each is not None]

    def _prepared(self, question: Question, timetable: Timetable, judged: _Judged) -> _Judged | None:
        try:
            test = judged.judge(question, timetable)
        except Exception as error:  # noqa: BLE001 a rule that fails must not let anything pass
            test = partial(_raise, error)
        rule, _, said_for, said_against = judged
        return None if test is None else _Judged(rule, test, said_for, said_against)


def _raise(error: Exception, _room: Room) -> None:
    raise error


def _refusals(judges: list[_Judged], faults: dict[str, Fault], *asked: Any) -> list[Against]:
    found = []
    for rule, judge, _, _ in judges:
        try:
            why = judge(*asked)
        except Exception as error:  # noqa: BLE001 as above
            faults[rule.name] = Fault(rule.name, type(error).__name__)
            why = f"cannot be judged by {rule.name}, so it is refused"
        if isinstance(why, Why):
            found.append(Against(rule.name, _type(rule), *why))
        elif why is not None:
            found.append(Against(rule.name, _type(rule), why))
    return found


def _said(judges: list[_Judged], faults: dict[str, Fault], *asked: Any) -> list[Said]:
    found = []
    for rule, judge, said_for, said_against in judges:
        try:
            opinion: Opinion = judge(*asked)
        except Exception as error:  # noqa: BLE001 as above; advice that fails is none
            faults[rule.name] = Fault(rule.name, type(error).__name__)
            continue
        said = said_for if opinion == 1 else said_against if opinion == -1 else None
        if said is not None:
            found.append(said)
    return found


def _type(rule: Rule) -> str:
    return str(rule.__struct_config__.tag)


def _at_any_moment(judge: Callable[..., Any]) -> Callable[..., Any]:
    """A judge of rooms, asked at a visit's time."""

    def judges(question: Question, _timetable: Timetable) -> Callable[[Room], Any]:
        return partial(judge, question)

    return judges


def _at_times(rule: Rule, judge: Callable[..., Any]) -> Callable[..., Any]:
    """The judge at the times that the rule is about; at others it says nothing."""
    assert rule.when is not None  # noqa: S101 asked for timed rules only
    applies = rule.when.clock()
    nothing = 0 if rule.kind == "soft" and isinstance(rule, VisitRule) else None

    def judges(question: Question, timetable: Timetable) -> Any:
        return judge(question, timetable) if applies(question) else nothing

    return judges

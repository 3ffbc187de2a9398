"""The rules about one kind of visit, compiled: closures in lists by what they look at. Made once per policy, clinic, service
and whoever the rules name, and then asked for every visit.

A judge that fails counts against: a hard rule refuses, a soft one says nothing, and the fault is kept for whoever reports it.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

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
    """What a rule did to a room's score, or to that of all: points that are not 0."""

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
    rule: Rule
    judge: Callable[..., Any]


class Program:
    """`key` is equal for programs that are. Lists hold a judge per rule, in the order of the rules' names."""

    def __init__(self, key: tuple[object, ...], lasting: Iterable[Scoped], faults: dict[str, Fault]) -> None:
        self.key = key
        self._faults = faults
        self._visit_hard: list[_Judged] = []
        self._visit_soft: list[_Judged] = []
        self._room_hard: list[_Judged] = []
        self._room_soft: list[_Judged] = []
        self.moment_hard: list[_Judged] = []
        self.moment_soft: list[_Judged] = []
        self.numbers: list[Scoped] = []
        self.own_hard: list[str] = []
        """The names of the hard rules that are not shipped."""

        for scoped in lasting:
            self._add(scoped)

    def _add(self, scoped: Scoped) -> None:
        rule = scoped.rule
        is_hard = rule.kind == "hard"
        if is_hard and scoped.narrowness:
            self.own_hard.append(rule.name)
        if isinstance(rule, NumberRule):
            self.numbers.append(scoped)
            return
        judge: Callable[..., Any] = rule.judge()  # type: ignore[attr-defined]
        is_timed = rule.when is not None and rule.when.is_timed
        if isinstance(rule, VisitRule):
            judges = self._visit_hard if is_hard else self._visit_soft
        elif isinstance(rule, RoomRule) and not is_timed:
            judges = self._room_hard if is_hard else self._room_soft
        else:
            judges = self.moment_hard if is_hard else self.moment_soft
            if isinstance(rule, RoomRule):
                judge = _whenever(judge)
        judges.append(_Judged(rule, _at_times(rule, judge) if is_timed else judge))

    # About the visit

    def against(self, question: Question, timetable: Timetable) -> list[Against]:
        """The hard rules that refuse the visit, whatever its room."""
        return self._refusals(self._visit_hard, question, timetable) if self._visit_hard else []

    def about_visit(self, question: Question, timetable: Timetable) -> list[Said]:
        """What the soft rules say of the visit, whatever its room."""
        return self._said(self._visit_soft, None, question, timetable) if self._visit_soft else []

    def minutes(self, kind: type[NumberRule], question: Question) -> int | None:
        """The number that takes the place of the resource's own: of the narrowest scope, then the largest. None: its own."""
        found = [
            (scoped.narrowness, scoped.rule.minutes)
            for scoped in self.numbers
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
        return self._refusals(self._room_hard, question, room)

    def about_room(self, question: Question, room: Room) -> list[Said]:
        """What the soft rules say of the room at any time."""
        return self._said(self._room_soft, room, question, room)

    def against_moment(self, question: Question, room: Room, timetable: Timetable) -> list[Against]:
        """The hard rules that refuse the room at the visit's time."""
        return self._refusals(self.moment_hard, question, room, timetable)

    def about_moment(self, question: Question, room: Room, timetable: Timetable) -> list[Said]:
        """What the soft rules say of the room at the visit's time."""
        return self._said(self.moment_soft, room, question, room, timetable)

    def _refusals(self, judges: list[_Judged], *asked: Any) -> list[Against]:
        found = []
        for rule, judge in judges:
            try:
                why = judge(*asked)
            except Exception as error:  # noqa: BLE001 a rule that fails must not let anything pass
                self._faults[rule.name] = Fault(rule.name, type(error).__name__)
                why = f"cannot be judged by {rule.name}, so it is refused"
            if isinstance(why, Why):
                found.append(Against(rule.name, _type(rule), *why))
            elif why is not None:
                found.append(Against(rule.name, _type(rule), why))
        return found

    def _said(self, judges: list[_Judged], room: Room | None, *asked: Any) -> list[Said]:
        found = []
        for rule, judge in judges:
            try:
                opinion: Opinion = judge(*asked)
            except Exception as error:  # noqa: BLE001 as above; advice that fails is none
                self._faults[rule.name] = Fault(rule.name, type(error).__name__)
                continue
            if opinion and (points := rule.effect(opinion)):
                found.append(Said(rule.name, points, rule.says(opinion, room)))
        return found


def _type(rule: Rule) -> str:
    return str(rule.__struct_config__.tag)


def _whenever(judge: Callable[..., Any]) -> Callable[..., Any]:
    """A judge of rooms where the time is given too."""

    def judges(question: Question, room: Room, _timetable: Timetable) -> Any:
        return judge(question, room)

    return judges


def _at_times(rule: Rule, judge: Callable[..., Any]) -> Callable[..., Any]:
    """The judge at the times that the rule is about; at others it says nothing."""
    assert rule.when is not None  # noqa: S101 asked for timed rules only
    applies = rule.when.clock()
    nothing = None if rule.kind == "hard" else 0

    def judges(question: Question, *asked: Any) -> Any:
        return judge(question, *asked) if applies(question) else nothing

    return judges

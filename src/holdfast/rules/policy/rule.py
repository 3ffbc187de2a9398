"""What every rule is: a name, whether it forbids or advises, when it applies, and a judge, which is a closure made once when
the policy comes into force.

A type of rule is a frozen struct in `types/`: its fields, with their bounds, units and descriptions, are what is checked when
a document is saved, what `/rule-types` tells, and what an editor makes its form of. A judge sees the question, the room and
the timetable, and nothing else.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec
from msgspec import Meta

from holdfast.abstract import AbstractStruct
from holdfast.errors import FieldError
from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.timetable import Timetable

Id = Annotated[str, Meta(pattern=r"^[0-9a-z-]{1,36}(?!\n)$", extra={"must": "be an id"})]
"""Whether there is such a thing in the organization is asked when a document is saved (`document.references`)."""

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        pattern=r"^\S(.*\S)?(?!\n)$",
        description="Unique in its document.",
        extra={"must": "not begin or end with a space"},
    ),
]
Word = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^[^A-Z\s]+( [^A-Z\s]+)*(?!\n)$",
        extra={"must": "be in lower case, with single spaces between its words"},
    ),
]
Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?!\n)$", examples=["08:00"])]
ClockEnd = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)(?!\n)$", examples=["18:30"])]
Rooms = Annotated[tuple[Id, ...], Meta(max_length=500, extra={"noun": "rooms"})]
Practitioners = Annotated[tuple[Id, ...], Meta(max_length=500, extra={"noun": "practitioners"})]
Services = Annotated[tuple[Id, ...], Meta(max_length=500, extra={"noun": "services"})]
Weekdays = Annotated[
    tuple[Annotated[int, Meta(ge=0, le=6)], ...],
    Meta(max_length=7, description="0 is Monday; any when empty."),
]
Points = Annotated[int, Meta(ge=0, le=1000, extra={"unit": "points"})]
Minutes = Annotated[int, Meta(ge=0, le=120, extra={"unit": "minutes"})]

Kind = Literal["hard", "soft"]
Opinion = Literal[-1, 0, 1]
"""What a soft rule thinks: for (1), against (-1), or nothing (0)."""


class Why(NamedTuple):
    """Why a hard rule refuses, with members that belong to the answer."""

    reason: str
    members: dict[str, Any]


Finding = str | Why | None | Opinion
"""A hard rule answers why not, or None; a soft rule its opinion."""

VisitJudge = Callable[[Question, Timetable], Finding]
RoomJudge = Callable[[Question, Room], Finding]
RoomTest = Callable[[Room], Finding]
MomentJudge = Callable[[Question, Timetable], RoomTest | None]
"""What can be found out once for all rooms is found out first; None says nothing of any room."""


def minutes(clock: str) -> int:
    """Minutes since midnight of "HH:MM"."""
    return int(clock[:2]) * 60 + int(clock[3:])


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The visits that a rule is about: those for which everything that is given here is so. A time is that at which the
    visit begins, by the clinic's clock, from `time_from` until before `time_to`."""

    service_ids: Annotated[Services, Meta(description="The first line's service is one of these.")] = ()
    weekdays: Weekdays = ()
    time_from: Annotated[Clock, Meta(description="Begins no earlier.")] | None = None
    time_to: Annotated[ClockEnd, Meta(description="Begins before.")] | None = None
    needs: Annotated[
        tuple[Word, ...], Meta(max_length=20, description="The patient needs all of these.")
    ] = ()
    patient: (
        Annotated[
            Literal["new", "returning"],
            Meta(description="Whether the patient has had a visit before this one."),
        ]
        | None
    ) = None

    def faults(self) -> list[FieldError]:
        if (self.time_from or self.time_to) and _reversed(self.time_from, self.time_to):
            return [FieldError("when.time_to", "invalid_value", "must be after time_from")]
        return []

    @property
    def is_timed(self) -> bool:
        return bool(self.weekdays or self.time_from or self.time_to)

    def allows_lastingly(self, question: Question) -> bool:
        """Whether the rule is about such visits at all, at whatever time."""
        return (
            (not self.service_ids or question.service.id in self.service_ids)
            and question.needs.issuperset(self.needs)
            and (self.patient is None or question.kind == self.patient)
        )

    def clock(self) -> Callable[[Question], bool]:
        """Whether it is about a visit at its time."""
        weekdays = frozenset(self.weekdays) or frozenset(range(7))
        low = minutes(self.time_from) if self.time_from else 0
        high = minutes(self.time_to) if self.time_to else 1440

        def applies(question: Question) -> bool:
            return question.weekday in weekdays and low <= question.minutes[0] < high

        return applies


class Rule(
    msgspec.Struct,
    metaclass=AbstractStruct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="type",
):
    """A rule as a document holds it. A `hard` rule forbids; a `soft` one adds `score_modifier` to a room's score or
    subtracts `penalty`."""

    summary: ClassVar[str]
    """What the type does, in a sentence or two."""

    kinds: ClassVar[tuple[Kind, ...]] = ("hard",)
    asks_history: ClassVar[bool] = False
    """Whether it must know the patient's earlier visits."""

    asks_practitioners_day: ClassVar[bool] = False
    """Whether it must know all that its practitioners do on the local day."""

    looks_at_people: ClassVar[bool] = True
    """Whether it looks at who is in the visit, beside what `when` asks and the lists of the rule name. Where no rule does, the
    rooms of a moment are weighed once for everybody who asks."""

    conditions: ClassVar[frozenset[str]] = frozenset(When.__struct_fields__)
    """What its `when` may ask."""

    name: Name
    kind: Kind = "hard"
    enabled: Annotated[
        bool, Meta(description="False switches it off, and the one of this name in a wider scope.")
    ] = True
    when: When | None = None

    def faults(self) -> list[FieldError]:
        """What the types of the fields cannot say; fields as in the rule."""
        return []

    def says(self, opinion: Literal[-1, 1]) -> str:
        """A soft rule's opinion: what is said after a room's name, or of the visit as a sentence with its full stop."""
        return "suits" if opinion == 1 else "does not suit"


class VisitRule(Rule, frozen=True, kw_only=True):
    """About the visit, whatever its room."""

    @abstractmethod
    def judge(self) -> VisitJudge:
        """What judges the visit; made once."""


class RoomRule(Rule, frozen=True, kw_only=True):
    """About a room and what is asked of it, whatever the time: judged once, and remembered. May look at the question's
    service, needs and practitioners only."""

    looks_at_people: ClassVar[bool] = False

    @abstractmethod
    def judge(self) -> RoomJudge:
        """What judges a room; made once."""


class MomentRule(Rule, frozen=True, kw_only=True):
    """About a room at the visit's time."""

    @abstractmethod
    def judge(self) -> MomentJudge:
        """What judges rooms at a moment; made once."""


class NumberRule(Rule, frozen=True, kw_only=True):
    """Minutes that take the place of a room's or a practitioner's own. They become claims, so they hold in storage."""

    conditions: ClassVar[frozenset[str]] = frozenset({"service_ids", "weekdays", "time_from", "time_to"})

    minutes: Minutes


def window(time_from: str, time_to: str) -> list[FieldError]:
    """What is wrong with a part of the day."""
    if _reversed(time_from, time_to):
        return [FieldError("time_to", "invalid_value", "must be after time_from")]
    return []


def _reversed(time_from: str | None, time_to: str | None) -> bool:
    return minutes(time_from or "00:00") >= minutes(time_to or "24:00")


def inside(question: Question, low: int, high: int) -> bool:
    """Whether all of the visit lies in [low, high) of one day, minutes since midnight."""
    start, end = question.minutes
    return low <= start and end <= high


def touches(question: Question, low: int, high: int) -> bool:
    """Whether some of the visit lies in [low, high) of a day that it touches."""
    start, end = question.minutes
    return any(start < high + day and low + day < end for day in range(0, end, 1440))

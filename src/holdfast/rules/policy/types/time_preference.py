"""Some parts of the day are better than others."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.errors import FieldError
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import (
    Clock,
    ClockEnd,
    Kind,
    Opinion,
    Points,
    VisitJudge,
    VisitRule,
    inside,
    minutes,
    window,
)
from holdfast.rules.timetable import Timetable


class TimePreference(VisitRule, frozen=True, kw_only=True, tag="time_preference"):
    summary: ClassVar[str] = "Visits inside a part of the day are better than others."
    kinds: ClassVar[tuple[Kind, ...]] = ("soft",)
    looks_at_people: ClassVar[bool] = False

    kind: Kind = "soft"
    time_from: Clock
    time_to: ClockEnd
    score_modifier: Annotated[Points, Meta(description="Added when all of the visit lies there.")] = 10
    penalty: Annotated[Points, Meta(description="Subtracted otherwise.")] = 0

    def faults(self) -> list[FieldError]:
        return window(self.time_from, self.time_to)

    def judge(self) -> VisitJudge:
        low, high = minutes(self.time_from), minutes(self.time_to)

        def thinks(question: Question, _timetable: Timetable) -> Opinion:
            return 1 if inside(question, low, high) else -1

        return thinks

    def says(self, opinion: Literal[-1, 1]) -> str:
        return f"The visit lies {'in' if opinion == 1 else 'outside'} {self.time_from} to {self.time_to}."

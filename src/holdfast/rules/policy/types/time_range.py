"""Visits lie inside, or outside, a part of the day."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.errors import FieldError
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import (
    Clock,
    ClockEnd,
    VisitJudge,
    VisitRule,
    inside,
    minutes,
    touches,
    window,
)
from holdfast.rules.timetable import Timetable


class TimeRange(VisitRule, frozen=True, kw_only=True, tag="time_range"):
    summary: ClassVar[str] = (
        "All of a visit must lie inside a part of the day, or none of it: hours, or a lunch break."
    )
    looks_at_people: ClassVar[bool] = False

    time_from: Clock
    time_to: ClockEnd
    allow: Annotated[
        Literal["inside", "outside"],
        Meta(description="inside: all of the visit lies there; outside: none of it."),
    ] = "inside"

    def faults(self) -> list[FieldError]:
        return window(self.time_from, self.time_to)

    def judge(self) -> VisitJudge:
        low, high = minutes(self.time_from), minutes(self.time_to)
        told = f"{self.time_from} to {self.time_to}"

        def within(question: Question, _timetable: Timetable) -> str | None:
            return None if inside(question, low, high) else f"The visit lies outside {told}."

        def without(question: Question, _timetable: Timetable) -> str | None:
            return f"The visit lies in {told}." if touches(question, low, high) else None

        return within if self.allow == "inside" else without

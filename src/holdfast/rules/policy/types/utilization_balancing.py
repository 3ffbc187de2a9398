"""Rooms that have had little to do that day come before those that have had much."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.errors import FieldError
from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Kind, MomentJudge, MomentRule, Opinion, Points, RoomTest
from holdfast.rules.timetable import Timetable

Percent = Annotated[int, Meta(ge=0, le=100, extra={"unit": "percent"})]


class UtilizationBalancing(MomentRule, frozen=True, kw_only=True, tag="utilization_balancing"):
    summary: ClassVar[str] = (
        "Rooms with few visits that day are favoured, rooms with many avoided, those between left as they are."
    )
    kinds: ClassVar[tuple[Kind, ...]] = ("soft",)
    looks_at_people: ClassVar[bool] = False

    kind: Kind = "soft"
    visits_per_day_max: Annotated[
        int, Meta(ge=1, le=200, description="A room's full day.", extra={"unit": "visits"})
    ] = 8  # fmt: skip
    low_percent: Annotated[
        Percent, Meta(description="Below this share of a full day a room is favoured.")
    ] = 50
    high_percent: Annotated[Percent, Meta(description="Above this share it is avoided.")] = 80
    score_modifier: Annotated[Points, Meta(description="Added below the low share.")] = 10
    penalty: Annotated[Points, Meta(description="Subtracted above the high share.")] = 10

    def faults(self) -> list[FieldError]:
        if self.low_percent > self.high_percent:
            return [FieldError("high_percent", "invalid_value", "must not be below low_percent")]
        return []

    def judge(self) -> MomentJudge:
        low, high = self.low_percent * self.visits_per_day_max, self.high_percent * self.visits_per_day_max

        def judges(question: Question, timetable: Timetable) -> RoomTest:
            visits = timetable.visits_beginning(*question.day)

            def thinks(room: Room) -> Opinion:
                share = 100 * visits[room.id]
                return 1 if share < low else -1 if share > high else 0

            return thinks

        return judges

    def says(self, opinion: Literal[-1, 1]) -> str:
        if opinion == 1:
            return f"is used for less than {self.low_percent} % of its day"
        return f"is used for more than {self.high_percent} % of its day"

"""A practitioner has only so many visits a day."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Kind, Opinion, Points, VisitJudge, VisitRule
from holdfast.rules.timetable import Timetable


class Workload(VisitRule, frozen=True, kw_only=True, tag="workload"):
    summary: ClassVar[str] = (
        "A practitioner has at most so many visits on a local day; a hard rule refuses one more, a soft one counts against it."
    )
    kinds: ClassVar[tuple[Kind, ...]] = ("hard", "soft")
    asks_practitioners_day: ClassVar[bool] = True

    visits_max: Annotated[
        int, Meta(ge=1, le=200, description="Visits of any state that keep their time, and holds; each on the day on which the practitioner sets out for it.", extra={"unit": "visits"})
    ] = 15  # fmt: skip
    score_modifier: Annotated[Points, Meta(description="Soft: added while within it.")] = 0
    penalty: Annotated[Points, Meta(description="Soft: subtracted beyond it.")] = 10

    def judge(self) -> VisitJudge:
        most = self.visits_max

        def is_beyond(question: Question, timetable: Timetable) -> bool:
            return any(
                timetable.owners_beginning(each, *question.day) >= most for each in question.practitioner_ids
            )

        def refuses(question: Question, timetable: Timetable) -> str | None:
            return f"The practitioner has {most} visits that day." if is_beyond(question, timetable) else None

        def thinks(question: Question, timetable: Timetable) -> Opinion:
            return -1 if is_beyond(question, timetable) else 1

        return refuses if self.kind == "hard" else thinks

    def says(self, opinion: Literal[-1, 1]) -> str:
        if opinion == 1:
            return f"The practitioner has fewer than {self.visits_max} other visits that day."
        return f"The practitioner has {self.visits_max} other visits that day."

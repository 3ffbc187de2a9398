"""Patients stay with the practitioners they know."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Kind, Opinion, Points, VisitJudge, VisitRule
from holdfast.rules.timetable import Timetable


class Continuity(VisitRule, frozen=True, kw_only=True, tag="continuity"):
    summary: ClassVar[str] = (
        "A practitioner whom the patient has been with is better than one whom they do not know."
    )
    kinds: ClassVar[tuple[Kind, ...]] = ("soft",)
    asks_history: ClassVar[bool] = True

    kind: Kind = "soft"
    score_modifier: Annotated[
        Points, Meta(description="Added for a practitioner whom the patient knows.")
    ] = 10
    penalty: Annotated[Points, Meta(description="Subtracted for another; a new patient knows nobody.")] = 0

    def judge(self) -> VisitJudge:
        def thinks(question: Question, _timetable: Timetable) -> Opinion:
            if question.patient is None or question.kind == "new":
                return 0
            known = {
                who
                for past in question.patient.past
                if question.is_before(past.start, past.id)
                for who in past.practitioner_ids
            }
            return 1 if not known.isdisjoint(question.practitioner_ids) else -1

        return thinks

    def says(self, opinion: Literal[-1, 1]) -> str:
        return f"The patient has {'' if opinion == 1 else 'not '}been with the practitioner before."

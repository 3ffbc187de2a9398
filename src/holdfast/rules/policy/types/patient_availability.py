"""When a patient can come."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.rules import people
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Kind, Opinion, Points, VisitJudge, VisitRule
from holdfast.rules.timetable import Timetable


class PatientAvailability(VisitRule, frozen=True, kw_only=True, tag="patient_availability"):
    summary: ClassVar[str] = (
        "Visits lie in the windows in which the patient can come, where their record has any."
    )
    kinds: ClassVar[tuple[Kind, ...]] = ("hard", "soft")

    score_modifier: Annotated[Points, Meta(description="Soft: added inside the windows.")] = 10
    penalty: Annotated[Points, Meta(description="Soft: subtracted outside them.")] = 10

    def judge(self) -> VisitJudge:
        def opinion(question: Question, _timetable: Timetable) -> Opinion:
            patient = question.patient
            if patient is None or not patient.constraints.availability:
                return 0
            return 1 if people.can_come(patient, question.clinic, question.visit) else -1

        def refuses(question: Question, timetable: Timetable) -> str | None:
            if opinion(question, timetable) == -1:
                return "The visit lies outside the times at which the patient can come."
            return None

        return refuses if self.kind == "hard" else opinion

    def says(self, opinion: Literal[-1, 1]) -> str:
        return f"The visit lies {'inside' if opinion == 1 else 'outside'} the times at which the patient can come."

"""Who a patient may not be with."""

from typing import ClassVar

from holdfast.rules import people
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import VisitJudge, VisitRule, Why
from holdfast.rules.timetable import Timetable


class PractitionerExcluded(VisitRule, frozen=True, kw_only=True, tag="practitioner_excluded"):
    summary: ClassVar[str] = "A patient is never with a practitioner whom their record excludes."

    def judge(self) -> VisitJudge:
        def refuses(question: Question, _timetable: Timetable) -> Why | None:
            patient = question.patient
            if patient is None or patient.stored_constraints is None:
                return None
            excluded = people.excluded(patient, question.practitioner_ids)
            if not excluded:
                return None
            return Why("The practitioner is excluded for this patient.", {"practitioner_id": excluded[0]})

        return refuses

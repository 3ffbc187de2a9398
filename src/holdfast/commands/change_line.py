"""Change a line of a visit: when, by whom, for what, with or without the patient. The same laws as booking."""

from typing import Any, ClassVar

from holdfast.commands.intent import known
from holdfast.commands.line_wish import TRAVELLED_TO, presence_of
from holdfast.commands.lines_of import OnLines, the_line
from holdfast.errors import FieldError, Invalid
from holdfast.rules.facts import Directory, Line, Visit


class ChangeLine(OnLines, kw_only=True):
    """`fields`: names of a line (rules/facts.py) with their new values, only those that change. A new start without an end
    keeps the length."""

    line_no: int
    fields: dict[str, Any]

    event: ClassVar[str] = "appointment.line_changed"

    @property
    def named(self) -> tuple[str | None, str | None]:
        return self.fields.get("authorization_id"), self.fields.get("caregiver_id")

    def line_of(self, before: Visit) -> int:
        return self.line_no

    def edited(self, directory: Directory, before: Visit, visit: Visit) -> None:
        line = the_line(visit, self.line_no)
        length = line.end - line.start
        for name, value in self.fields.items():
            setattr(line, name, value)
        if "start" in self.fields and "end" not in self.fields:
            line.end = line.start + length
        self._check(directory, visit, line)

    def _check(self, directory: Directory, visit: Visit, line: Line) -> None:
        known(directory.practitioners, line.practitioner_id, "practitioner_id")
        known(directory.services, line.service_id, "service_id")
        service = directory.services[line.service_id]
        wished = self.fields.get("patient_present", line.patient_present)
        if "service_id" in self.fields and "patient_present" not in self.fields:
            wished = None
        line.patient_present = presence_of(service, wished, line.caregiver_id, "patient_present")
        if line.end <= line.start:
            raise Invalid(FieldError("end", "invalid_value", "must be after the start"))
        if self.fields.get("travel_before_minutes") and visit.location not in TRAVELLED_TO:
            raise Invalid(
                FieldError("travel_before_minutes", "invalid_value", "nobody travels to this place")
            )

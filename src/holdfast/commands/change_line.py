"""Change a line of a visit: when, by whom, for what, with or without the patient. The same laws as booking."""

from typing import Any

from holdfast.actor import Asked
from holdfast.commands.desk import Desk
from holdfast.commands.intent import (
    Placing,
    check_overlap,
    check_time,
    copied,
    kept_wish,
    known,
    place_anew,
    sealed_reason,
)
from holdfast.commands.line_wish import TRAVELLED_TO, presence_of
from holdfast.commands.lines_of import check_lines_may_change, follow_lines, the_line
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.rules.assess import Wish
from holdfast.rules.facts import Directory, Line, Visit


class ChangeLine(Placing, kw_only=True):
    """`fields`: names of a line (rules/facts.py) with their new values, only those that change. A new start without an end
    keeps the length."""

    id: str
    line_no: int
    fields: dict[str, Any]
    overlap_reason: str | None = None

    @property
    def is_placing(self) -> bool:
        return True

    @property
    def visit_id(self) -> str | None:
        return self.id

    @property
    def authorization_ids(self) -> tuple[str, ...]:
        return tuple(filter(None, [self.fields.get("authorization_id")]))

    @property
    def caregiver_ids(self) -> tuple[str, ...]:
        return tuple(filter(None, [self.fields.get("caregiver_id")]))

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        assert before is not None, "a line is in a visit"  # noqa: S101 the transaction reads it first
        visit = copied(before)
        line = the_line(visit, self.line_no)
        length = line.end - line.start
        for name, value in self.fields.items():
            setattr(line, name, value)
        if "start" in self.fields and "end" not in self.fields:
            line.end = line.start + length
        self._check(directory, visit, line)
        follow_lines(directory, before, visit)
        return visit

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

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        wish = kept_wish(directory, visit, before or visit)
        if self.fields.get("authorization_id") is not None:
            wish.line_new = self.line_no
        wish.overlap = self.overlap_reason is not None
        return wish

    def decide(self, desk: Desk, asked: Asked) -> Visit:
        before = desk.visit(asked, self.id)
        check_lines_may_change(before)
        visit = self.wished(desk.directory, before, desk.now)
        check_time(desk.settings, desk.now, visit.start, visit.end, "end")
        self._check_named(desk, visit.patient_id)
        desk.allow_times(asked, before, visit)
        check_overlap(asked, self.overlap_reason)
        wish = self.wish(desk.directory, visit, before)
        held, new = place_anew(desk, asked, before, visit, wish, manual=before.method == "manual")
        detail = sealed_reason(desk.keeping, visit.id, self.overlap_reason)
        desk.put(
            asked, "appointment.line_changed", visit, before, gone=held, new=new, line_no=self.line_no, **detail
        )  # fmt: skip
        return visit

    def _check_named(self, desk: Desk, patient_id: str) -> None:
        for authorization in self.authorization_ids:
            if not desk.has_authorization(authorization):
                raise NotFound("authorization_id")
        for caregiver in self.caregiver_ids:
            if not desk.is_caregiver(patient_id, caregiver):
                raise NotFound("caregiver_id")

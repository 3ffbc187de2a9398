"""Join a visit: one more line in it. A supervisor comes to a therapist's session, a second service follows the first."""

from holdfast.actor import Asked
from holdfast.commands.desk import Desk
from holdfast.commands.intent import (
    Placing,
    check_overlap,
    check_time,
    copied,
    kept_wish,
    place_anew,
    sealed_reason,
)
from holdfast.commands.line_wish import LineWish, check_named
from holdfast.commands.lines_of import check_lines_may_change, follow_lines
from holdfast.errors import FieldError, Invalid
from holdfast.rules.assess import Wish
from holdfast.rules.facts import Directory, Visit

LINES_MAX = 20


class Join(Placing, kw_only=True):
    """`line` without times takes what is left of the visit from its own start."""

    id: str
    line: LineWish
    overlap_reason: str | None = None

    @property
    def is_placing(self) -> bool:
        return True

    @property
    def visit_id(self) -> str | None:
        return self.id

    @property
    def status(self) -> int:
        return 201

    @property
    def authorization_ids(self) -> tuple[str, ...]:
        return (self.line.authorization_id,) if self.line.authorization_id else ()

    @property
    def caregiver_ids(self) -> tuple[str, ...]:
        return (self.line.caregiver_id,) if self.line.caregiver_id else ()

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        assert before is not None, "somebody joins a visit"  # noqa: S101 the transaction reads it first
        visit = copied(before)
        number = max(line.line_no for line in visit.lines) + 1
        if number > LINES_MAX:
            raise Invalid(FieldError("line_no", "invalid_value", f"a visit has at most {LINES_MAX} lines"))
        visit.lines.append(self.line.line(directory, number, before.start, before.end, before.location, ""))
        follow_lines(directory, before, visit)
        return visit

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        wish = kept_wish(directory, visit, before or visit)
        wish.line_new = visit.lines[-1].line_no
        wish.overlap = self.overlap_reason is not None
        return wish

    def decide(self, desk: Desk, asked: Asked) -> Visit:
        before = desk.visit(asked, self.id)
        check_lines_may_change(before)
        visit = self.wished(desk.directory, before, desk.now)
        check_time(desk.settings, desk.now, visit.start, visit.end, "end")
        check_named(desk, visit.patient_id, [("", self.line)])
        desk.allow_times(asked, before, visit)
        check_overlap(asked, self.overlap_reason)
        wish = self.wish(desk.directory, visit, before)
        held, new = place_anew(desk, asked, before, visit, wish, manual=before.method == "manual")
        detail = sealed_reason(desk.keeping, visit.id, self.overlap_reason)
        line_no = visit.lines[-1].line_no
        desk.put(asked, "appointment.joined", visit, before, gone=held, new=new, line_no=line_no, **detail)
        return visit

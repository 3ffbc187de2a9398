"""Leave a visit: one line less. Its time and units are given back."""

from holdfast.actor import Asked
from holdfast.commands.desk import Desk
from holdfast.commands.intent import RELEASES, Placing, copied, kept_wish, place_anew
from holdfast.commands.lines_of import check_lines_may_change, follow_lines, the_line
from holdfast.errors import FieldError, Invalid
from holdfast.rules.assess import Wish
from holdfast.rules.facts import Directory, Visit


class Leave(Placing, kw_only=True):
    """The first line does not leave: without it there is no visit."""

    id: str
    line_no: int

    @property
    def rank(self) -> int:
        return RELEASES

    @property
    def visit_id(self) -> str | None:
        return self.id

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        assert before is not None, "somebody leaves a visit"  # noqa: S101 the transaction reads it first
        visit = copied(before)
        leaving = the_line(visit, self.line_no)
        if leaving.line_no == 1:
            why = "the first line is the visit itself: change its practitioner, or cancel the visit"
            raise Invalid(FieldError("line_no", "invalid_value", why))
        visit.lines.remove(leaving)
        follow_lines(directory, before, visit)
        return visit

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        wish = kept_wish(directory, visit, before or visit)
        wish.overlap = True  # nobody comes to lie beside another by it
        return wish

    def decide(self, desk: Desk, asked: Asked) -> Visit:
        before = desk.visit(asked, self.id)
        check_lines_may_change(before)
        visit = self.wished(desk.directory, before, desk.now)
        desk.allow_times(asked, before, visit)
        wish = self.wish(desk.directory, visit, before)
        held, new = place_anew(desk, asked, before, visit, wish, manual=before.method == "manual")
        desk.put(asked, "appointment.left", visit, before, gone=held, new=new, line_no=self.line_no)
        return visit

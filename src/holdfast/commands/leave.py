"""Leave a visit: one line less. Its time and units are given back."""

from typing import ClassVar

from holdfast.commands.intent import RELEASES
from holdfast.commands.lines_of import OnLines, the_line
from holdfast.errors import FieldError, Invalid
from holdfast.rules.assess import Wish
from holdfast.rules.facts import Directory, Visit


class Leave(OnLines, kw_only=True):
    """The first line does not leave: without it there is no visit."""

    line_no: int

    event: ClassVar[str] = "appointment.left"

    @property
    def rank(self) -> int:
        return RELEASES

    def line_of(self, before: Visit) -> int:
        return self.line_no

    def edited(self, directory: Directory, before: Visit, visit: Visit) -> None:
        leaving = the_line(visit, self.line_no)
        if leaving.line_no == 1:
            why = "the first line is the visit itself: change its practitioner, or cancel the visit"
            raise Invalid(FieldError("line_no", "invalid_value", why))
        visit.lines.remove(leaving)

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        wish = super().wish(directory, visit, before)
        wish.overlap = True  # nobody comes to lie beside another by it
        return wish

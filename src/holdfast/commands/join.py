"""Join a visit: one more line in it. A supervisor comes to a therapist's session, a second service follows the first."""

from typing import ClassVar, Final

from holdfast.commands.line_wish import LineWish
from holdfast.commands.lines_of import OnLines
from holdfast.errors import FieldError, Invalid
from holdfast.rules.facts import Directory, Visit

LINES_MAX: Final = 20


class Join(OnLines, kw_only=True):
    """`line` without times takes what is left of the visit from its own start."""

    line: LineWish

    event: ClassVar[str] = "appointment.joined"

    @property
    def status(self) -> int:
        return 201

    @property
    def named(self) -> tuple[str | None, str | None]:
        return self.line.authorization_id, self.line.caregiver_id

    def line_of(self, before: Visit) -> int:
        return max(line.line_no for line in before.lines) + 1

    def edited(self, directory: Directory, before: Visit, visit: Visit) -> None:
        number = self.line_of(before)
        if number > LINES_MAX:
            raise Invalid(FieldError("line_no", "invalid_value", f"a visit has at most {LINES_MAX} lines"))
        visit.lines.append(self.line.line(directory, number, before.start, before.end, before.location, ""))

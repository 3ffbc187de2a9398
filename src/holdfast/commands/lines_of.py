"""What joining, changing and leaving have in common: the visit is decided on anew as its lines become, itself out of its
own way.
"""

from abc import abstractmethod
from typing import ClassVar

from holdfast.actor import Asked
from holdfast.commands.desk import Desk
from holdfast.commands.in_group import check_alone
from holdfast.commands.intent import (
    Placing,
    check_overlap,
    check_time,
    copied,
    enclose,
    kept_wish,
    place_anew,
    sealed_reason,
    tails,
)
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules.assess import Wish
from holdfast.rules.facts import Directory, Line, Visit
from holdfast.states import MOVABLE, TRANSITIONS


class OnLines(Placing, kw_only=True):
    """A verb on one line of a visit."""

    id: str
    overlap_reason: str | None = None

    event: ClassVar[str]

    @property
    def is_placing(self) -> bool:
        return True

    @property
    def visit_id(self) -> str | None:
        return self.id

    @property
    def named(self) -> tuple[str | None, str | None]:
        """The authorization and the caregiver that the request names."""
        return None, None

    @property
    def authorization_ids(self) -> tuple[str, ...]:
        return tuple(filter(None, self.named[:1]))

    @property
    def caregiver_ids(self) -> tuple[str, ...]:
        return tuple(filter(None, self.named[1:]))

    @abstractmethod
    def edited(self, directory: Directory, before: Visit, visit: Visit) -> None:
        """Does to the visit's lines what is asked for. Raises NotFound and Invalid naming the field."""

    @abstractmethod
    def line_of(self, before: Visit) -> int:
        """The number of the line that it is about."""

    def wished(self, directory: Directory, before: Visit | None, now: int) -> Visit:
        assert before is not None, "a line is in a visit"  # noqa: S101 the transaction reads it first
        visit = copied(before)
        self.edited(directory, before, visit)
        _follow_lines(directory, before, visit)
        return visit

    def wish(self, directory: Directory, visit: Visit, before: Visit | None) -> Wish:
        wish = kept_wish(directory, visit, before or visit, self.acknowledged)
        wish.overlap = self.overlap_reason is not None
        if before is not None and self.named[0] is not None:
            wish.line_new = self.line_of(before)
        return wish

    def decide(self, desk: Desk, asked: Asked) -> Visit:
        before = desk.visit(asked, self.id)
        _check_lines_may_change(before)
        check_alone(before)
        visit = self.wished(desk.directory, before, desk.now)
        check_time(desk.settings, desk.now, visit.start, visit.end, "end")
        check_named(desk, visit.patient_id, *self.named, "")
        desk.allow_times(asked, before, visit)
        check_overlap(asked, self.overlap_reason)
        wish = self.wish(desk.directory, visit, before)
        held, new = place_anew(desk, asked, before, visit, wish, manual=before.method == "manual")
        desk.put(
            asked, self.event, visit, before, gone=held, new=new, line_no=self.line_of(before),
            **sealed_reason(desk.keeping, visit.id, self.overlap_reason),
        )  # fmt: skip
        return visit


def check_named(
    desk: Desk, patient_id: str, authorization_id: str | None, caregiver_id: str | None, field: str
) -> None:
    """Raises NotFound for a named authorization that there is not, or a caregiver who is none of the patient's."""
    if authorization_id is not None and not desk.has_authorization(authorization_id):
        raise NotFound(f"{field}authorization_id")
    if caregiver_id is not None and not desk.is_caregiver(patient_id, caregiver_id):
        raise NotFound(f"{field}caregiver_id")


def the_line(visit: Visit, line_no: int) -> Line:
    """Raises NotFound."""
    for line in visit.lines:
        if line.line_no == line_no:
            return line
    raise NotFound("line_no")


def _check_lines_may_change(visit: Visit) -> None:
    """Raises Refused (illegal_transition) once the visit is over: as long as its practitioner may change, lines may."""
    if "practitioner_id" not in MOVABLE[visit.status]:
        raise Refused(
            "illegal_transition",
            f"The lines of a visit that is {visit.status} cannot change.",
            allowed=sorted(TRANSITIONS[visit.status]),
            status_now=visit.status,
            version=visit.version,
        )


def _follow_lines(directory: Directory, before: Visit, visit: Visit) -> None:
    """The visit as its lines have become: its time, their tails, and unconfirmed if its time is another. Raises Invalid if
    a patient who has arrived would have had to come at another time."""
    enclose(visit)
    tails(directory, visit)
    if visit.start != before.start and "start" not in MOVABLE[before.status]:
        raise Invalid(
            FieldError("start", "invalid_value", "the patient is there: the visit cannot begin anew")
        )
    if (visit.start, visit.end) != (before.start, before.end) and before.status == "confirmed":
        visit.status = "scheduled"

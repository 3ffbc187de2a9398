"""What joining, changing and leaving have in common."""

from holdfast.commands.intent import enclose, tails
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules.facts import Directory, Line, Visit
from holdfast.states import MOVABLE, TRANSITIONS


def check_lines_may_change(visit: Visit) -> None:
    """Raises Refused (illegal_transition) once the visit is over: as long as its practitioner may change, lines may."""
    if "practitioner_id" not in MOVABLE[visit.status]:
        raise Refused(
            "illegal_transition",
            f"The lines of a visit that is {visit.status} cannot change.",
            allowed=sorted(TRANSITIONS[visit.status]),
            status_now=visit.status,
            version=visit.version,
        )


def the_line(visit: Visit, line_no: int) -> Line:
    """Raises NotFound."""
    for line in visit.lines:
        if line.line_no == line_no:
            return line
    raise NotFound("line_no")


def follow_lines(directory: Directory, before: Visit, visit: Visit) -> None:
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

"""What is different about a visit that is a group's: the practitioner's and the room's time is the group's, so the visit is
judged as if it alone had that time, and does not go elsewhere by itself.
"""

from collections.abc import Iterable

from holdfast.commands.claims_kept import HeldClaim
from holdfast.errors import Refused
from holdfast.rules.assess import Verdict, Wish, assess
from holdfast.rules.facts import Authorization, Directory, Patient, Visit
from holdfast.rules.lines import TURNOVER_MINUTES_MAX, busy_span
from holdfast.rules.timetable import Timetable
from holdfast.slot import MINUTE


def judge(
    directory: Directory,
    timetable: Timetable,
    patient: Patient,
    authorizations: Iterable[Authorization],
    wish: Wish,
) -> Verdict:
    """The verdict of a member's visit. Raises Refused if the group is not there any more (group_cancelled, group_moved)."""
    _check(wish.visit)
    settle(wish)
    held = lift(timetable, wish.visit)
    try:
        return assess(directory, timetable, patient, authorizations, wish)
    finally:
        for resource, claim in held:
            timetable.add(resource, claim)


def _check(visit: Visit) -> None:
    group = visit.group
    if group is None or group.is_cancelled:
        raise Refused("group_cancelled", "The group is cancelled.")
    where = (visit.start, visit.lines[0].practitioner_id, visit.room_id)
    # one that was completed before its end has kept less
    if where != (group.start, group.practitioner_id, group.room_id) or visit.end > group.end:
        raise Refused("group_moved", "The group has been moved since; add the patient to it anew.")


def settle(wish: Wish) -> None:
    """A member's room is the group's, and the practitioner is beside whom the group was allowed beside."""
    wish.room, wish.overlap, wish.unassigned = "given", True, False


def lift(timetable: Timetable, visit: Visit) -> list[HeldClaim]:
    """Takes what a visit's group has of its practitioner and room out of the visit's way; `add` puts each back."""
    looked_at = [(line.practitioner_id, *busy_span(line)) for line in visit.lines]
    if visit.room_id is not None:
        looked_at.append((visit.room_id, visit.start, visit.end + TURNOVER_MINUTES_MAX * MINUTE))
    held = [
        (resource, claim)
        for resource, start, end in looked_at
        for claim in timetable.owned(resource, start, end, visit.group_id or "")
    ]
    for resource, claim in held:
        timetable.remove(resource, claim)
    return held


def check_alone(visit: Visit) -> None:
    """Raises Refused (belongs_to_group) for a visit whose time, place and lines are its group's."""
    if visit.group_id is not None:
        raise Refused(
            "belongs_to_group",
            "The visit is a group's: move the group, or cancel this visit and book another.",
            group_id=visit.group_id,
        )

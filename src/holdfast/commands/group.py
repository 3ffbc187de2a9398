"""A group as decisions see it: like a visit, of nobody in particular, that has the practitioner and the room."""

from typing import Any

import msgspec

from holdfast.actor import Actor
from holdfast.errors import Refused
from holdfast.rules.facts import Line, Membership, Visit
from holdfast.slot import instant, rfc3339


class Group(Visit, kw_only=True):
    """Its one line is that of whoever gives it; `group` says the same of itself as its members' visits do. It takes no
    patient's time, and stands where a patient would."""

    members_min: int

    @property
    def members_max(self) -> int:
        return 0 if self.group is None else self.group.members_max


def check_own(actor: Actor, practitioner_id: str) -> None:
    """Raises Refused (forbidden) unless the caller may change the group of this practitioner."""
    if actor.reach("appointments.write") != "all" and practitioner_id != actor.practitioner_id:
        raise Refused("forbidden", "Only your own groups can be changed.")


class _Assignment(msgspec.Struct):
    method: str
    policy_version: int
    score: int | None
    rules_applied: list[str]


class _Document(msgspec.Struct):
    """What the SQL function `block_groups` tells."""

    id: str
    clinic_id: str
    service_id: str
    practitioner_id: str
    room_id: str | None
    location: str
    start: str
    end: str
    status: str
    members_min: int
    members_max: int
    travel_before_minutes: int
    buffer_minutes: int
    turnover_minutes: int
    assignment: _Assignment
    version: int
    created_at: str
    updated_at: str


def of_document(document: str | bytes) -> Group:
    """A stored group."""
    stored = msgspec.json.decode(document, type=_Document)
    start, end = instant(stored.start), instant(stored.end)
    line = Line(
        line_no=1, practitioner_id=stored.practitioner_id, service_id=stored.service_id, start=start, end=end,
        patient_present=False, travel_before_minutes=stored.travel_before_minutes, buffer_minutes=stored.buffer_minutes,
    )  # fmt: skip
    return Group(
        id=stored.id, clinic_id=stored.clinic_id, patient_id=stored.id, room_id=stored.room_id, location=stored.location,
        start=start, end=end, status=stored.status, lines=[line], members_min=stored.members_min,
        turnover_minutes=stored.turnover_minutes, method=stored.assignment.method,
        policy_version=stored.assignment.policy_version, score=stored.assignment.score,
        rules_applied=stored.assignment.rules_applied, version=stored.version,
        created_at=instant(stored.created_at), updated_at=instant(stored.updated_at),
        group=Membership(start, end, stored.practitioner_id, stored.room_id, stored.members_max, stored.turnover_minutes),
    )  # fmt: skip


def group_body(group: Group) -> dict[str, Any]:
    """What events tell of a group: nothing of its members."""
    (line,) = group.lines
    return {
        "id": group.id, "clinic_id": group.clinic_id, "service_id": line.service_id,
        "practitioner_id": line.practitioner_id, "room_id": group.room_id, "location": group.location,
        "start": rfc3339(group.start), "end": rfc3339(group.end), "status": group.status,
        "members_min": group.members_min, "members_max": group.members_max,
        "travel_before_minutes": line.travel_before_minutes, "buffer_minutes": line.buffer_minutes,
        "turnover_minutes": group.turnover_minutes,
        "assignment": {
            "method": group.method, "policy_version": group.policy_version, "score": group.score,
            "rules_applied": group.rules_applied,
        },
        "version": group.version, "created_at": rfc3339(group.created_at), "updated_at": rfc3339(group.updated_at),
    }  # fmt: skip

"""The rules of the rules scenario: ten hard and twenty soft ones over the rooms and people of one organization, and how to see
from outside that the hard ones were kept. Pure.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from holdfast.proof.bench.rules import document
from holdfast.proof.history.log import Visit
from holdfast.proof.prove.client import Client
from holdfast.proof.prove.organization import Organization

EQUIPMENT = "table"
HOURS = (8, 9, 10, 11, 13, 14, 15, 16)
"""Hours in which a half-hour's visit is against none of the hard rules about time."""
_ONLY_IN_OTHER_ROOMS = 5
"""The first so many practitioners may not have the first room."""


def rules(of: Organization, kinds: Sequence[str] = ("hard", "soft")) -> list[dict[str, Any]]:
    """Those of these kinds, over the organization's own ids."""
    ids = {f"room-{n}": room for n, room in enumerate(of.rooms)}
    ids |= {f"person-{n}": person for n, person in enumerate(of.practitioners)}
    return [_with(each, ids) for each in document(len(of.rooms)) if each["kind"] in kinds]


def _with(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _with(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [_with(each, ids) for each in value]
    return ids.get(value, value) if isinstance(value, str) else value


def put_into_force(admin: Client, document: list[dict[str, Any]]) -> None:
    """Saves the document as the organization's and activates it. Raises Unexpected."""
    saved = admin.made("/policies", scope="organization", rules=document)
    admin.must("POST", f"/api/v1/policies/{saved['id']}/activate")


def forbidden(of: Organization, visits: Sequence[Visit]) -> int:
    """Visits that are where a hard rule does not let them be: in a room without the equipment, in one reserved at that hour,
    or in the room that its practitioner may not have."""
    furniture = of.furniture
    bare = frozenset(of.rooms[furniture.rooms - furniture.bare_rooms :])
    first, second, *_ = of.rooms
    others = frozenset(of.practitioners[:_ONLY_IN_OTHER_ROOMS])
    return sum(
        visit.room_id in bare
        or (visit.room_id == first and (_begins_in(visit.start, 8) or visit.lines[0].practitioner_id in others))
        or (visit.room_id == second and _begins_in(visit.start, 16))
        for visit in visits
    )  # fmt: skip


def _begins_in(start: datetime, hour: int) -> bool:
    return start.hour == hour

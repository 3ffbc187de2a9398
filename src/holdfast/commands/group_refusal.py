"""What a refused group is told: what is in the way, and when and where else it could be. Looked up after the turn has been
given back, in a snapshot of its own, as refused bookings are.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from holdfast.actor import Asked
from holdfast.commands.gather import Need
from holdfast.commands.group import Group
from holdfast.commands.house import House
from holdfast.commands.reading import snapshot
from holdfast.commands.refusal import (
    everything,
    free_rooms,
    in_the_way,
    is_about_rooms,
    is_hopeless,
    slot_body,
)
from holdfast.errors import Refused
from holdfast.rules.assess import Wish, assess, spans
from holdfast.rules.availability import Grid, nearest_slots
from holdfast.rules.facts import SpanOf
from holdfast.rules.timetable import Timetable
from holdfast.slot import DAY, local_date

_REACH_DAYS = 7
"""How far other times are looked for."""


async def explained(
    house: House, asked: Asked, group: Group, wish: Wish, refused: Refused, *, is_alone: bool
) -> Refused:
    """The refusal with `conflicts`, `alternatives` and `as_of_seq`, on the state of now. The group is out of its own way.
    Other times and rooms only if it `is_alone`: whether they suit its members too is not asked."""
    async with snapshot(house, asked.actor.organization_id) as reading:
        found = await reading.gather(Need(lambda directory, _visits, _now: spans(directory, group)))
        _lift(found.timetable, spans(found.directory, group), group.id)
        verdict = assess(found.directory, found.timetable, None, (), wish)
        reasons = tuple(verdict.reasons) or refused.reasons
        conflicts = await in_the_way(reading, verdict.conflicts)
        slots: list[dict[str, Any]] = []
        if is_alone and not is_hopeless(reasons):
            low = max(group.start - (_REACH_DAYS + 2) * DAY, found.facts.now - 2 * DAY)
            around = everything(found.directory, group, low, group.end + (_REACH_DAYS + 2) * DAY)
            await reading.read(around)
            _lift(found.timetable, around, group.id)  # where it is now may lie beside where it shall be
            middle = local_date(group.start, found.directory.clinics[group.clinic_id].time_zone)
            slots = [
                slot_body(slot)
                for slot in nearest_slots(
                    found.directory, found.timetable, None, (), group,
                    [middle + timedelta(days=n) for n in range(-_REACH_DAYS, _REACH_DAYS + 1)], Grid(),
                    earliest=found.facts.now, count=house.settings.alternatives_slots, now=found.facts.now,
                )
            ]  # fmt: skip
        rooms = free_rooms(found, None, group) if is_alone and is_about_rooms(reasons) else []
    first = reasons[0]
    members = first.members | {"alternatives": {"rooms": rooms, "slots": slots}, "as_of_seq": found.facts.seq}
    return Refused(first.code, first.detail, reasons=reasons, conflicts=tuple(conflicts), **members)


def _lift(timetable: Timetable, spans: Iterable[SpanOf], owner: str) -> None:
    for resource, start, end in spans:
        for claim in timetable.owned(resource, start, end, owner):
            timetable.remove(resource, claim)

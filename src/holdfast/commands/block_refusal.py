"""What a refused block is told: what is in the way, date by date, and when else it could be. Looked up after the turn has
been given back, in a snapshot of its own, as refused bookings are.
"""

from datetime import timedelta
from typing import Any, Final, NamedTuple

from holdfast.actor import Asked
from holdfast.commands.gather import Gathered, Need
from holdfast.commands.house import House
from holdfast.commands.reading import Snapshot, snapshot
from holdfast.commands.refusal import REACHES_DAYS, each_in_the_way
from holdfast.commands.save import Document
from holdfast.db.statements import statement
from holdfast.errors import Reason, Refused
from holdfast.rules.assess import Conflict
from holdfast.rules.facts import Directory, SpanOf
from holdfast.rules.free_times import nearest_free
from holdfast.slot import DAY, Span, instant, local_date, rfc3339

_ANOTHER_TIME_HELPS_NOT: Final = frozenset({"inactive_resource", "room_unavailable"})


class Unfitting(NamedTuple):
    """A block that cannot be had as it is wanted, with every reason, the first in order first."""

    block: Document
    reasons: tuple[Reason, ...]


class Unfit(Exception):
    """Some of the blocks that were wanted cannot be had; `lifted` are those that would have made room for them."""

    def __init__(self, unfitting: list[Unfitting], lifted: list[Document], *, is_series: bool) -> None:
        super().__init__(f"{len(unfitting)} blocks cannot be had")
        self.unfitting = unfitting
        self.lifted = lifted
        self.is_series = is_series


async def explained(house: House, asked: Asked, unfit: Unfit) -> Refused:
    """The refusal with `conflicts`, `alternatives` and `as_of_seq`; that of a series also with every bad date."""
    async with snapshot(house, asked.actor.organization_id) as reading:
        asked_for = [each.block for each in unfit.unfitting]
        looked_at = [span for block in (*asked_for, *unfit.lifted) for span in _spans(block, *_span(block))]
        found = await reading.gather(Need(lambda _directory, _visits, _now: looked_at))
        for block in unfit.lifted:
            for resource, start, end in _spans(block, *_span(block)):
                for claim in found.timetable.owned(resource, start, end, block["id"]):
                    found.timetable.remove(resource, claim)
        conflicts = await each_in_the_way(reading, [_conflicts(found, block) for block in asked_for])
        first = unfit.unfitting[0]
        slots = [] if unfit.is_series else await _slots(house, reading, found, first)
    members: dict[str, Any] = {"alternatives": {"rooms": [], "slots": slots}, "as_of_seq": found.facts.seq}
    if unfit.is_series:
        dates = [_date(each, met) for each, met in zip(unfit.unfitting, conflicts, strict=True)]
        why = f"{len(dates)} of the dates cannot be had; nothing was changed."
        met = tuple([claim for claims in conflicts for claim in claims])
        return Refused("series_conflict", why, conflicts=met, dates=dates, **members)
    reason = first.reasons[0]
    return Refused(
        reason.code, reason.detail, reasons=first.reasons, conflicts=tuple(conflicts[0]), **members
    )


def _date(unfitting: Unfitting, conflicts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "start": unfitting.block["start"], "end": unfitting.block["end"], "code": unfitting.reasons[0].code,
        "reasons": [{"code": each.code, "detail": each.detail} for each in unfitting.reasons],
        "conflicts": conflicts,
    }  # fmt: skip


def _span(block: Document) -> Span:
    return instant(block["start"]), instant(block["end"])


def _spans(block: Document, low: int, high: int) -> list[SpanOf]:
    """The time of everyone and the room of a block between two instants."""
    resources = [*block["practitioner_ids"], *([block["room_id"]] if block["room_id"] else [])]
    return [(resource, low, high) for resource in resources] if low < high else []


def _conflicts(found: Gathered, block: Document) -> list[Conflict]:
    """The claims on each resource that has no free seat for all of the block."""
    conflicts = []
    for resource, start, end in _spans(block, *_span(block)):
        if found.timetable.free_seat(resource, start, end, _seats(found.directory, resource)) is None:
            is_room = resource == block["room_id"]
            conflicts += [
                Conflict("room" if is_room else "practitioner", resource, claim)
                for claim in found.timetable.overlapping(resource, start, end)
            ]
    return conflicts


def _seats(directory: Directory, resource: str) -> int:
    holder = directory.rooms.get(resource) or directory.practitioners[resource]
    return holder.seats


async def _slots(
    house: House, reading: Snapshot, found: Gathered, unfitting: Unfitting
) -> list[dict[str, Any]]:
    """The nearest times at which all attendees and the room are free and working."""
    if {reason.code for reason in unfitting.reasons} & _ANOTHER_TIME_HELPS_NOT:
        return []
    block, directory, now, settings = unfitting.block, found.directory, found.facts.now, house.settings
    start, end = _span(block)
    zone_name: str = await reading.connection.fetchval(
        statement("block_zone"), directory.organization.id, block["practitioner_ids"], block["room_id"]
    )
    middle, starts = local_date(start, zone_name), []
    for days in (*REACHES_DAYS, settings.alternatives_days_max):
        wide = _spans(block, max(start - (days + 2) * DAY, now - 2 * DAY), end + (days + 2) * DAY)
        await reading.gather(Need(lambda _directory, _visits, _now, wide=wide: wide))  # type: ignore[misc]
        starts = nearest_free(
            directory, found.timetable, [directory.practitioners[each] for each in block["practitioner_ids"]],
            directory.rooms[block["room_id"]] if block["room_id"] else None, (start, end),
            [middle + timedelta(days=n) for n in range(-days, days + 1)], zone_name, now, settings.alternatives_slots,
        )  # fmt: skip
        if len(starts) >= settings.alternatives_slots:
            break
    return [{"start": rfc3339(at), "end": rfc3339(at + end - start)} for at in starts]

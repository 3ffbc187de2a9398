"""What whoever cannot have a series is told: every bad date with its reasons and what is in its way, in one snapshot."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from holdfast.actor import Asked
from holdfast.commands.desk import Desk
from holdfast.commands.gather import Need
from holdfast.commands.house import House
from holdfast.commands.intent import Placing
from holdfast.commands.reading import snapshot
from holdfast.commands.refusal import desk_of, each_in_the_way, wished_of
from holdfast.errors import Refused
from holdfast.rules.assess import Conflict, assess
from holdfast.rules.facts import Directory

Wanted = Callable[[Directory], Mapping[str, Placing]]
"""What was asked for at each date: by the id of its visit, or by the start of one that is not booked yet."""


def series_conflict(dates: list[dict[str, Any]], seq: int) -> Refused:
    """The refusal of a series of which these dates cannot be had; `conflicts` is all that is in their way."""
    which = "One of the dates" if len(dates) == 1 else f"{len(dates)} of the dates"
    return Refused(
        "series_conflict", f"{which} cannot be had; nothing was changed.",
        conflicts=tuple([met for each in dates for met in each.get("conflicts", ())]), dates=dates,
        alternatives={"rooms": [], "slots": []}, as_of_seq=seq,
    )  # fmt: skip


async def explained(house: House, asked: Asked, need: Need, wanted: Wanted, refused: Refused) -> Refused:
    """The refusal with what is in the way of each bad date, on the state of now. Between dates others have their turn."""
    dates = refused.members["dates"]
    async with snapshot(house, asked.actor.organization_id) as reading:
        found = await reading.gather(need)
        desk, placings = await desk_of(house, reading, found, asked), wanted(found.directory)
        met = []
        with desk.together(found.facts.appointments or ()):
            for each in dates:
                met.append(_met(desk, asked, placings[each.get("appointment_id", each["start"])]))
                await asyncio.sleep(0)
        conflicts = await each_in_the_way(reading, met)
    told = [each | {"conflicts": those} for each, those in zip(dates, conflicts, strict=True)]
    return series_conflict(told, found.facts.seq)


def _met(desk: Desk, asked: Asked, placing: Placing) -> list[Conflict]:
    wish, patient = wished_of(desk, msgspec.structs.replace(asked, if_match=None), placing)
    authorizations = desk.authorizations_of(patient.id)
    return list(assess(desk.directory, desk.timetable, patient, authorizations, wish).conflicts)

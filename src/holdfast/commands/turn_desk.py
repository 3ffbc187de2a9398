"""A desk outside the lanes: on facts read in an open turn. What is put down on it is written when the turn ends."""

from holdfast.commands.batch import Batch
from holdfast.commands.change import Turn
from holdfast.commands.desk import Desk
from holdfast.commands.gather import Need, gather
from holdfast.commands.house import House
from holdfast.rules.facts import Directory
from holdfast.rules.timetable import Timetable


async def turn_desk(house: House, turn: Turn, need: Need, known: Directory | None = None) -> Desk:
    """What a decision looks at, without holds that have expired. `known`: the directory, if it was read in this turn."""
    known = known or house.directories.get(turn.organization)
    found = await gather(turn.connection, turn.organization, "facts", need, known, Timetable(-1))
    desk = Desk(house.settings, found.directory, found.timetable, found.facts, turn)
    desk.sweep()
    turn.written = Batch(desk, set()).written
    return desk

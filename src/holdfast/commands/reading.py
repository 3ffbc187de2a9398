"""Reading what decisions read, without deciding: one snapshot of one organization, its directory from memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from holdfast.commands.gather import Gathered, Need, gather
from holdfast.commands.house import House
from holdfast.db.database import Connection
from holdfast.rules.timetable import Timetable, held_by


class Snapshot:
    """An open read-only transaction; everything gathered in it is true at one seq."""

    def __init__(self, house: House, organization: str, connection: Connection) -> None:
        self._house = house
        self._organization = organization
        self.connection = connection
        self._timetable = Timetable(-1)

    async def gather(self, need: Need) -> Gathered:
        """Raises NotFound if there is no such organization."""
        known = self._house.directories.get(self._organization)
        gathered = await gather(self.connection, self._organization, "facts", need, known, self._timetable)
        self._house.directories[self._organization] = gathered.directory
        self._house.policy_cache.count(is_hit=gathered.directory is known)
        self._timetable = gathered.timetable
        for hold in self._timetable.expired(gathered.facts.now):  # still stored, but nobody's any more
            for resource, claim in held_by(hold):
                self._timetable.remove(resource, claim)
            del self._timetable.holds[hold.id]
        return gathered


@asynccontextmanager
async def snapshot(house: House, organization: str) -> AsyncIterator[Snapshot]:
    async with house.database.reading(organization) as connection:
        yield Snapshot(house, organization, connection)

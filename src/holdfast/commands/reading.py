"""Reading what decisions read, without deciding: one snapshot of one organization, its directory from memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from holdfast.commands.gather import Gathered, Need, gather
from holdfast.commands.house import House
from holdfast.db.database import Connection
from holdfast.errors import NotFound
from holdfast.rules.facts import SpanOf, Visit
from holdfast.rules.timetable import Timetable, held_by


class Snapshot:
    """An open read-only transaction; everything gathered in it is true at one seq.

    `timetable`: what is known already, if it is known at that seq.
    """

    def __init__(
        self, house: House, organization: str, connection: Connection, timetable: Timetable | None = None
    ) -> None:
        self._house = house
        self._organization = organization
        self.connection = connection
        self.timetable = Timetable(-1) if timetable is None else timetable

    async def gather(self, need: Need) -> Gathered:
        """Raises NotFound if there is no such organization."""
        known = self._house.directories.get(self._organization)
        gathered = await gather(self.connection, self._organization, "facts", need, known, self.timetable)
        self._house.directories[self._organization] = gathered.directory
        self._house.policy_cache.count(is_hit=gathered.directory is known)
        self.timetable = gathered.timetable
        if self.timetable.wants_holds:
            self.timetable.learn_holds(gathered.facts.holds or ())
        for hold in self.timetable.expired(gathered.facts.now):  # still stored, but nobody's any more
            for resource, claim in held_by(hold):
                self.timetable.remove(resource, claim)
            del self.timetable.holds[hold.id]
        return gathered

    async def visit(self, visit_id: str) -> tuple[Gathered, Visit]:
        """A stored visit, and what it was read with. Raises NotFound."""
        found = await self.gather(Need(visits={visit_id}))
        if not found.facts.appointments:
            raise NotFound("id")
        return found, found.facts.appointments[0]

    async def read(self, spans: list[SpanOf]) -> None:
        """Has this time in the timetable."""
        if self.timetable.missing(spans):
            await self.gather(Need(lambda _directory, _visits, _now: spans))


@asynccontextmanager
async def snapshot(house: House, organization: str) -> AsyncIterator[Snapshot]:
    async with house.database.reading(organization) as connection:
        yield Snapshot(house, organization, connection)

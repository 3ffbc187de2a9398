"""Looking for free time: one reader per organization, which keeps the timetable that it has read.

The timetable knows its seq. Before each batch it is brought to the seq of the batch's snapshot: the events since tell
whose time has changed and when, and those days are read anew. If that cannot be known, everything is. So what is
answered is what is stored at `as_of_seq`, whatever is remembered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from holdfast import events
from holdfast.commands.gather import Gathered, Need
from holdfast.commands.house import House
from holdfast.commands.look_up import Lookup, Reader
from holdfast.commands.reading import Snapshot
from holdfast.db.database import CONNECTION_LOST, Connection
from holdfast.db.lanes import Wake
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Overloaded
from holdfast.rules.facts import DatesOf, Directory, SpanOf, Visit
from holdfast.rules.timetable import Timetable
from holdfast.slot import DAY, instant

_CLAIMS_MAX: Final = 25_000
_RESOURCES_MAX: Final = 5_000
"""So many claims (about 7 MB) of so many resources are remembered at most; then it begins anew."""
_EVENTS_MAX: Final = 1_000
"""After more events than that everything is read anew: it is about as dear."""
_ABOUT_TIME: Final = frozenset((*events.APPOINTMENT, *events.HOLD, *events.BLOCK, *events.GROUP))
_NOT_ABOUT_TIME: Final = frozenset(
    (
        *events.SERIES, *events.AUTHORIZATION, *events.ROOM_PLAN, *events.BREAK_GLASS, *events.SESSION, *events.DIRECTORY,
    )
)  # fmt: skip
"""The visits of a series tell of themselves. Closures and time off are among these: they move the directory, and then everything is read anew."""
_FIRST: Final = frozenset(("appointment.booked", "hold.placed", "block.created", "group.created"))
"""What had no time before."""


class Step(NamedTuple):
    """The time on resources that is needed to go on. After the last nothing more is read."""

    spans: list[SpanOf]
    is_last: bool


_SNAPSHOT_LOST: Final = (asyncpg.PostgresError, *CONNECTION_LOST)
"""Then everybody's is."""

Looking = Generator[Step | None, Gathered, Any]
"""Yields what it needs and is sent what there is; yields None where others may have their turn."""


class Search(NamedTuple):
    """What is looked for in free time. What it needs is gathered for a whole batch at once: facts hold more than that."""

    need: Need
    look: Callable[[Gathered], Looking]


class Look(NamedTuple):
    """What is looked at in one go, and leaves the snapshot's timetable as it is."""

    need: Need
    look: Callable[[Snapshot, Gathered], Awaitable[Any]]


async def search(
    house: House, organization: str, wanted: Search | Look, deadline: float, *, is_long: bool = False
) -> Any:
    """What the look returns. `is_long`: it may take a second, and travels where nobody waits behind it who is told why a
    booking is refused. Raises what it raises; Overloaded, NotFound."""
    lookup: Lookup[Any] = Lookup(wanted, deadline, house.loop.create_future())
    lanes = house.long_search_lanes if is_long else house.search_lanes
    lanes.join(organization, lookup)
    try:
        return await lookup.future
    finally:
        del lookup  # as in `submit`


class _Line(msgspec.Struct):
    practitioner_id: str


class _Event(msgspec.Struct):
    kind: str
    id: str | None = None
    patient_id: str | None = None
    room_id: str | None = None
    practitioner_ids: list[str] | None = None
    practitioner_id: str | None = None
    lines: list[_Line] | None = None
    start: str | None = None
    end: str | None = None

    @property
    def spans(self) -> list[SpanOf]:
        """Where the claims are that it made, and those that changed seats for them: with the tails and the day on each
        side that seats are changed in, all of it lies within two days of the visit's own time."""
        if self.start is None or self.end is None:
            return []
        low, high = instant(self.start) - 2 * DAY, instant(self.end) + 2 * DAY
        named = [self.patient_id, self.room_id, self.practitioner_id, *(self.practitioner_ids or ())]
        named += [line.practitioner_id for line in self.lines or ()]
        return [(each, low, high) for each in named if each is not None]


class _Changes(msgspec.Struct):
    seq: int
    directory_seq: int
    events: list[_Event] | None


class SearchReader(Reader[Any]):
    """Knows the time of practitioners, rooms and patients; of caregivers it is not asked."""

    def __init__(self, house: House, organization: str, wake: Wake) -> None:
        super().__init__(house, organization, wake)
        self._timetable = Timetable(-1)

    async def answer(self, tickets: list[Lookup[Any]]) -> None:
        left: list[tuple[Lookup[Any], Looking]] = []
        # Whatever stops this half-way leaves nothing that is believed later.
        timetable, self._timetable = self._timetable, Timetable(-1)
        async with self.house.database.reading(self.organization) as connection:
            timetable = await self._caught_up(connection, timetable)
            snapshot = Snapshot(self.house, self.organization, connection, timetable)
            seen = await snapshot.gather(_together([ticket.wish.need for ticket in tickets]))
            for ticket in tickets:
                if isinstance(ticket.wish, Look):
                    await _looked(snapshot, ticket, seen)
                    continue
                looking = await _begun(snapshot, ticket, seen)
                if looking is not None:
                    left.append((ticket, looking))
        for ticket, looking in left:
            await self._finish(ticket, looking, seen)
        self._timetable = snapshot.timetable

    async def _caught_up(self, connection: Connection, timetable: Timetable) -> Timetable:
        """The timetable as it is in this snapshot, as far as that can be known; an empty one otherwise."""
        if timetable.seq < 0:
            return timetable
        document = await connection.fetchval(
            statement("changes_since"), self.organization, timetable.seq, _EVENTS_MAX
        )
        if document is None:
            raise NotFound("organization_id")
        changes = msgspec.json.decode(document, type=_Changes)
        happened = changes.events or []
        if (
            changes.directory_seq > timetable.seq
            or changes.seq - timetable.seq != len(happened)
            or timetable.held > _CLAIMS_MAX
            or timetable.resources > _RESOURCES_MAX
            or not all(event.kind in _ABOUT_TIME or event.kind in _NOT_ABOUT_TIME for event in happened)
        ):
            return Timetable(-1)
        about = [event for event in happened if event.kind in _ABOUT_TIME]
        if happened:
            timetable.follow(
                changes.seq,
                {event.id for event in about if event.id is not None and event.kind not in _FIRST},
                [span for event in about for span in event.spans],
            )
        return timetable

    async def _finish(self, ticket: Lookup[Any], looking: Looking, seen: Gathered) -> None:
        """Nothing is read any more, so that it may take its time: others have their turn in between."""
        try:
            looking.send(seen)
            while not ticket.future.done():
                await _pause(ticket)
                next(looking)
        except StopIteration as found:
            ticket.settle(found.value)
        except Exception as error:  # noqa: BLE001 it is this request's answer; the others have theirs
            ticket.settle(error)


def _together(needs: list[Need]) -> Need:
    def spans(directory: Directory, visits: dict[str, Visit], now: int) -> list[SpanOf]:
        return [span for need in needs for span in need.spans(directory, visits, now)]

    def dates(directory: Directory, visits: dict[str, Visit], now: int) -> list[DatesOf]:
        return [each for need in needs for each in need.dates(directory, visits, now)]

    return Need(
        spans,
        patients={each for need in needs for each in need.patients},
        authorizations={each for need in needs for each in need.authorizations},
        visits={each for need in needs for each in need.visits},
        dates=dates,
    )


async def _looked(snapshot: Snapshot, ticket: Lookup[Any], seen: Gathered) -> None:
    try:
        ticket.settle(await ticket.wish.look(snapshot, seen))
    except _SNAPSHOT_LOST:
        raise
    except Exception as error:  # noqa: BLE001 it is this request's answer; the others have theirs
        ticket.settle(error)


async def _begun(snapshot: Snapshot, ticket: Lookup[Any], seen: Gathered) -> Looking | None:
    """Goes on as long as there is something to read; then, unless it is settled, what is left to do with what is there."""
    try:
        looking: Looking = ticket.wish.look(seen)
        step = next(looking)
        while step is None or not step.is_last:
            if step is None:
                await _pause(ticket)
            else:
                await snapshot.read(step.spans)
            step = looking.send(seen)
        await snapshot.read(step.spans)
    except StopIteration as found:
        ticket.settle(found.value)
    except _SNAPSHOT_LOST:
        raise
    except Exception as error:  # noqa: BLE001 it is this request's answer; the others have theirs
        ticket.settle(error)
    else:
        return looking
    return None


async def _pause(ticket: Lookup[Any]) -> None:
    """Lets others have their turn. Raises Overloaded when nobody waits for the answer any more."""
    await asyncio.sleep(0)
    if asyncio.get_running_loop().time() > ticket.deadline:
        raise Overloaded("search")

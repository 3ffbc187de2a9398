"""Look-ups that many people make at once: pages of visits, and what is in the way of a time. Requests of one
organization that arrive together share one snapshot and one statement.

A visit's encoded form is remembered under the versions of everything it shows (visit, patient, directory), so what
is remembered is either exactly what is stored or is not used.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import asyncpg
import msgspec

from holdfast.commands.house import House
from holdfast.db.database import CONNECTION_LOST, Connection
from holdfast.db.lanes import Wake
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Overloaded
from holdfast.rules.facts import Directory, Visit
from holdfast.slot import moment

T = TypeVar("T")
Encode = Callable[[Visit, Directory], bytes]
_REMEMBERED_MAX = 8_000
_PAGES_MAX = 128
"""How many encoded visits (about 1 kB) and pages of up to 100 of them an organization's reader remembers."""


class PageWish(msgspec.Struct, kw_only=True):
    """Which visits, as the SQL function `appointments_page` takes it. `clinics` None: all of the organization."""

    n: int = 0
    clinics: list[str] | None = None
    patient: str | None = None
    practitioner: str | None = None
    room: str | None = None
    statuses: list[str] | None = None
    without_room: bool | None = None
    range_start: str
    range_end: str
    skip: int
    take: int
    count_max: int


class Page(NamedTuple):
    """`total` counts up to the wish's count_max; `visits` are encoded as those see them who see all. Pages that show the
    same visit share its text."""

    seq: int
    total: int
    visits: tuple[bytes, ...]

    @property
    def items(self) -> bytes:
        """Joined by commas."""
        return b",".join(self.visits)


class InTheWay(NamedTuple):
    """A claim that overlaps an asked time. `status`: of its visit, None if it belongs to none."""

    n: int
    kind: str
    resource_id: str
    seat: int
    start: int
    end: int
    claim_kind: str
    appointment_id: str | None
    status: str | None


class TimeAsked(NamedTuple):
    """A time on resources: (kind, id) each; the claims of `except_id` do not count."""

    resources: tuple[tuple[str, str], ...]
    start: int
    end: int
    except_id: str | None


class Found(NamedTuple):
    seq: int
    directory: Directory
    claims: list[InTheWay]


class _Rows(msgspec.Struct):
    total: int
    rows: list[tuple[str, int, int]] | None


class _Claims(msgspec.Struct):
    seq: int
    directory_seq: int
    claims: list[InTheWay] | None


class Lookup(Generic[T]):
    """One request that waits for a look-up."""

    marks: tuple[Any, ...] = ()

    def __init__(self, wish: Any, deadline: float, future: asyncio.Future[T]) -> None:
        self.wish = wish
        self.joined = time.perf_counter()
        self.deadline = deadline
        self.future = future

    def settle(self, outcome: T | Exception) -> None:
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Reader(ABC, Generic[T]):
    """Carries batches of look-ups of one organization, each in one snapshot."""

    wanted = 1
    is_under_way = False
    has_come_to_end = False

    def __init__(self, house: House, organization: str, _wake: Wake) -> None:
        self.house = house
        self.organization = organization

    @property
    def marks(self) -> set[Any]:
        return set()

    def most(self, waiting: int) -> int:
        return waiting

    async def close(self) -> None:
        """Nothing is held between batches."""

    async def carry(self, tickets: list[Lookup[T]]) -> None:
        try:
            await self.answer(tickets)
        except (*CONNECTION_LOST, asyncpg.QueryCanceledError):
            for ticket in tickets:
                ticket.settle(Overloaded("connection_lost"))
        except Exception as error:  # noqa: BLE001 a defect must not stop the lane; the requests are answered with it
            for ticket in tickets:
                ticket.settle(error)

    @abstractmethod
    async def answer(self, tickets: list[Lookup[T]]) -> None:
        """Settles each; what it raises is the answer of those that are not settled."""

    async def directory(self, connection: Connection, seq: int) -> Directory:
        """The directory as it is at `seq`, from memory if it still holds."""
        known = self.house.directories.get(self.organization)
        self.house.policy_cache.count(is_hit=known is not None and known.seq == seq)
        if known is None or known.seq != seq:
            known = Directory.decode(await connection.fetchval(statement("directory"), self.organization))
            self.house.directories[self.organization] = known
        return known


class BatchReader(Reader[T]):
    """Reads what all of a batch ask for in one snapshot."""

    async def answer(self, tickets: list[Lookup[T]]) -> None:
        async with self.house.database.reading(self.organization) as connection:
            results = await self.read(connection, [ticket.wish for ticket in tickets])
        for ticket, result in zip(tickets, results, strict=True):
            ticket.settle(result)

    @abstractmethod
    async def read(self, connection: Connection, wishes: list[Any]) -> list[T]:
        """What each wish asks for, in their order."""


class PageReader(BatchReader[Page]):
    """Reads pages of visits. A page that was read at the seq at which the organization still stands is that page:
    every change of a visit, a patient or the directory moves the seq."""

    def __init__(self, house: House, encode: Encode, organization: str, wake: Wake) -> None:
        super().__init__(house, organization, wake)
        self._encode = encode
        self._visits: dict[str, tuple[tuple[int, int, int], bytes]] = {}
        self._pages: dict[bytes, Page] = {}
        self._pages_seq = -1

    async def read(self, connection: Connection, wishes: list[Any]) -> list[Page]:
        row = await connection.fetchrow(statement("turn_standing"), self.organization)
        if row is None:
            raise NotFound("organization_id")
        directory = await self.directory(connection, row["directory_seq"])
        if row["seq"] != self._pages_seq or len(self._pages) > _PAGES_MAX:
            self._pages, self._pages_seq = {}, row["seq"]
        keys: list[bytes] = []
        new: dict[bytes, PageWish] = {}
        for wish in wishes:
            if wish.clinics is None and not wish.patient and not wish.practitioner:
                wish.clinics = list(directory.clinics)
            keys.append(msgspec.json.encode(wish))
            if keys[-1] not in self._pages:
                new[keys[-1]] = wish
        if new:
            await self._read_new(connection, directory, new)
        pages = self._pages
        return [pages[key] for key in keys]

    async def _read_new(
        self, connection: Connection, directory: Directory, new: dict[bytes, PageWish]
    ) -> None:
        for n, wish in enumerate(new.values()):
            wish.n = n
        document = await connection.fetchval(
            statement("appointments_pages"),
            self.organization,
            msgspec.json.encode(list(new.values())).decode(),
        )
        found = msgspec.json.decode(document, type=list[_Rows])
        await self._learn(connection, directory, [row for page in found for row in page.rows or ()])
        for key, page in zip(new, found, strict=True):
            visits = tuple([self._visits[row[0]][1] for row in page.rows or ()])
            self._pages[key] = Page(self._pages_seq, page.total, visits)

    async def _learn(
        self, connection: Connection, directory: Directory, rows: list[tuple[str, int, int]]
    ) -> None:
        """Reads and encodes those visits that are not remembered as they are stored now."""
        remembered = self._visits
        new: dict[str, tuple[int, int, int]] = {}
        for visit_id, version, patient_version in rows:
            entry, versions = remembered.get(visit_id), (version, patient_version, directory.seq)
            if entry is None or entry[0] != versions:
                new[visit_id] = versions
        if not new:
            return
        if len(remembered) + len(new) > _REMEMBERED_MAX:
            kept = {visit_id for visit_id, _, _ in rows}
            self._visits = remembered = {v: entry for v, entry in remembered.items() if v in kept}
        document = await connection.fetchval(statement("appointments_by_id"), self.organization, list(new))
        for visit in msgspec.json.decode(document, type=list[Visit]):
            remembered[visit.id] = (new[visit.id], self._encode(visit, directory))


class ConflictReader(BatchReader[Found]):
    async def read(self, connection: Connection, wishes: list[Any]) -> list[Found]:
        asked = [
            (n, kind, resource, moment(wish.start), moment(wish.end), wish.except_id)
            for n, wish in enumerate(wishes)
            for kind, resource in wish.resources
        ]
        columns = zip(*asked, strict=True) if asked else ([],) * 6
        document = await connection.fetchval(
            statement("claims_in_way"), self.organization, *(list(column) for column in columns)
        )
        if document is None:
            raise NotFound("organization_id")
        found = msgspec.json.decode(document, type=_Claims)
        directory = await self.directory(connection, found.directory_seq)
        claims: list[list[InTheWay]] = [[] for _ in wishes]
        for claim in found.claims or ():
            claims[claim.n].append(claim)
        return [Found(found.seq, directory, each) for each in claims]

"""The booking transaction. One batch of one organization's requests, all in one place:

    take the turn and read the facts → decide each request on the desk → write all winners and commit

When nothing is under way, the turn is taken first and everything happens inside it. While a batch is being written,
the requests that arrive are decided ahead, on facts read beside it and on the timetable as that batch will leave it;
their write then takes the turn, and refuses itself if the organization's sequence is not where it was expected (HF001):
then they are decided again, inside the turn. So what is written was always decided on the state it is written to, and
the constraints in storage check it once more.

Requests that are refused write nothing. A batch in which nothing was granted pays no flush.
"""

import asyncio
import time
from collections.abc import Callable

import asyncpg
import structlog

from holdfast.actor import Answered, Asked
from holdfast.commands.batch import Batch, need_of_tickets, noted
from holdfast.commands.change import broken
from holdfast.commands.desk import Desk, View
from holdfast.commands.gather import Gathered, gather
from holdfast.commands.house import House
from holdfast.commands.intent import Errand
from holdfast.commands.memory import Memory
from holdfast.commands.metrics import AgainCause
from holdfast.commands.ticket import Ticket
from holdfast.db.database import CONNECTION_LOST, Closing, Connection, begin
from holdfast.db.keeping import Keeping, was_committed
from holdfast.db.looking import Looking
from holdfast.db.statements import statement
from holdfast.errors import Overloaded
from holdfast.rules.facts import Facts
from holdfast.vault import Seal

_log = structlog.get_logger("holdfast.lane")
_HALVED_FROM = 8
_TURN_MOVED = "HF001"
_BATCHES_IN_TURN_AFTER_A_MISS = 16
"""When another process has moved the sequence, deciding ahead is given up for so many batches."""


class BatchBroken(Exception):
    """The database refused what was decided: a writer outside the turn, or a defect."""


class TurnMoved(Exception):
    """Another process wrote in between; what was decided ahead must be decided again."""


class Transaction:
    """Carries one organization's batches, one after the other; the next may be decided while one is in flight.

    What was read is kept from batch to batch: as long as the organization's seq is where this process left it, it is,
    with what was granted since, exactly what is stored.
    """

    def __init__(self, house: House, organization: str, wake: Callable[[], None]) -> None:
        self._house, self._spans = house, house.metrics.spans
        self._organization = organization
        self._wake = wake
        self._connection: Connection | None = None
        self._looking = Looking(house.database, organization)
        self._memory = Memory()
        self._flight: asyncio.Task[bool] | None = None
        self._flying: Batch | None = None
        self._ahead: Batch | None = None
        self._waiting: list[Ticket] = []
        self._in_turn = 0
        self._is_tainted = False
        self._is_deciding = False
        self._grounds: set[str] = set()
        """The grounds of rooms' choices that are known to be stored."""

    @property
    def _may_be_ahead(self) -> bool:
        """A pooler that gives a connection for a transaction only would part a statement outside one from its text."""
        return self._house.settings.database_pooler != "transaction"

    # What the lane asks

    @property
    def marks(self) -> set[object]:
        """What requests under way are about; others about the same wait."""
        batches = (self._flying, self._ahead)
        under_way = [ticket for batch in batches if batch is not None for ticket in batch.tickets]
        return {mark for ticket in (*under_way, *self._waiting) for mark in ticket.marks}

    @property
    def wanted(self) -> int:
        """A batch in flight gives time: deciding ahead begins when half as many wait, not for each as it comes."""
        return 1 if self._flying is None else max(1, len(self._flying.tickets) // 2)

    def most(self, waiting: int) -> int:
        """So many that the batch in flight and the next are of one size: else writing the larger leaves Python idle
        and deciding the larger leaves the database idle, for ever, since who is answered together asks together. None,
        when the next is as large as that already."""
        if self._flying is None:
            return waiting
        flying, ahead = len(self._flying.tickets), len(self._ahead.tickets) if self._ahead is not None else 0
        return max(0, (flying + ahead + waiting + 1) // 2 - ahead)

    @property
    def is_under_way(self) -> bool:
        return self._flight is not None

    @property
    def has_come_to_end(self) -> bool:
        return self._flight is not None and self._flight.done()

    async def close(self) -> None:
        while (flight := self._flight) is not None:
            await flight
            if flight is self._flight:  # it let no other depart
                break
        left = self._ahead.tickets if self._ahead is not None else []
        for ticket in (*left, *self._waiting):
            ticket.settle(Overloaded("stopping"))
        self._looking.close()
        if self._connection is not None:
            self._connection.terminate()

    async def carry(self, tickets: list[Ticket]) -> None:
        """Takes requests (or none, when a flight has landed); whatever happens, every ticket is settled."""
        if self.has_come_to_end:
            await self._next()
        if tickets and self._flight is None:
            first, tickets = self._halved(tickets)
            await self._depart_in_turn(first)
        if tickets:
            await self._get_ahead(tickets)

    def _halved(self, tickets: list[Ticket]) -> tuple[list[Ticket], list[Ticket]]:
        """Many at once go in two halves, so that the second is decided while the first is written: from then on
        deciding and writing take turns, instead of everyone waiting for both. Releases are in the first half."""
        if len(tickets) < _HALVED_FROM or self._in_turn or not self._may_be_ahead:
            return tickets, []
        ranked = sorted(tickets, key=lambda ticket: ticket.intent.rank)
        return ranked[: len(ranked) // 2], ranked[len(ranked) // 2 :]

    async def _next(self) -> None:
        """A flight has landed: what was decided ahead takes off; what could not be is decided in its turn."""
        is_sound = (self._flight is None or self._flight.result()) and not self._is_tainted
        ahead, waiting = self._ahead, self._waiting
        self._flight = self._flying = self._ahead = None
        self._waiting, self._is_tainted = [], False
        if not is_sound:
            # What was decided ahead stood on something that did not come about.
            self._memory = Memory()
            if ahead is not None:
                waiting, ahead = ahead.tickets + waiting, None
        if ahead is not None:
            await self._take_off(ahead)
        if waiting and self._flight is None:
            await self._depart_in_turn(waiting)
        else:
            self._waiting = waiting
        if self._flight is None:
            await self._rest()

    async def _rest(self) -> None:
        try:
            await self._looking.rest()
        except CONNECTION_LOST:
            self._looking.close()

    async def _depart_in_turn(self, tickets: list[Ticket]) -> None:
        try:
            await self._take_off(await self._decided_in_turn(tickets), in_turn=True)
        except Exception as error:  # noqa: BLE001 a defect must not stop the lane; the requests are answered with it
            self._fail(tickets, error)

    async def _get_ahead(self, tickets: list[Ticket]) -> None:
        """Decides while a batch is in flight; what cannot be decided so waits for the landing."""
        try:
            self._waiting += await self._left_ahead(tickets)
        except Exception as error:  # noqa: BLE001 as above
            self._fail(tickets, error)
        if self._waiting and self._flight is None:
            await self._next()

    def _fail(self, tickets: list[Ticket], error: Exception) -> None:
        if self._flight is None or self._flight is asyncio.current_task():
            self._forget()
        else:
            self._is_tainted = True  # the batch in flight has nothing to do with it and must not be disturbed
        if not isinstance(error, Overloaded):
            _log.error("batch_failed", kind=type(error).__name__, requests=len(tickets))
        for ticket in tickets:
            ticket.settle(error)

    # Deciding

    async def _decided_in_turn(self, tickets: list[Ticket]) -> Batch:
        """Opens the transaction, takes the turn, reads, and decides: the transaction is left open for the write.

        Tries once more on a new connection if the first is lost. Raises Overloaded.
        """
        for last in (False, True):
            try:
                connection = await self._connected()
                with Closing(connection, self._house.settings.lane_attempt_seconds_max):
                    began = time.perf_counter()
                    await connection.execute(begin("begin_writing", self._organization))
                    if not self._memory.make_room():
                        self._memory = Memory()
                    gathered = await self._gathered(connection, "facts_in_turn", tickets, self._memory)
                    read = noted(self._spans, tickets, "facts", began)
                    seal = await self._house.seal(connection, self._organization)
                if gathered.timetable is not self._memory.timetable:
                    self._memory = Memory(gathered.timetable)
                self._memory.directory = gathered.directory
                batch = self._batch(gathered.facts, gathered.facts.seq, seal)
                batch.decide(tickets, gathered.facts, self._spans, read)
                self._house.policy_faults.report(gathered.directory)
                self._memory.take(gathered.facts, batch.desk)
                return batch
            except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
                self._forget()
                raise Overloaded("turn") from error
            except CONNECTION_LOST as error:
                self._forget()
                if last:
                    raise Overloaded("connection_lost") from error
        raise AssertionError("unreachable")

    async def _left_ahead(self, tickets: list[Ticket]) -> list[Ticket]:
        """Decides while a batch is in flight, on the state that it will leave; returns those that must wait for it."""
        before, memory = self._flying, self._memory
        if self._in_turn or before is None or self._waiting or not memory.make_room():
            self._in_turn = max(0, self._in_turn - 1)
            return tickets
        # A batch that broke is being decided again, one by one: nothing may stand on it.
        is_sound = self._may_be_ahead and before.desk.timetable is memory.timetable
        if not is_sound or any(ticket.intent.needs_turn for ticket in tickets):
            return tickets
        remembered = memory.facts(need_of_tickets(tickets))
        if remembered is not None:
            self._house.policy_cache.count(is_hit=True)
            tickets = self._decide_ahead(before, tickets, remembered)
            if not tickets:
                return []
        self._is_deciding = True
        try:
            connection = await self._looking.connection()
            with Closing(connection, self._house.settings.lane_attempt_seconds_max):
                began = time.perf_counter()
                gathered = await self._gathered(connection, "facts", tickets, memory, is_ahead=True)
                read = noted(self._spans, tickets, "facts", began)
        except (asyncpg.QueryCanceledError, *CONNECTION_LOST):
            self._looking.close()
            return tickets
        finally:
            self._is_deciding = False
        is_same = gathered.timetable is memory.timetable and gathered.directory is memory.directory
        if not is_same or memory is not self._memory:
            return tickets  # somebody else has written, or the flight failed and everything was forgotten
        return self._decide_ahead(before, tickets, gathered.facts, read)

    def _decide_ahead(
        self, before: Batch, tickets: list[Ticket], facts: Facts, read_seconds: float = 0.0
    ) -> list[Ticket]:
        """Decides on top of the batch before; returns the tickets that need more than what is remembered."""
        ahead = self._ahead
        if ahead is None:
            ahead = self._ahead = self._batch(facts, before.desk.keeping.seq_after, before.desk.keeping.seal)
            ahead.before = before.desk.keeping.batch_id
            ahead.desk.inherit(before.desk)
        else:
            ahead.desk.learn(facts)
        left = ahead.decide(tickets, facts, self._spans, read_seconds)
        self._house.policy_faults.report(ahead.desk.directory)
        self._memory.take(facts, ahead.desk)
        return left

    async def _gathered(
        self,
        connection: Connection,
        name: str,
        tickets: list[Ticket],
        memory: Memory,
        *,
        is_ahead: bool = False,
    ) -> Gathered:
        known = memory.directory or self._house.directories.get(self._organization)
        gathered = await gather(
            connection, self._organization, name, need_of_tickets(tickets), known, memory.timetable,
            reads_around=is_ahead and memory.is_roomy,
        )  # fmt: skip
        self._house.policy_cache.count(is_hit=gathered.directory is known)
        return gathered

    def _batch(self, facts: Facts, seq: int, seal: Seal) -> Batch:
        directory = self._memory.directory
        if directory is None:
            raise RuntimeError("nothing is decided without a directory")
        keeping = Keeping(self._organization, seq, facts.now, seal)
        return Batch(
            Desk(self._house.settings, directory, self._memory.timetable, facts, keeping), self._grounds
        )

    # Writing

    async def _take_off(self, batch: Batch, *, in_turn: bool = False) -> None:
        """Sends the write, and lets the lane go on while it is under way. Without an effect there is no write.

        `in_turn`: a transaction is open and holds the turn; otherwise the write is a transaction of its own.
        """
        if batch.has_effect:
            self._depart(batch, in_turn=in_turn)
        else:
            await self._end_without_effect(batch, in_turn=in_turn)

    def _depart(self, batch: Batch, *, in_turn: bool = False) -> None:
        batch.desk.timetable.depart(batch.desk.keeping.seq_after)
        self._flying = batch
        self._flight = asyncio.create_task(self._fly(batch, in_turn=in_turn))
        self._flight.add_done_callback(lambda _: self._wake())

    async def _end_without_effect(self, batch: Batch, *, in_turn: bool) -> None:
        """Nothing was granted: there is no commit and no flush."""
        batch.desk.timetable.depart(batch.desk.keeping.seq_after)
        batch.desk.timetable.arrive()
        batch.settle()
        if in_turn and self._connection is not None:
            try:
                await self._connection.execute(statement("rollback"))
            except CONNECTION_LOST:
                self._forget()

    async def _fly(self, batch: Batch, *, in_turn: bool = False, last: bool = False) -> bool:
        """Writes and settles the batch; True if it was written as decided and the connection still stands.
        Whatever goes wrong is dealt with here, and every ticket is settled."""
        try:
            await self._write(batch, in_turn=in_turn)
        except TurnMoved:
            self._forget()
            self._in_turn = _BATCHES_IN_TURN_AFTER_A_MISS
            await self._again(batch.tickets, "turn_moved")
            return False
        except BatchBroken:
            await self._one_by_one(batch.tickets)
            return False
        except CONNECTION_LOST:
            await self._found_out(batch, last=last)
            return False
        except Exception as error:  # noqa: BLE001 as above
            self._fail(batch.tickets, error)
            return False
        self._landed(batch)
        return True

    def _landed(self, batch: Batch) -> None:
        """The next batch departs before the answers of this one are spelled out: the database need not wait."""
        batch.desk.timetable.arrive()
        self._grounds |= batch.desk.grounds.keys()
        ahead = self._ahead
        # A batch that was decided again is not the one that the next was decided on top of.
        is_free = batch is self._flying and not (self._is_deciding or self._is_tainted)
        if is_free and ahead is not None and ahead.has_effect:
            self._ahead = None
            self._depart(ahead)
        batch.settle()
        self._house.committed(self._organization, batch.desk.keeping.seq_after)

    async def _found_out(self, batch: Batch, *, last: bool) -> None:
        """The connection was lost on the way: the batch's id tells whether it was committed. If not, once more."""
        self._forget()
        keeping = batch.desk.keeping
        try:
            deadline = max(ticket.deadline for ticket in batch.tickets)
            if await was_committed(self._house.database, self._organization, keeping.batch_id, deadline):
                batch.settle()
                self._house.committed(self._organization, keeping.seq_after)
            elif last:
                self._fail(batch.tickets, Overloaded("connection_lost"))
            else:
                await self._again(batch.tickets, "connection_lost")
        except Exception as error:  # noqa: BLE001 OutcomeUnknown among them
            self._fail(batch.tickets, error)

    async def _again(self, tickets: list[Ticket], cause: AgainCause) -> None:
        """Decides once more, inside the turn, and waits for the write."""
        self._house.metrics.decided_again(cause, len(tickets))
        try:
            batch = await self._decided_in_turn(tickets)
            if batch.has_effect:
                batch.desk.timetable.depart(batch.desk.keeping.seq_after)
                await self._fly(batch, in_turn=True, last=True)
            else:
                await self._end_without_effect(batch, in_turn=True)
        except BatchBroken:
            await self._one_by_one(tickets)
        except Exception as error:  # noqa: BLE001 as above
            self._fail(tickets, error)

    async def _one_by_one(self, tickets: list[Ticket]) -> None:
        """The requests of a broken batch, each by itself: decided on facts read anew."""
        self._house.metrics.decided_again("batch_broken", len(tickets))
        self._forget()
        for ticket in tickets:
            batch: Batch | None = None
            try:
                batch = await self._decided_in_turn([ticket])
                if batch.has_effect:
                    batch.desk.timetable.depart(batch.desk.keeping.seq_after)
                    await self._write(batch, in_turn=True)
                    self._landed(batch)
                else:
                    await self._end_without_effect(batch, in_turn=True)
            except BatchBroken as error:
                _log.error("request_broken", request_id=ticket.asked.request_id, cause=str(error.__cause__))
                cause = error.__cause__
                is_named = isinstance(cause, asyncpg.IntegrityConstraintViolationError)
                ticket.settle(broken(cause) if is_named else error)  # type: ignore[arg-type]
            except CONNECTION_LOST as error:
                if batch is None:
                    self._fail([ticket], error)
                else:
                    await self._found_out(batch, last=True)
            except Exception as error:  # noqa: BLE001 as above
                self._fail([ticket], error)

    async def _write(self, batch: Batch, *, in_turn: bool) -> None:
        """Writes all winners and commits; outside the turn in one round trip, which takes the turn itself.

        Raises TurnMoved, BatchBroken, CONNECTION_LOST.
        """
        connection = await self._connected()
        began = written = time.perf_counter()
        batch.departs(began, self._spans)
        try:
            with Closing(connection, self._house.settings.lane_attempt_seconds_max):
                for name, values in batch.statements(in_turn=in_turn):
                    await connection.fetchval(statement(name), *values)
                if in_turn:
                    written = noted(self._spans, batch.tickets, "write", began) + began
                    await connection.execute(statement("commit"))
        except CONNECTION_LOST:
            raise
        except asyncpg.PostgresError as error:
            self._forget()
            if isinstance(error, (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)):
                raise Overloaded("turn") from error
            if error.sqlstate == _TURN_MOVED and not in_turn:
                raise TurnMoved from error
            constraint = getattr(error, "constraint_name", None)
            _log.warning("batch_broken", sqlstate=error.sqlstate, constraint=constraint)
            raise BatchBroken from error
        noted(self._spans, batch.tickets, "committing" if in_turn else "write_and_commit", written)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._house.database.connect()
        return self._connection

    def _forget(self) -> None:
        """After any failure: a new connection and nothing remembered."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        self._memory = Memory()


async def submit(
    house: House, asked: Asked, intent: Errand, view: View, spans: dict[str, float] | None = None
) -> Answered:
    """Puts a request into its organization's lane and waits for its outcome. `spans` receives how many seconds
    each stage of its batch took.

    Raises Refused, Invalid, NotFound; Overloaded (nothing has happened); OutcomeUnknown.
    """
    ticket = Ticket(asked, intent, view, {} if spans is None else spans, house.loop.create_future())
    house.lanes.join(asked.actor.organization_id, ticket)
    watch = house.loop.call_at(ticket.deadline, ticket.expire)
    try:
        return await ticket.future
    finally:
        watch.cancel()
        del ticket  # a refusal knows this frame: a circle, which would stay until the collector comes by

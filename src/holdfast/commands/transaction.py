"""The booking transaction. One batch of one organization's requests, all in one place:

    take the turn and read the facts → decide each request on the desk → write all winners and commit

The turn is taken before anything is read, so what is decided is still true when it is written; the constraints in
storage check it again. Requests that are refused write nothing. A batch that nothing was granted in pays no flush.
"""

import asyncio
import time

import asyncpg
import structlog

from holdfast.actor import Answered, Asked
from holdfast.commands.change import broken, replayed
from holdfast.commands.desk import Desk, View
from holdfast.commands.gather import Gathered, Need, gather
from holdfast.commands.house import House
from holdfast.commands.intent import Intent
from holdfast.db.database import Connection, begin
from holdfast.db.keeping import CONNECTION_LOST, Keeping, decoded, rows, was_committed
from holdfast.db.statements import filled, statement
from holdfast.errors import Invalid, NotFound, OutcomeUnknown, Overloaded, Refused
from holdfast.rules.facts import Directory, SpanOf, StoredAnswer, Visit
from holdfast.rules.timetable import Timetable

_log = structlog.get_logger("holdfast.lane")
_CELLS_MAX = 100_000
"""A lane forgets its timetable when it holds this many resource-days (about 50 MB)."""


class Ticket:
    """One request in the lane: what it wants, for whom, how its answer is spelled, and who waits for it."""

    __slots__ = ("asked", "deadline", "future", "intent", "is_sent", "joined", "spans", "view")

    def __init__(self, asked: Asked, intent: Intent, view: View, spans: dict[str, float]) -> None:
        self.asked, self.intent, self.view, self.spans = asked, intent, view, spans
        self.joined = time.perf_counter()
        self.deadline = asked.deadline
        self.is_sent = False
        self.future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()

    @property
    def marks(self) -> tuple[object, ...]:
        marks: list[object] = []
        if self.intent.visit_id is not None:
            marks.append(self.intent.visit_id)
        if self.asked.key is not None:
            marks.append((self.asked.actor.user_id, self.asked.key))
        return tuple(marks)

    @property
    def stored_key(self) -> tuple[str, str] | None:
        return None if self.asked.key is None else (self.asked.actor.user_id, self.asked.key)

    def settle(self, outcome: Answered | Exception) -> None:
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)

    def expire(self) -> None:
        """Nobody waits longer than the deadline, whatever becomes of the batch."""
        if self.is_sent:
            self.settle(OutcomeUnknown("the deadline passed while the batch was under way"))
        else:
            self.settle(Overloaded("the deadline passed in the lane"))


Outcomes = list[tuple[Ticket, Answered | Exception]]


class BatchBroken(Exception):
    """The database refused what was decided: a writer outside the turn, or a defect."""


class Transaction:
    """Carries one organization's batches over one connection, one after the other.

    The timetable is kept from batch to batch: as long as the organization's seq is where this process left it,
    what was read and what was granted since is exactly what is stored.
    """

    def __init__(self, house: House, organization: str) -> None:
        self._house = house
        self._organization = organization
        self._connection: Connection | None = None
        self._directory: Directory | None = None
        self._timetable = Timetable(-1)

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()

    async def carry(self, tickets: list[Ticket]) -> None:
        """Decides and writes one batch; whatever happens, every ticket is settled."""
        try:
            await self._attempt(tickets)
        except BatchBroken:
            for ticket in tickets:
                await self._alone(ticket)
        except Exception as error:  # noqa: BLE001 a defect must not stop the lane; the requests are answered with it
            self._forget()
            _log.error("batch_failed", kind=type(error).__name__, requests=len(tickets))
            for ticket in tickets:
                ticket.settle(error)

    async def _alone(self, ticket: Ticket) -> None:
        """A request of a broken batch, by itself: decided on facts read anew."""
        try:
            await self._attempt([ticket])
        except BatchBroken as error:
            _log.error("request_broken", request_id=ticket.asked.request_id, cause=str(error.__cause__))
            cause = error.__cause__
            if isinstance(cause, asyncpg.IntegrityConstraintViolationError):
                ticket.settle(broken(cause))
            else:
                ticket.settle(error)
        except Exception as error:  # noqa: BLE001 as in carry
            self._forget()
            ticket.settle(error)

    async def _attempt(self, tickets: list[Ticket]) -> None:
        """One try, and a second if the connection was lost and nothing of the first has arrived."""
        for last in (False, True):
            keeping: Keeping | None = None
            outcomes: Outcomes = []
            watch: asyncio.TimerHandle | None = None
            try:
                connection = await self._connected()
                # At its limit the socket is closed; a cancel request could be acknowledged as a success.
                watch = asyncio.get_running_loop().call_later(
                    self._house.settings.lane_attempt_seconds_max, connection.terminate
                )
                began = time.perf_counter()
                gathered = await self._facts(connection, tickets)
                read = time.perf_counter()
                desk, outcomes = await self._decide(connection, gathered, tickets)
                decided = time.perf_counter()
                keeping = desk.keeping
                await self._write(connection, desk)
                _time(tickets, began, read, decided, time.perf_counter())
            except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as error:
                self._forget()
                raise Overloaded("the turn could not be had in time") from error
            except CONNECTION_LOST as error:
                self._forget()
                if not await self._arrived(tickets, keeping):
                    if last:
                        raise Overloaded("the database connection was lost twice") from error
                    continue
            finally:
                if watch is not None:
                    watch.cancel()
            for ticket, outcome in outcomes:
                ticket.settle(outcome)
            if keeping is not None and keeping.events:
                self._house.committed(self._organization, keeping.seq_after)
            return

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._house.database.connect()
        return self._connection

    def _forget(self) -> None:
        """After any failure: a new connection and nothing remembered."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        self._directory = None
        self._timetable = Timetable(-1)

    async def _arrived(self, tickets: list[Ticket], keeping: Keeping | None) -> bool:
        """Whether the batch was committed though no answer came. Raises OutcomeUnknown."""
        if keeping is None or not keeping.events:
            return False
        deadline = max(ticket.deadline for ticket in tickets)
        return await was_committed(self._house.database, self._organization, keeping.batch_id, deadline)

    # Facts

    async def _decide(
        self, connection: Connection, gathered: Gathered, tickets: list[Ticket]
    ) -> tuple[Desk, Outcomes]:
        """Decides every ticket that is still waited for in its place: releases, moves, bookings."""
        facts = gathered.facts
        seal = await self._house.seal(connection, self._organization)
        keeping = Keeping(self._organization, facts.seq, facts.now, seal)
        desk = Desk(self._house.settings, gathered.directory, gathered.timetable, facts, keeping)
        keys = {(stored.user_id, stored.key): stored for stored in facts.keys or ()}
        outcomes: Outcomes = []
        for ticket in sorted(tickets, key=lambda ticket: ticket.intent.rank):
            # Who has been told that nothing happened gets nothing: from here to the sending nobody is told.
            if not ticket.future.done():
                ticket.is_sent = True
                outcomes.append((ticket, _outcome(desk, ticket, keys)))
        return desk, outcomes

    async def _facts(self, connection: Connection, tickets: list[Ticket]) -> Gathered:
        """Opens the transaction, takes the turn and reads what the batch is decided on."""
        await connection.execute(begin("begin_writing", self._organization))
        if len(self._timetable) > _CELLS_MAX:
            self._timetable = Timetable(-1)

        def spans(directory: Directory, visits: dict[str, Visit], now: int) -> list[SpanOf]:
            found: list[SpanOf] = []
            for ticket in tickets:
                visit_id = ticket.intent.visit_id
                before = visits.get(visit_id) if visit_id else None
                if visit_id is None or before is not None:
                    found += ticket.intent.spans(directory, before, now)
            return found

        need = Need(
            spans,
            visits={v for t in tickets for v in (t.intent.visit_id, *t.intent.other_visit_ids) if v},
            patients={t.intent.patient_id for t in tickets if t.intent.patient_id},
            authorizations={t.intent.authorization_id for t in tickets if t.intent.authorization_id},
            keys=[t.stored_key for t in tickets if t.stored_key is not None],
        )
        gathered = await gather(
            connection, self._organization, "facts_in_turn", need, self._directory, self._timetable
        )
        self._directory, self._timetable = gathered.directory, gathered.timetable
        return gathered

    # The write

    async def _write(self, connection: Connection, desk: Desk) -> None:
        """Writes all winners and commits, in one round trip. Raises BatchBroken for a definite refusal."""
        keeping = desk.keeping
        if not keeping.events:
            await connection.execute(statement("rollback"))
            return
        values = keeping.literals() | {
            "claims_gone": rows(desk.claims_gone),
            "claims_new": rows(desk.claims_new),
            "appointments_new": rows(desk.appointments_new),
            "appointments_changed": rows(desk.appointments_changed),
            "lines_new": rows(desk.lines_new),
            "lines_changed": rows(desk.lines_changed),
            "authorizations_changed": rows(desk.authorizations_changed),
            "entries_new": rows(desk.entries_new),
        }
        try:
            await connection.execute(filled("apply_and_commit", **values))
        except (*CONNECTION_LOST, asyncpg.QueryCanceledError):
            raise
        except asyncpg.PostgresError as error:
            self._forget()
            _log.warning(
                "batch_broken", sqlstate=error.sqlstate, constraint=getattr(error, "constraint_name", None)
            )
            raise BatchBroken from error
        desk.timetable.seq = keeping.seq_after


def _time(tickets: list[Ticket], began: float, read: float, decided: float, written: float) -> None:
    for ticket in tickets:
        ticket.spans["lane"] = began - ticket.joined
        ticket.spans["facts"] = read - began
        ticket.spans["decide"] = decided - read
        ticket.spans["write"] = written - decided


def _outcome(desk: Desk, ticket: Ticket, keys: dict[tuple[str, str], StoredAnswer]) -> Answered | Exception:
    """What one request gets: its stored answer, its effect, or its refusal."""
    asked = ticket.asked
    try:
        stored = keys.get(ticket.stored_key) if ticket.stored_key else None
        if stored is not None:
            fingerprint, sealed = decoded(stored.fingerprint), decoded(stored.answer_encrypted)
            return replayed(desk.keeping, asked, fingerprint, stored.status, sealed)
        visit = ticket.intent.decide(desk, asked)
        status = 200 if ticket.intent.visit_id else 201
        content = ticket.view(visit, desk.directory, asked)
        desk.keeping.remember(asked, status, content)
        return Answered(status=status, content=content, version=visit.version)
    except (Refused, Invalid, NotFound) as refusal:
        return refusal


async def submit(
    house: House, asked: Asked, intent: Intent, view: View, spans: dict[str, float] | None = None
) -> Answered:
    """Puts a request into its organization's lane and waits for its outcome. `spans` receives how many seconds
    each stage of its batch took.

    Raises Refused, Invalid, NotFound; Overloaded (nothing has happened); OutcomeUnknown.
    """
    ticket = Ticket(asked, intent, view, {} if spans is None else spans)
    house.lanes.join(asked.actor.organization_id, ticket)
    watch = asyncio.get_running_loop().call_at(ticket.deadline, ticket.expire)
    try:
        return await ticket.future
    finally:
        watch.cancel()

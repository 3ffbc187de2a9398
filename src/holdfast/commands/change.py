"""A change outside the lanes (places, people, services, authorizations): one request, one turn, one commit.

The same promises as a lane's: the turn first, an equal key has one effect, a lost COMMIT is looked up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands.house import House
from holdfast.db.database import CONNECTION_LOST, Closing, Connection, begin, is_gone
from holdfast.db.keeping import Keeping, opened, was_committed
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Overloaded, Refused, constraint
from holdfast.vault import Seal

_OPENING_SECONDS_MIN = 0.1


class _Versioned(msgspec.Struct):
    """What is looked for in a stored answer: the version that its ETag repeats."""

    version: int | None = None


class Turn(Keeping):
    """An open transaction that holds its organization's turn."""

    connection: Connection
    written: Callable[[], list[Any]] | None = None
    """What a desk has put down in this turn (`Batch.written`), where visits change: then it is all one write."""

    async def commit(self, connection: Connection) -> None:
        if self.written is None:
            await super().commit(connection)
            return
        await connection.fetchval(statement("apply_in_turn"), *self.written())
        await connection.execute(statement("commit"))


async def change(house: House, asked: Asked, work: Callable[[Turn], Awaitable[Answered]]) -> Answered:
    """Runs `work` inside the organization's turn and commits it with its events, audit rows and answer.

    `work` writes through `turn.connection`, tells at least one event if it changed anything, and returns the
    answer. With an idempotency key the stored answer of an equal earlier request is returned instead.
    Raises Refused, Invalid and NotFound for broken constraints; OutcomeUnknown, Overloaded.
    """
    clock = asyncio.get_running_loop().time
    done = await _once(house, asked, work)
    if done is None and clock() < asked.deadline:
        done = await _once(house, asked, work)
    if done is None:
        raise Overloaded("connection_lost")
    return done


async def _once(house: House, asked: Asked, work: Callable[[Turn], Awaitable[Answered]]) -> Answered | None:
    """One attempt; None when the connection was lost and nothing was committed."""
    organization = asked.actor.organization_id
    turn: Turn | None = None
    answered: Answered | None = None
    try:
        async with house.database.any() as connection:
            try:
                with Closing(connection, _opening_seconds(asked.deadline)):
                    await connection.execute(begin("begin_writing", organization))
                    turn = await _take(house, connection, organization)
                answered = await _replay(connection, turn.seal, asked) or await work(turn)
                if answered.replayed or not turn.events:
                    await connection.execute(statement("rollback"))
                    return answered
                turn.remember(asked, answered.status, answered.content)
                await turn.commit(connection)
            except BaseException:
                if not is_gone(connection):
                    await connection.execute(statement("rollback"))
                raise
            house.committed(organization, turn.seq_after)
            return answered
    except asyncpg.IntegrityConstraintViolationError as error:
        raise broken(error) from error
    except CONNECTION_LOST:
        if turn is None:
            return None
        deadline = max(asked.deadline, asyncio.get_running_loop().time() + 1)
        if not await was_committed(house.database, organization, turn.batch_id, deadline):
            return None
    return answered


def _opening_seconds(deadline: float) -> float:
    """As long as nothing has been done, nobody is made to wait beyond their time."""
    return max(deadline - asyncio.get_running_loop().time(), _OPENING_SECONDS_MIN)


async def _take(house: House, connection: Connection, organization: str) -> Turn:
    row = await connection.fetchrow(statement("take_turn"), organization)
    if row is None:
        raise NotFound("organization_id")
    now = await connection.fetchval(statement("now"))
    turn = Turn(organization, row["seq"], now, await house.seal(connection, organization))
    turn.connection = connection
    return turn


async def answered_before(house: House, asked: Asked) -> Answered | None:
    """The stored answer of an equal request, read without the turn: for who would compute for long before asking for it.
    Raises Invalid as `change` does."""
    if asked.key is None:
        return None
    organization = asked.actor.organization_id
    async with house.database.reading(organization) as connection:
        return await _replay(connection, await house.seal(connection, organization), asked)


async def _replay(connection: Connection, seal: Seal, asked: Asked) -> Answered | None:
    if asked.key is None:
        return None
    actor = asked.actor
    row = await connection.fetchrow(statement("find_key"), actor.organization_id, actor.user_id, asked.key)
    if row is None:
        return None
    return replayed(seal, asked, row["fingerprint"], row["status"], row["answer_encrypted"])


def replayed(seal: Seal, asked: Asked, fingerprint: bytes, status: int, sealed: bytes) -> Answered:
    """The stored answer of a key. Raises Invalid if it was stored for another request."""
    if fingerprint != asked.fingerprint:
        raise Invalid(
            FieldError("Idempotency-Key", "idempotency_key_reused", "was used for a different request")
        )
    content = opened(seal, asked, sealed)
    version = msgspec.json.decode(content, type=_Versioned).version if content else None
    return Answered(status=status, content=content, version=version, replayed=True)


def broken(error: asyncpg.IntegrityConstraintViolationError) -> Exception:
    """What breaking a constraint is to the caller; the error itself if nobody named the constraint."""
    entry = constraint(error.constraint_name or "")
    if entry is None or entry.code == "internal_error":
        return error
    if entry.code == "not_found":
        return NotFound(entry.field or "id")
    if entry.field is not None and entry.code == "invalid_request":
        return Invalid(FieldError(entry.field, "invalid_value", entry.sentence))
    return Refused(entry.code, entry.sentence, field=entry.field)

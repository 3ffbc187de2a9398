"""What every writing transaction keeps beside its tables: events, audit rows, answers, and a batch id by which a
lost COMMIT is found again. Collects rows; decides nothing.
"""

import asyncio
import base64
from typing import Any

import asyncpg
import msgspec

from holdfast import ids
from holdfast.actor import Asked
from holdfast.db.database import CONNECTION_LOST, Connection, Database, begin
from holdfast.db.statements import statement
from holdfast.db.written import NewAudit, NewEvent, NewKey
from holdfast.errors import OutcomeUnknown
from holdfast.events import KINDS
from holdfast.vault import Seal


class Keeping:
    """The rows of one transaction that are not the change itself."""

    def __init__(self, organization: str, seq: int, now: int, seal: Seal) -> None:
        self.organization = organization
        self.batch_id = ids.new()
        self.seq_before = seq
        self.now = now
        self.seal = seal
        self.directory_changed = False
        self.events: list[NewEvent] = []
        self.audit: list[NewAudit] = []
        self.keys: list[NewKey] = []

    @property
    def seq_after(self) -> int:
        return self.seq_before + len(self.events)

    def tell(self, kind: str, body: dict[str, Any]) -> int:
        """Adds an event; returns its sequence number. The body: ids, times, statuses, counters; never names."""
        if kind not in KINDS:
            raise ValueError(f"{kind} is not in the list of events")
        self.events.append(NewEvent(kind, _json(body)))
        return self.seq_after

    def note(self, asked: Asked, action: str, subject: str, subject_id: str, **detail: Any) -> None:
        """Adds an audit row: who did what to which row. No patient text in the detail."""
        self.audit.append(
            NewAudit(asked.actor.user_id, action, subject, subject_id, _json(detail), asked.request_id)
        )

    def remember(self, asked: Asked, status: int, content: bytes) -> None:
        """Adds the answer for an equal key, sealed like the fields it repeats."""
        if asked.key is None:
            return
        sealed = self.seal.seal(content, _answer_context(asked))
        self.keys.append(NewKey(asked.actor.user_id, asked.key, asked.fingerprint, status, sealed))

    async def commit(self, connection: Connection) -> None:
        """Keeps everything and commits."""
        await connection.fetchval(
            statement("keep"), self.organization, self.batch_id, self.seq_before, self.directory_changed, self.now,
            self.events, self.audit, self.keys,
        )  # fmt: skip
        await connection.execute(statement("commit"))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _answer_context(asked: Asked) -> str:
    return f"idempotency_keys.answer/{asked.actor.user_id}/{asked.key}"


def opened(seal: Seal, asked: Asked, sealed: bytes) -> bytes:
    """The answer that `remember` sealed."""
    return seal.open(sealed, _answer_context(asked))


def decoded(base64_text: str) -> bytes:
    return base64.b64decode(base64_text)


async def was_committed(database: Database, organization: str, batch_id: str, deadline: float) -> bool:
    """Whether a batch whose COMMIT got no answer is there. Takes the turn, which waits for its old backend.

    Raises OutcomeUnknown when the deadline (event loop's clock) passes first.
    """
    loop = asyncio.get_running_loop()
    pause = 0.02
    while loop.time() < deadline:
        try:
            async with asyncio.timeout_at(deadline):
                return await _look_up(database, organization, batch_id)
        except (*CONNECTION_LOST, asyncpg.PostgresError, TimeoutError):
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.5)
    raise OutcomeUnknown(batch_id)


async def _look_up(database: Database, organization: str, batch_id: str) -> bool:
    connection = await database.connect()
    try:
        await connection.execute(begin("begin_writing", organization))
        await connection.fetchrow(statement("take_turn"), organization)
        return await connection.fetchval(statement("find_batch"), organization, batch_id) is not None
    finally:
        connection.terminate()

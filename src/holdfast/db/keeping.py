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
from holdfast.db.statements import filled, statement
from holdfast.errors import OutcomeUnknown
from holdfast.events import KINDS
from holdfast.slot import rfc3339
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
        self.events: list[dict[str, Any]] = []
        self.audit: list[dict[str, Any]] = []
        self.keys: list[dict[str, Any]] = []

    @property
    def seq_after(self) -> int:
        return self.seq_before + len(self.events)

    def tell(self, kind: str, body: dict[str, Any]) -> int:
        """Adds an event; returns its sequence number. The body: ids, times, statuses, counters; never names."""
        if kind not in KINDS:
            raise ValueError(f"{kind} is not in the list of events")
        self.events.append({"seq": self.seq_before + len(self.events) + 1, "kind": kind, "body": body})
        return self.seq_after

    def note(self, asked: Asked, action: str, subject: str, subject_id: str, **detail: Any) -> None:
        """Adds an audit row: who did what to which row. No patient text in the detail."""
        self.audit.append({
            "position": len(self.audit) + 1, "actor_id": asked.actor.user_id, "action": action,
            "subject": subject, "subject_id": subject_id, "detail": detail, "request_id": asked.request_id,
        })  # fmt: skip

    def remember(self, asked: Asked, status: int, content: bytes) -> None:
        """Adds the answer for an equal key, sealed like the fields it repeats."""
        if asked.key is None:
            return
        sealed = self.seal.seal(content, _answer_context(asked))
        self.keys.append({
            "user_id": asked.actor.user_id, "key": asked.key, "status": status,
            "fingerprint": encoded(asked.fingerprint), "answer": encoded(sealed),
        })  # fmt: skip

    def literals(self) -> dict[str, str | None]:
        """The values that `keep` takes, by the names of the statements' blanks."""
        return {
            "organization": self.organization,
            "batch": self.batch_id,
            "seq_before": str(self.seq_before),
            "decided_at": rfc3339(self.now),
            "events": rows(self.events),
            "audit": rows(self.audit),
            "keys": rows(self.keys),
        }

    async def commit(self, connection: Connection) -> None:
        """Keeps everything and commits, in one round trip."""
        values = self.literals() | {"directory_changed": "true" if self.directory_changed else "false"}
        await connection.execute(filled("keep_and_commit", **values))


def rows(values: list[Any]) -> str | None:
    """Rows as the JSON that the functions take, where what is left out is null; None for no rows."""
    if not values:
        return None
    return msgspec.json.encode([{k: v for k, v in row.items() if v is not None} for row in values]).decode()


def _answer_context(asked: Asked) -> str:
    return f"idempotency_keys.answer/{asked.actor.user_id}/{asked.key}"


def opened(seal: Seal, asked: Asked, sealed: bytes) -> bytes:
    """The answer that `remember` sealed."""
    return seal.open(sealed, _answer_context(asked))


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


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

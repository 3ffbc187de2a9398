"""The audit trail: what was done, newest first, and whether the chain of hashes still holds."""

from typing import Annotated, Any

import asyncpg
import msgspec

from holdfast.api import lists
from holdfast.api.door import Answer, Ask, Route
from holdfast.db.statements import statement
from holdfast.slot import rfc3339

_BATCHES_PER_CALL = 5_000


class AuditEntry(msgspec.Struct, kw_only=True):
    """Who did what to which row. `batch_no` is the transaction, `position` the order inside it."""

    batch_no: int
    position: int
    actor_id: str | None
    action: str
    subject: str
    subject_id: str
    detail: dict[str, Any]
    request_id: str
    created_at: str


class AuditPage(lists.Page, kw_only=True):
    items: list[AuditEntry]


class Verify(msgspec.Struct, forbid_unknown_fields=True):
    """Where to go on: a long chain is walked in several calls."""

    after_batch: Annotated[
        int, msgspec.Meta(ge=0, le=2**62, description="`next_after_batch` of the call before.")
    ] = 0


class Verified(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`is_intact` speaks of the batches from the first one asked for to `to_batch`; `head` is the last link."""

    is_intact: bool
    batches: int
    to_batch: int
    head: str
    broken_batches: list[int] = msgspec.field(default_factory=list[int])
    next_after_batch: int | None = None


async def read(ask: Ask[lists.Paged, None]) -> Answer:
    query, organization = ask.query, ask.actor.organization_id
    size = lists.size(ask, query)
    async with ask.house.database.reading(organization) as connection:
        seq = await connection.fetchval(statement("turn_seq"), organization)
        counted = await connection.fetchval(
            statement("audit_count"), organization, ask.house.settings.list_count_max + 1
        )
        rows = await connection.fetch(statement("audit_page"), organization, size, (query.page - 1) * size)
    return Answer(lists.page(ask, query, [_entry(row) for row in rows], counted), seq=seq)


def _entry(row: asyncpg.Record) -> AuditEntry:
    return AuditEntry(
        batch_no=row["batch_no"], position=row["position"], actor_id=str(row["actor_id"]) if row["actor_id"] else None,
        action=row["action"], subject=row["subject"], subject_id=str(row["subject_id"]),
        detail=msgspec.json.decode(row["detail"]), request_id=row["request_id"], created_at=rfc3339(row["created"]),
    )  # fmt: skip


async def verify(ask: Ask[Verify, None]) -> Answer:
    """Each link is computed again from the rows it is about, in one snapshot with the head that it must lead to."""
    organization, after = ask.actor.organization_id, ask.query.after_batch
    async with ask.house.database.reading(organization) as connection:
        turn = await connection.fetchrow(statement("audit_head"), organization)
        links = await connection.fetch(statement("audit_links"), organization, after, _BATCHES_PER_CALL)
    if turn is None:
        raise RuntimeError("an organization without a turn")
    broken = [link["batch_no"] for link in links if not link["is_intact"]]
    # A batch that is missing, at the end too, breaks the chain as well as one that was altered.
    expected = min(turn["batch_count"] - after, _BATCHES_PER_CALL)
    reached = links[-1]["batch_no"] if links else after
    is_whole = len(links) == max(expected, 0) and reached == after + len(links)
    is_last = reached >= turn["batch_count"]
    if is_last and links and links[-1]["hash"] != turn["audit_hash"]:
        is_whole = False
    head = links[-1]["hash"].hex() if links else ""
    return Answer(
        Verified(
            is_intact=is_whole and not broken, batches=len(links), to_batch=reached, head=head,
            broken_batches=broken[:100], next_after_batch=None if is_last or not links else reached,
        ),
        seq=turn["seq"],
    )  # fmt: skip


ROUTES = (
    Route(
        "GET", "/api/v1/audit", read, "audit.read", "What was done, newest first", query=lists.Paged,
        answer=AuditPage, tag="trust",
    ),
    Route(
        "GET", "/api/v1/audit/verify", verify, "audit.read", "Compute the chain of hashes again", query=Verify,
        answer=Verified, tag="trust",
    ),
)  # fmt: skip

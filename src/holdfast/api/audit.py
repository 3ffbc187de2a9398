"""The audit trail: what was done and what was denied, newest first, and whether the chain of hashes still holds."""

from typing import Annotated, Any

import msgspec

from holdfast.api import lists, nouns
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.lists import Paged
from holdfast.api.wire import Id, Moment
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid
from holdfast.slot import moment

_BATCHES_PER_CALL = 5_000
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


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


class AuditQuery(Paged, kw_only=True):
    """`subject`: the noun, such as `appointment`. From an instant, to before another; what is filtered otherwise reaches
    366 days back from `to` (or now) unless `from` says how far."""

    actor_id: Id | None = None
    action: _Word | None = None
    subject: _Word | None = None
    subject_id: Id | None = None
    since: Moment | None = msgspec.field(name="from", default=None)
    until: Moment | None = msgspec.field(name="to", default=None)


class Denial(msgspec.Struct, kw_only=True):
    """What somebody who was signed in asked for and did not get. `action`: the call, or `sign_in`; `subject_id`: the id in
    its path, theirs to see or not. `code`: that of the answer. What was not found is one only where an id was not."""

    id: str
    actor_id: str | None
    action: str
    subject_id: str | None
    code: str
    request_id: str
    created_at: str


class DenialQuery(Paged, kw_only=True):
    """From an instant, to before another; what is filtered otherwise reaches 366 days back from `to` (or now) unless `from`
    says how far."""

    actor_id: Id | None = None
    action: _Word | None = None
    code: _Word | None = None
    subject_id: Id | None = None
    since: Moment | None = msgspec.field(name="from", default=None)
    until: Moment | None = msgspec.field(name="to", default=None)


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


async def read(ask: Ask[AuditQuery, None]) -> Answer:
    return await lists.answer(ask, "audit_page", *_filters(ask.query))


async def denials(ask: Ask[DenialQuery, None]) -> Answer:
    return await lists.answer(ask, "denials_page", *_filters(ask.query))


def _filters(query: AuditQuery | DenialQuery) -> list[Any]:
    """The filters with instants as the database has them. Raises Invalid for a reversed range."""
    since, until = query.since, query.until
    if since is not None and until is not None and until < since:
        raise Invalid(FieldError("to", "invalid_value", "must not be before from"))
    *others, _, _ = lists.filters(query)
    return [*others, *(None if each is None else moment(each) for each in (since, until))]


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
    if is_last and (turn["has_stray"] or (links and links[-1]["hash"] != turn["audit_hash"])):
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
        "GET", "/api/v1/audit", read, "audit.read", "What was done, newest first", query=AuditQuery,
        answer=nouns.page_of(AuditEntry), tag="trust",
    ),
    Route(
        "GET", "/api/v1/audit/denials", denials, "audit.read", "What was asked for and not allowed, newest first",
        query=DenialQuery, answer=nouns.page_of(Denial), tag="trust",
    ),
    Route(
        "GET", "/api/v1/audit/verify", verify, "audit.read", "Compute the chain of hashes again", query=Verify,
        answer=Verified, tag="trust",
    ),
)  # fmt: skip

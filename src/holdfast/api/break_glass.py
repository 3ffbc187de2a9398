"""`/break-glass`: reading a patient's records beyond one's role, asked for, approved and ended; and how a handler asks
whether that opens what it is about to show. The rules are in `commands/break_glass.py`.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from holdfast.api import lists, nouns
from holdfast.api.auth import too_many
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.lists import Paged
from holdfast.api.totp import Code
from holdfast.api.wire import Id
from holdfast.commands import break_glass, save
from holdfast.commands.break_glass import BREAK_GLASS, JUSTIFICATION_CHARACTERS_MIN
from holdfast.commands.save import Document
from holdfast.commands.sign_in import TooManyTries
from holdfast.db.database import Connection
from holdfast.errors import NotFound

_PATH = "/api/v1/break-glass"
Minutes = Literal[30, 60, 120, 240, 480]
Status = Literal["requested", "active", "expired", "revoked"]


class NewBreakGlass(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whose records, for how long from the approval on, and why."""

    patient_id: Id
    minutes: Minutes
    justification: Annotated[
        str,
        Meta(
            min_length=JUSTIFICATION_CHARACTERS_MIN,
            max_length=500,
            examples=["Covers for a colleague who fell ill; the family called about a reaction."],
        ),
    ]


class BreakGlassApproval(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A code of the approver's own second factor, which is used by this."""

    totp: Code


class BreakGlass(msgspec.Struct, kw_only=True):
    """`user_id` may read the patient's records while the status is `active`: from the approval until `ends_at`, or until
    somebody revokes it (`ended_by`). A request that nobody approves within a day is `expired`."""

    id: str
    patient_id: str
    user_id: str
    minutes: Minutes
    justification: str
    status: Status
    requested_at: str
    approved_by: str | None
    approved_at: str | None
    ends_at: str | None
    ended_by: str | None
    ended_at: str | None
    version: int


class BreakGlassQuery(Paged, kw_only=True):
    patient_id: Id | None = None
    user_id: Id | None = None
    status: Status | None = None


class BreakGlassUse(msgspec.Struct, kw_only=True):
    """One reading that only the break-glass allowed: the call, and the id in its path, if there is one."""

    id: str
    action: str
    subject_id: str | None
    request_id: str
    used_at: str


async def opens(ask: Ask[Any, Any], patient_id: str) -> bool:
    """Whether an approved request lets the caller see these records of the patient, which are not theirs to see; then the
    use is written down before this returns. Not to be called while a connection is held: it takes one itself."""
    if ask.reach == "all" or ask.actor.reach("break_glass.ask") is None:
        return False
    subject = ask.id() if "id" in ask.parameters else None
    return await break_glass.used(ask.house, ask.asked, patient_id, f"{ask.method} {ask.route}", subject)


async def widened(ask: Ask[Any, Any], patient_id: str | None) -> bool:
    """Whether a call that is about one named patient now reaches all of that patient's records, because a break-glass opens
    them. Asked last, when nothing else can be wrong with the call."""
    if patient_id is None or not await opens(ask, patient_id):
        return False
    ask.reach = "all"
    return True


async def create(ask: Ask[NoFields, NewBreakGlass]) -> Answer:
    body = ask.body
    return Answer.of(
        await break_glass.request(ask.house, ask.asked, body.patient_id, body.minutes, body.justification)
    )


async def approve(ask: Ask[NoFields, BreakGlassApproval]) -> Answer:
    try:
        return Answer.of(
            await break_glass.approve(ask.house, ask.asked, ask.id(), ask.body.totp, ask.client_address)
        )
    except TooManyTries as error:
        raise too_many(error) from None


async def revoke(ask: Ask[NoFields, None]) -> Answer:
    return Answer.of(await break_glass.revoke(ask.house, ask.asked, ask.id()))


async def listing(ask: Ask[BreakGlassQuery, None]) -> Answer:
    own = None if ask.reach == "all" else ask.actor.user_id
    return await lists.opened(ask, BREAK_GLASS.shown, "break_glass_page", own, *lists.filters(ask.query))


async def get(ask: Ask[NoFields, None]) -> Answer:
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        document, seq = await _one(ask, connection)
    return Answer(document, version=document["version"], seq=seq)


async def uses(ask: Ask[Paged, None]) -> Answer:
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        document, _ = await _one(ask, connection)
        return await lists.on(ask, connection, "break_glass_uses_page", document["id"])


async def _one(ask: Ask[Any, None], connection: Connection) -> tuple[Document, int]:
    organization = ask.actor.organization_id
    seal = await ask.house.seal(connection, organization)
    document, seq = await save.read(connection, organization, BREAK_GLASS, seal, ask.id())
    if not break_glass.is_seen(ask.actor, document):
        raise NotFound("id")
    return document, seq


_ONE = _PATH + "/{id}"

ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "POST", _PATH, create, "break_glass.ask", "Ask to read the records of a patient beyond your role",
        body=NewBreakGlass, answer=BreakGlass, status=201, tag="trust",
    ),
    Route(
        "GET", _PATH, listing, "break_glass.read", "List break-glass requests, newest first", query=BreakGlassQuery,
        answer=nouns.page_of(BreakGlass), tag="trust",
    ),
    Route("GET", _ONE, get, "break_glass.read", "Get a break-glass request", answer=BreakGlass, tag="trust"),
    Route(
        "GET", f"{_ONE}/uses", uses, "break_glass.read", "What was read by it, newest first", query=Paged,
        answer=nouns.page_of(BreakGlassUse), tag="trust",
    ),
    Route(
        "POST", f"{_ONE}/approve", approve, "break_glass.approve",
        "Approve somebody else's request, by a code of your second factor", body=BreakGlassApproval, answer=BreakGlass,
        refusals=("already_approved", "break_glass_ended", "totp_not_enrolled", "invalid_credentials"), tag="trust",
    ),
    Route(
        "POST", f"{_ONE}/revoke", revoke, "break_glass.write", "End it at once", answer=BreakGlass,
        refusals=("break_glass_ended",), tag="trust",
    ),
)  # fmt: skip

"""Break-glass: reading the records of a patient whom one's role does not reach, for a limited time. Asked for with a
justification, approved within a day by a second person with a code of their second factor, and ended by the clock or by
somebody. It widens reading only, for that user and that patient; nothing of it is ever deleted.
"""

from typing import Final

import msgspec

from holdfast import ids
from holdfast.actor import Actor, Answered, Asked
from holdfast.commands import totp_codes
from holdfast.commands.change import Turn, answered_before, change
from holdfast.commands.house import House
from holdfast.commands.save import Document, Noun, answered, read
from holdfast.commands.sign_in import one_try
from holdfast.db.database import CONNECTION_LOST
from holdfast.db.statements import statement
from holdfast.db.written import NewAudit
from holdfast.errors import FieldError, Invalid, NotFound, Overloaded, Refused
from holdfast.slot import moment
from holdfast.states import reach
from holdfast.vault import Seal

JUSTIFICATION_CHARACTERS_MIN: Final = 25
_SECONDS_TO_WRITE_ENDS: Final = 5.0


def _context(request_id: str) -> str:
    return f"break_glass_requests.justification/{request_id}"


def _shown(stored: Document, seal: Seal) -> Document:
    request = dict(stored)
    sealed = bytes.fromhex(request.pop("justification_encrypted"))
    return request | {"justification": seal.open(sealed, _context(request["id"])).decode()}


# Why somebody must read a patient's records tells of the patient: sealed at rest, and no event tells it.
BREAK_GLASS: Final = Noun("break_glass", "break_glass", shown=_shown, in_directory=False)


async def request(house: House, asked: Asked, patient: str, minutes: int, justification: str) -> Answered:
    """Asks for oneself: 201. Nothing is opened by it. Raises Invalid, NotFound."""

    async def work(turn: Turn) -> Answered:
        return answered(201, await add_request(turn, asked, patient, minutes, justification))

    return await change(house, asked, work)


async def add_request(turn: Turn, asked: Asked, patient: str, minutes: int, justification: str) -> Document:
    """`request` inside an open turn."""
    words = justification.strip()
    if len(words) < JUSTIFICATION_CHARACTERS_MIN:
        sentence = f"must say why in at least {JUSTIFICATION_CHARACTERS_MIN} characters"
        raise Invalid(FieldError("justification", "invalid_value", sentence))
    request_id = ids.new()
    sealed = turn.seal.seal(words.encode(), _context(request_id))
    await turn.connection.execute(
        statement("break_glass_insert"), turn.organization, request_id, asked.actor.user_id, patient, minutes, sealed,
        moment(turn.now),
    )  # fmt: skip
    return await _told(turn, asked, "break_glass.requested", request_id)


async def approve(house: House, asked: Asked, request_id: str, code: str, client_address: str) -> Answered:
    """From now on the minutes count. The code is spent in the same transaction, so that it opens one request only; an
    equal Idempotency-Key gets the stored answer, and spends none.

    Raises NotFound; Refused (forbidden for one's own request, already_approved, break_glass_ended, totp_not_enrolled,
    version_mismatch; invalid_credentials, which counts like a failed sign-in); TooManyTries.
    """
    actor = asked.actor

    async def work(turn: Turn) -> Answered:
        current = await _current(turn, asked, request_id)
        if current["user_id"] == actor.user_id:
            raise Refused("forbidden", "A second person must approve this: it is your own request.")
        if current["status"] == "active":
            raise Refused("already_approved", "This has been approved already.", ends_at=current["ends_at"])
        _check_open(current)
        await _check_asker(turn, current["user_id"])
        await _spend(turn, actor, code)
        await turn.connection.execute(
            statement("break_glass_approve"), turn.organization, request_id, actor.user_id, moment(turn.now)
        )
        return answered(200, await _told(turn, asked, "break_glass.approved", request_id))

    # A stored answer proves nothing about who asks now: it is no try, and clears none.
    before = await answered_before(house, asked)
    if before is not None:
        return before
    async with one_try(house, actor.email, client_address):
        return await change(house, asked, work)


async def revoke(house: House, asked: Asked, request_id: str) -> Answered:
    """Ends it at once, in every process; a request that nobody has approved is taken back. By who asked for it, or by
    whoever approves. Raises NotFound; Refused (break_glass_ended, version_mismatch)."""

    async def work(turn: Turn) -> Answered:
        current = await _current(turn, asked, request_id)
        _check_open(current)
        await turn.connection.execute(
            statement("break_glass_revoke"),
            turn.organization,
            request_id,
            asked.actor.user_id,
            moment(turn.now),
        )
        return answered(200, await _told(turn, asked, "break_glass.revoked", request_id))

    return await change(house, asked, work)


def is_seen(actor: Actor, document: Document) -> bool:
    """Whether a request is the actor's to see: everyone's for those who watch over them, else one's own."""
    return actor.reach("break_glass.read") == "all" or document["user_id"] == actor.user_id


async def used(house: House, asked: Asked, patient: str, action: str, subject: str | None) -> bool:
    """Whether the actor may read the patient's records by an approved request whose time is not over, by the database's
    clock; and if so, that they did is on disk when this returns. Where there is none, nothing is written.

    Raises Overloaded when the connection was lost: then nothing is shown, and a use may be noted that was none.
    """
    actor = asked.actor
    try:
        async with house.database.writing(actor.organization_id) as connection:
            found = await connection.fetchval(
                statement("break_glass_use"), actor.organization_id, actor.user_id, patient, ids.new(), action, subject,
                asked.request_id,
            )  # fmt: skip
    except CONNECTION_LOST as error:
        raise Overloaded("connection_lost") from error
    return found is not None


async def end_those_over(house: House, organization: str) -> None:
    """Writes down which requests' time is over; that it is needs no writing down. Takes the turn only if there is one."""
    async with house.database.reading(organization) as connection:
        if not await connection.fetchval(statement("break_glass_over"), organization):
            return
    nobody = Actor(organization_id=organization, user_id="", session_id="", email="", role="")
    asked = Asked(actor=nobody, request_id="", deadline=house.loop.time() + _SECONDS_TO_WRITE_ENDS)

    async def work(turn: Turn) -> Answered:
        rows = await turn.connection.fetch(
            statement("break_glass_expire"), turn.organization, moment(turn.now)
        )
        for row in rows:
            await _tell(turn, "break_glass.expired", str(row["id"]))
            turn.audit.append(NewAudit(None, "break_glass.expired", "break_glass", str(row["id"]), "{}", ""))
        return Answered(status=204, content=b"")

    await change(house, asked, work)


async def _current(turn: Turn, asked: Asked, request_id: str) -> Document:
    """The request as it is now. Raises NotFound, for another's too; Refused (version_mismatch)."""
    current, _ = await read(turn.connection, turn.organization, BREAK_GLASS, turn.seal, request_id)
    if not is_seen(asked.actor, current):
        raise NotFound("id")
    if asked.if_match not in {None, current["version"]}:
        raise Refused(
            "version_mismatch", f"This is version {current['version']} by now.", version=current["version"]
        )
    return current


def _check_open(request: Document) -> None:
    if request["ended_at"] is not None:
        raise Refused("break_glass_ended", "This has come to its end already.", ended_at=request["ended_at"])


async def _check_asker(turn: Turn, user_id: str) -> None:
    user = await turn.connection.fetchrow(statement("user_find"), turn.organization, user_id)
    if user is None or not user["is_active"] or reach("break_glass.ask", user["role"]) is None:
        raise Refused("break_glass_ended", "Who asked for this may not use it any more.", field="user_id")


async def _spend(turn: Turn, actor: Actor, code: str) -> None:
    spent = await totp_codes.spent(turn.connection, turn.seal, turn.organization, actor.user_id, code)
    if spent is None:
        raise Refused("totp_not_enrolled", "Approving asks for a second factor: enrol one first.")
    if not spent:
        raise Refused("invalid_credentials", "The code is wrong or was used before.", field="totp")


async def _told(turn: Turn, asked: Asked, kind: str, request_id: str) -> Document:
    """Tells what has happened to a request; the request afterwards."""
    request = _shown(await _tell(turn, kind, request_id), turn.seal)
    turn.note(
        asked, kind, "break_glass", request_id, patient_id=request["patient_id"], user_id=request["user_id"],
        minutes=request["minutes"],
    )  # fmt: skip
    return request


async def _tell(turn: Turn, kind: str, request_id: str) -> Document:
    """The request afterwards as it is stored: the justification stays sealed, nobody reads it for this."""
    row = await turn.connection.fetchrow(statement("break_glass_get"), turn.organization, request_id)
    if row is None:
        raise NotFound("id")
    request: Document = msgspec.json.decode(row["document"])
    turn.tell(kind, {name: value for name, value in request.items() if name != "justification_encrypted"})
    return request

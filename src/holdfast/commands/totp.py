"""The second factor of a user: shown, enrolled by a code, taken away by its owner who proves it is them, or by an admin for
somebody whose telephone is lost. Each is in the audit; no secret and no code is in an event, a log or the audit.
"""

import msgspec

from holdfast.actor import Answered, Asked
from holdfast.commands import totp_codes
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.commands.sign_in import one_try
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused

_DONE = Answered(status=204, content=b"")


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator app needs: the secret, and the same as an address to be shown as a picture."""

    secret: str
    otpauth_uri: str


class SecondFactor(msgspec.Struct, frozen=True):
    """Whether the caller has a second factor, and whether they may do anything without one."""

    is_enrolled: bool
    is_required: bool


async def read(house: House, asked: Asked) -> tuple[SecondFactor, int]:
    """The caller's second factor and the sequence this is true at."""
    organization = asked.actor.organization_id
    async with house.database.reading(organization) as connection:
        seq = await connection.fetchval(statement("turn_seq"), organization)
        row = await connection.fetchrow(statement("totp_find"), organization, asked.actor.user_id)
    is_enrolled = row is not None and row["is_enrolled"]
    return SecondFactor(is_enrolled, asked.actor.must_enrol_totp and not is_enrolled), seq


async def begin(house: House, asked: Asked) -> Answered:
    """A new secret for the caller, which counts once `confirm` has seen a code of it. Asked again before that, it gives
    another. Raises Refused (totp_enrolled)."""
    user = asked.actor.user_id

    async def work(turn: Turn) -> Answered:
        secret = totp_codes.new_secret()
        await _check_none(turn, user)
        sealed = totp_codes.sealed(turn.seal, user, secret)
        await turn.connection.execute(statement("totp_save"), turn.organization, user, sealed)
        _tell(turn, asked, "totp.begun", user, asked.actor.role)
        shown = Enrolment(secret, totp_codes.address(secret, asked.actor.email))
        return Answered(status=201, content=msgspec.json.encode(shown))

    return await change(house, _without_key(asked), work)


async def confirm(house: House, asked: Asked, code: str) -> Answered:
    """Enrols the secret that was shown last. Raises NotFound when none was; Refused (totp_enrolled); Invalid."""
    user = asked.actor.user_id

    async def work(turn: Turn) -> Answered:
        await _check_none(turn, user)
        row = await turn.connection.fetchrow(statement("totp_find"), turn.organization, user)
        if row is None:
            raise NotFound("totp")
        step = totp_codes.step_of(turn.seal, user, row["secret_encrypted"], code)
        if step is None:
            raise Invalid(FieldError("code", "invalid_value", "is not the code of this moment"))
        await turn.connection.execute(statement("totp_enrol"), turn.organization, user, step)
        await turn.connection.execute(statement("user_touch"), turn.organization, user, 0)
        _tell(turn, asked, "totp.enrolled", user, asked.actor.role)
        return _DONE

    answered = await change(house, _without_key(asked), work)
    house.identity.forget_user(user)
    return answered


async def remove(
    house: House, asked: Asked, code: str | None, password: str | None, client_address: str
) -> Answered:
    """Takes the caller's own second factor away, by a code of it or by the password.

    Raises Invalid unless one of the two is given; NotFound; Refused (invalid_credentials), which counts like a failed
    sign-in; TooManyTries; Overloaded.
    """
    if (code is None) == (password is None):
        raise Invalid(FieldError("code", "missing", "give either a code or the password"))
    actor = asked.actor
    is_enrolled = (await read(house, asked))[0].is_enrolled
    if not is_enrolled:
        raise NotFound("totp")
    async with one_try(house, actor.email, client_address):
        field = "password" if code is None else "code"
        if not await _proven(house, asked, code, password):
            raise Refused("invalid_credentials", f"The {field} is wrong or was used before.", field=field)

    async def work(turn: Turn) -> Answered:
        if await _take_away(turn, actor.user_id, ends_sessions=False):
            _tell(turn, asked, "totp.removed", actor.user_id, actor.role)
        return _DONE

    answered = await change(house, _without_key(asked), work)
    house.identity.forget_user(actor.user_id)
    return answered


async def _proven(house: House, asked: Asked, code: str | None, password: str | None) -> bool:
    organization, user = asked.actor.organization_id, asked.actor.user_id
    if code is not None:
        return await totp_codes.spend(house, organization, user, code)
    async with house.database.reading(organization) as connection:
        row = await connection.fetchrow(statement("user_for_sign_in"), organization, asked.actor.email)
    stored = row["password_hash"] if row else None
    return await house.identity.passwords.verify(password or "", stored, asked.deadline)


async def reset(house: House, asked: Asked, user: str) -> Answered:
    """Takes somebody else's second factor away and ends their sessions: their telephone is lost, maybe in other hands.
    Without one there is nothing to do. Raises NotFound; Refused (forbidden) for one's own."""
    if user == asked.actor.user_id:
        raise Refused("forbidden", "Your own second factor goes by DELETE /auth/totp, or by another admin.")

    async def work(turn: Turn) -> Answered:
        row = await turn.connection.fetchrow(statement("user_find"), turn.organization, user)
        if row is None:
            raise NotFound("id")
        if await _take_away(turn, user, ends_sessions=True):
            await turn.connection.execute(
                statement("sign_in_session_revoke_all"), turn.organization, user, "admin"
            )
            _tell(turn, asked, "totp.reset", user, row["role"], is_active=row["is_active"])
        return _DONE

    answered = await change(house, asked, work)
    house.identity.forget_user(user)
    return answered


async def _take_away(turn: Turn, user: str, *, ends_sessions: bool) -> bool:
    """Whether there was one."""
    if await turn.connection.fetchval(statement("totp_delete"), turn.organization, user) is None:
        return False
    await turn.connection.execute(statement("user_touch"), turn.organization, user, int(ends_sessions))
    return True


async def _check_none(turn: Turn, user: str) -> None:
    row = await turn.connection.fetchrow(statement("totp_find"), turn.organization, user)
    if row is not None and row["is_enrolled"]:
        raise Refused("totp_enrolled", "A second factor is enrolled already; remove it first.")


def _tell(turn: Turn, asked: Asked, action: str, user: str, role: str, *, is_active: bool = True) -> None:
    turn.tell("user.changed", {"id": user, "role": role, "is_active": is_active})
    turn.note(asked, action, "user", user)


def _without_key(asked: Asked) -> Asked:
    """No answer about a secret or a code is kept for an equal Idempotency-Key."""
    return msgspec.structs.replace(asked, key=None)

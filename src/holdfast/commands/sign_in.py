"""Sign in, refresh, sign out, and whether a session is still good. Identity takes no turn: a session is one row,
decided by one statement. No password and no token is logged, stored or told anywhere.
"""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import structlog

from holdfast import ids
from holdfast.actor import Actor
from holdfast.commands import totp_codes
from holdfast.commands.house import House
from holdfast.commands.tokens import Claims, Refresh
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import Refused

_log = structlog.get_logger("holdfast.identity")
_NO_ORGANIZATION = str(uuid.UUID(int=0))


class TooManyTries(Exception):
    """Too many failed tries for this account from this address; `seconds` until the next is allowed."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds


class Pair(msgspec.Struct, frozen=True):
    """A new access token and the refresh token that replaces the one before."""

    access_token: str
    refresh_token: str


class Account(msgspec.Struct, frozen=True):
    """A user as sign-in needs it."""

    organization_id: str
    id: str
    role: str
    password_hash: str
    is_active: bool
    session_version: int
    has_totp: bool


def spelled(email: str) -> str:
    """The one spelling of an e-mail address."""
    return email.strip().lower()


async def verified(
    house: House,
    email: str,
    password: str,
    totp: str | None,
    address: str,
    deadline: float,
    request_id: str = "",
) -> Account:
    """Whose password it is, and whose second factor where one is enrolled. Raises Refused (invalid_credentials,
    totp_required), TooManyTries, Overloaded.

    An unknown address costs the same reads and the same hashing as a wrong password.
    """
    email = spelled(email)
    async with one_try(house, email, address):
        user = await _account(house, email)
        right = await house.identity.passwords.verify(
            password, user.password_hash if user else None, deadline
        )
        if user is None or not right or not user.is_active:
            _failed(house, user, email, request_id)
            raise Refused("invalid_credentials", "The e-mail address or the password is wrong.")
        if user.has_totp:
            if not totp:
                raise Refused("totp_required", "The code of the second factor is missing.")
            if not await totp_codes.spend(house, user.organization_id, user.id, totp):
                _failed(house, user, email, request_id)
                raise Refused("invalid_credentials", "The code is wrong or was used before.")
        return user


@asynccontextmanager
async def one_try(house: House, email: str, address: str) -> AsyncIterator[None]:
    """One try to prove who one is: Refused (invalid_credentials) inside counts as failed, and getting through clears
    what was counted. What is refused otherwise does neither: a password without its code must not make room for
    more guesses at the code. Raises TooManyTries."""
    tries = house.identity.tries
    async with tries.turn(email, address):
        wait = tries.wait_seconds(email, address)
        if wait is not None:
            raise TooManyTries(wait)
        try:
            yield
        except Refused as refused:
            if refused.code == "invalid_credentials":
                tries.failed(email, address)
            raise
        tries.cleared(email, address)


async def _account(house: House, email: str) -> Account | None:
    async with house.database.any() as connection:
        found = await connection.fetchval(statement("login_find"), email)
    organization = str(found or _NO_ORGANIZATION)
    async with house.database.reading(organization) as connection:
        row = await connection.fetchrow(statement("user_for_sign_in"), organization, email)
    if row is None:
        return None
    return Account(
        organization,
        str(row["id"]),
        row["role"],
        row["password_hash"],
        row["is_active"],
        row["session_version"],
        row["has_totp"],
    )


def _failed(house: House, user: Account | None, email: str, request_id: str) -> None:
    _log.info("sign_in_failed", request_id=request_id, known=user is not None)
    if user is not None:
        actor = Actor(
            organization_id=user.organization_id, user_id=user.id, session_id="", email=email, role=user.role
        )
        house.denied(actor, request_id, "sign_in", "invalid_credentials", user.id)


async def open_session(house: House, user: Account) -> Pair:
    """A new session of tokens."""
    session_id = ids.new()
    tokens = house.identity.tokens
    refresh_token, refresh_hash = tokens.refresh(user.organization_id, session_id, 0)
    async with house.database.writing(user.organization_id) as connection:
        await connection.execute(statement("sign_in_session_tidy"), user.organization_id, user.id)
        await connection.execute(
            statement("sign_in_session_insert"), user.organization_id, session_id, user.id, refresh_hash,
            float(house.settings.refresh_token_seconds),
        )  # fmt: skip
    access = tokens.access(user.organization_id, user.id, session_id, user.session_version, int(time.time()))
    return Pair(access, refresh_token)


async def refresh(house: House, text: str) -> Pair:
    """A new pair for a refresh token, which is spent by this. Raises Refused (invalid_token, refresh_reused).

    One conditional update decides: of two equal tokens at once one wins, and the other is a reuse.
    """
    given = house.identity.tokens.refresh_read(text)
    if given is None:
        raise Refused("invalid_token", "This is no refresh token of this installation.")
    refresh_token, refresh_hash = house.identity.tokens.refresh(
        given.organization_id, given.session_id, given.rotation + 1
    )
    async with house.database.writing(given.organization_id) as connection:
        spent = await _spend(connection, given, refresh_hash)
    if isinstance(spent, Refused):  # raised only now: the revocation is kept
        house.identity.forget_session(given.session_id)
        raise spent
    user, version = spent
    access = house.identity.tokens.access(
        given.organization_id, user, given.session_id, version, int(time.time())
    )
    return Pair(access, refresh_token)


async def _spend(connection: Connection, given: Refresh, new_hash: bytes) -> tuple[str, int] | Refused:
    """The session's user and version, or why the token is not good."""
    row = await connection.fetchrow(
        statement("sign_in_session_rotate"), given.organization_id, given.session_id, given.rotation, given.hash, new_hash
    )  # fmt: skip
    return await _why_not(connection, given) if row is None else (str(row["user_id"]), row["session_version"])


async def _why_not(connection: Connection, given: Refresh) -> Refused:
    row = await connection.fetchrow(
        statement("sign_in_session_find"), given.organization_id, given.session_id
    )
    if row is not None and row["revoked_at"] is None and given.rotation < row["rotation"]:
        await connection.execute(
            statement("sign_in_session_revoke"), given.organization_id, given.session_id, "reused"
        )
        _log.warning("refresh_reused", organization_id=given.organization_id, session_id=given.session_id)
    elif row is None or row["revoked_because"] != "reused":
        return Refused("invalid_token", "The session has ended; sign in again.")
    return Refused(
        "refresh_reused", "This refresh token was used before, so its session is revoked; sign in again."
    )


async def sign_out(house: House, actor: Actor) -> None:
    """Ends the actor's session: its tokens of both kinds are no longer good."""
    async with house.database.writing(actor.organization_id) as connection:
        await connection.execute(
            statement("sign_in_session_revoke"), actor.organization_id, actor.session_id, "logout"
        )
    house.identity.forget_session(actor.session_id)


async def resolve(house: House, claims: Claims) -> Actor | None:
    """Who a verified token is now; None when session, user or version is no longer good."""
    async with house.database.reading(claims.org) as connection:
        row = await connection.fetchrow(
            statement("sign_in_session_actor"), claims.org, claims.sid, claims.sub
        )
    if row is None or row["session_version"] != claims.ver:
        return None
    return actor_of(row, claims.org, claims.sub, claims.sid)


def actor_of(row: asyncpg.Record, organization_id: str, user_id: str, session_id: str) -> Actor:
    practitioner, patient = row["practitioner_id"], row["patient_id"]
    return Actor(
        organization_id=organization_id, user_id=user_id, session_id=session_id, email=row["email"], role=row["role"],
        practitioner_id=str(practitioner) if practitioner else None,
        patient_id=str(patient) if patient else None,
        patient_ids=tuple(dict.fromkeys(str(each) for each in (patient, *row["ward_ids"]) if each)),
        must_enrol_totp=row["must_enrol_totp"],
    )  # fmt: skip

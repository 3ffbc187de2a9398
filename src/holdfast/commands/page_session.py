"""The session of a page: a cookie instead of tokens. It ends when nobody uses it for `session_idle_minutes`, and after
`session_hours_max` in any case. As with tokens, only the secret's hash is kept, and nothing here takes the turn.
"""

import hmac

import msgspec

from holdfast import ids
from holdfast.actor import Actor
from holdfast.commands.house import House
from holdfast.commands.sign_in import Account, actor_of
from holdfast.commands.tokens import Cookie
from holdfast.db.statements import statement
from holdfast.errors import Refused


class Page(msgspec.Struct, frozen=True):
    """A good session: who it is, and for how long it stays good if nobody uses it."""

    actor: Actor
    seconds: float


async def open_page(house: House, user: Account) -> tuple[str, Cookie]:
    """A new session: its cookie as text, and what that says."""
    session_id = ids.new()
    text, cookie = house.identity.tokens.cookie(user.organization_id, session_id, user.session_version)
    async with house.database.writing(user.organization_id) as connection:
        await connection.execute(statement("sign_in_session_tidy"), user.organization_id, user.id)
        await connection.execute(
            statement("page_session_insert"), user.organization_id, session_id, user.id, cookie.hash,
            house.settings.session_hours_max * 3600.0,
        )  # fmt: skip
    return text, cookie


async def resolve_page(house: House, cookie: Cookie, *, in_use: bool) -> Page:
    """Who a cookie that was issued here is now. Raises Refused (invalid_token, session_idle).

    `in_use` notes that somebody is there, which begins the idle time anew.
    """
    async with house.database.reading(cookie.organization_id) as connection:
        row = await connection.fetchrow(
            statement("page_session_actor"), cookie.organization_id, cookie.session_id
        )
    is_good = (
        row is not None
        and hmac.compare_digest(row["cookie_hash"], cookie.hash)
        and row["session_version"] == cookie.version
    )
    if row is None or not is_good:
        raise Refused("invalid_token", "The session has ended; sign in again.")
    idle_seconds = house.settings.session_idle_minutes * 60.0
    if row["seconds_idle"] >= idle_seconds:
        raise Refused("session_idle", "Nobody used the session for a while, so it has ended; sign in again.")
    if in_use:
        async with house.database.writing(cookie.organization_id) as connection:
            await connection.execute(
                statement("page_session_use"), cookie.organization_id, cookie.session_id, idle_seconds
            )
    idle = 0.0 if in_use else row["seconds_idle"]
    actor = actor_of(row, cookie.organization_id, str(row["user_id"]), cookie.session_id)
    return Page(actor, min(row["seconds_left"], idle_seconds - idle))

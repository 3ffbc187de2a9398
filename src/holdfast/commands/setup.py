"""The first set-up: an empty installation gets its first organization and admin from whoever holds the token that `serve`
printed. The token is in no file and no table: `serve` keeps it for as long as it runs, its workers know the hash.
"""

import hashlib
import hmac
import secrets

import msgspec

from holdfast.commands import organizations, passwords
from holdfast.commands.house import House
from holdfast.commands.organizations import Created, NewOrganization, create_organization
from holdfast.db.database import Database
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Refused


def new_token() -> str:
    return f"hfs_{secrets.token_urlsafe(32)}"


def hashed(token: str) -> str:
    """What the setting `setup_token_sha256` holds. The token is random, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


async def is_empty(database: Database) -> bool:
    """Whether nobody can sign in anywhere."""
    async with database.any() as connection:
        empty: bool = await connection.fetchval(statement("login_none"))
    return empty


async def set_up(house: House, token: str, new: NewOrganization, deadline: float) -> Created:
    """The first organization. `new` holds the password as it was given; `deadline` is in the event loop's clock.

    Of many at once one succeeds. Raises Refused (already_set_up, and invalid_token in an empty installation), NotFound
    when this server was not started by `serve`, Invalid, Overloaded.
    """
    if not await is_empty(house.database):
        raise organizations.set_up_already()
    right = house.settings.setup_token_sha256
    if not right:
        raise NotFound("token")
    if not hmac.compare_digest(hashed(token), right):
        raise Refused("invalid_token", "This is not the token that `holdfast serve` printed when it started.")
    ready = await with_hash(house, new, deadline)
    return await create_organization(house.database, house.vault, ready, must_be_first=True)


async def with_hash(house: House, new: NewOrganization, deadline: float) -> NewOrganization:
    """The same with the password hashed, beside the event loop. Raises Invalid, Overloaded."""
    passwords.check(new.admin_password, "admin_password")
    password_hash = await house.identity.passwords.hash(new.admin_password, deadline)
    return msgspec.structs.replace(new, admin_password="", admin_password_hash=password_hash)

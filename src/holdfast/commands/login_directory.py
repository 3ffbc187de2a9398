"""Which organization an e-mail address belongs to. The one table outside the tenants: claimed in a transaction of
its own before the user's row, given back under the organization's turn if no user's row came of it.
"""

import re

from holdfast.db.database import Database
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, Refused

# Visible ASCII without quoting games: PostgreSQL and Python then agree on what lower case is.
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")
_EMAIL_CHARACTERS_MAX = 254


def email(text: str, field: str = "email") -> str:
    """The address in its one spelling: lower case. Raises Invalid naming the field."""
    spelled = text.strip().lower()
    if len(spelled) > _EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(spelled):
        raise Invalid(FieldError(field, "invalid_value", "must be an e-mail address in ASCII"))
    return spelled


def taken() -> Refused:
    """The same whoever has the address: another organization's users stay unknown."""
    return Refused("already_exists", "This e-mail address signs in already.", field="email")


async def claim(database: Database, address: str, organization: str) -> bool:
    """Claims the address. False if the organization holds it already: a user's, or left by a creation that broke
    off, which the creation's own transaction decides. Raises Refused (already_exists) if another one holds it."""
    async with database.any() as connection:
        if await connection.fetchval(statement("login_claim"), address, organization) is not None:
            return True
        holder = await connection.fetchval(statement("login_find"), address)
    if str(holder) != organization:
        raise taken()
    return False


async def release(database: Database, address: str, organization: str) -> None:
    """Gives the address back unless a user has it by now; in the turn, so that none is just being made."""
    async with database.writing(organization) as connection:
        await connection.fetchrow(statement("take_turn"), organization)
        await connection.execute(statement("login_release"), address, organization)

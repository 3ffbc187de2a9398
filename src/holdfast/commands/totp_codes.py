"""One-time codes by time (RFC 6238), as every authenticator app makes them: six digits, a new one each half minute.
A secret is sealed by its organization's key and leaves this file as an address for an app, once.
"""

import hmac
import re
import time

import pyotp

from holdfast.commands.house import House
from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.vault import Seal

_STEP_SECONDS = 30
_CODE = re.compile(r"[0-9]{6}")
_ISSUER = "Holdfast"
# A telephone's clock may be half a minute off, and a code takes a moment to type.
_STEPS_ASIDE = 1


def new_secret() -> str:
    """160 random bits in base32, the length that RFC 4226 recommends."""
    return pyotp.random_base32()


def address(secret: str, email: str) -> str:
    """The otpauth address that apps read from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)


def sealed(seal: Seal, user_id: str, secret: str) -> bytes:
    return seal.seal(secret.encode(), _context(user_id))


def _context(user_id: str) -> str:
    return f"totp_factors.secret/{user_id}"


def step_of(seal: Seal, user_id: str, secret_encrypted: bytes, code: str) -> int | None:
    """The half minute whose code this is, now or next to now; None if it is none's."""
    spelled = code.replace(" ", "")
    if not _CODE.fullmatch(spelled):
        return None
    secret = pyotp.TOTP(seal.open(secret_encrypted, _context(user_id)).decode())
    now = int(time.time()) // _STEP_SECONDS
    steps = range(now - _STEPS_ASIDE, now + _STEPS_ASIDE + 1)
    return next((step for step in steps if hmac.compare_digest(secret.generate_otp(step), spelled)), None)


async def spend(house: House, organization: str, user_id: str, code: str) -> bool:
    """Whether the code is the user's and was not used before; from now on it is used, in every process."""
    async with house.database.writing(organization) as connection:
        seal = await house.seal(connection, organization)
        return await spent(connection, seal, organization, user_id, code) is True


async def spent(
    connection: Connection, seal: Seal, organization: str, user_id: str, code: str
) -> bool | None:
    """`spend` inside an open writing transaction; None if the user has no second factor."""
    row = await connection.fetchrow(statement("totp_find"), organization, user_id)
    if row is None or not row["is_enrolled"]:
        return None
    secret = row["secret_encrypted"]
    step = step_of(seal, user_id, secret, code)
    if step is None:
        return False
    found = await connection.fetchval(statement("totp_spend"), organization, user_id, secret, step)
    return found is not None

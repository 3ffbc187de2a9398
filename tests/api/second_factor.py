"""The second factor of the tests' users: enrolled over the API, its codes at hand."""

import time

import pyotp
from api.people import Client, Organization, writing

from holdfast.app import Application

TOTP = "/api/v1/auth/totp"
CONFIRM = f"{TOTP}/confirm"


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).now()


def wrong_code(secret: str) -> str:
    """A code of no half minute near to now."""
    now = int(time.time())
    near = {pyotp.TOTP(secret).at(now + aside) for aside in range(-120, 121, 30)}
    return next(code for code in (f"{number:06}" for number in range(100)) if code not in near)


async def enrolled(client: Client, token: str) -> str:
    """Enrols a second factor; its secret. The code of this half minute is used by that."""
    async with client(token) as user:
        begun = await user.post(TOTP)
        assert begun.status_code == 201, begun.text
        secret: str = begun.json()["secret"]
        confirmed = await user.post(CONFIRM, json={"code": code_of(secret)})
        assert confirmed.status_code == 204, confirmed.text
    return secret


async def forget_codes(application: Application, organization: Organization) -> None:
    """As if the last code had been used long ago: no test waits half a minute for the next."""
    async with writing(application, organization.id) as connection:
        await connection.execute(
            "update totp_factors set step_used = 0 where organization_id = $1", organization.id
        )

"""The caller's own second factor. The rules are in `commands/totp.py`."""

from typing import Annotated

import msgspec

from holdfast.api.auth import too_many
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.commands import totp
from holdfast.commands.sign_in import TooManyTries
from holdfast.commands.totp import Enrolment, SecondFactor

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=16, examples=["492039"])]


class TotpCode(msgspec.Struct, forbid_unknown_fields=True):
    """A code of the secret that was just shown."""

    code: Code


class TotpRemoval(msgspec.Struct, forbid_unknown_fields=True):
    """Either a code of the second factor or the password."""

    code: Code | None = None
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None


async def read(ask: Ask[NoFields, None]) -> Answer:
    factor, seq = await totp.read(ask.house, ask.asked)
    return Answer(factor, seq=seq)


async def begin(ask: Ask[NoFields, None]) -> Answer:
    return Answer.of(await totp.begin(ask.house, ask.asked))


async def confirm(ask: Ask[NoFields, TotpCode]) -> Answer:
    return Answer.of(await totp.confirm(ask.house, ask.asked, ask.body.code))


async def remove(ask: Ask[NoFields, TotpRemoval]) -> Answer:
    body = ask.body
    try:
        done = await totp.remove(ask.house, ask.asked, body.code, body.password, ask.client_address)
    except TooManyTries as error:
        raise too_many(error) from None
    return Answer.of(done)


ROUTES = (
    Route(
        "GET", "/api/v1/auth/totp", read, "", "Whether you have a second factor", answer=SecondFactor, tag="identity"
    ),
    Route(
        "POST", "/api/v1/auth/totp", begin, "", "Begin to enrol a second factor: its secret, told once",
        answer=Enrolment, status=201, refusals=("totp_enrolled", "not_found", "outcome_unknown"), tag="identity",
    ),
    Route(
        "POST", "/api/v1/auth/totp/confirm", confirm, "", "Enrol it by a code; from now on sign-in asks for one",
        body=TotpCode, status=204, refusals=("totp_enrolled", "not_found", "outcome_unknown"), tag="identity",
    ),
    Route(
        "DELETE", "/api/v1/auth/totp", remove, "", "Remove your second factor, by a code of it or by your password",
        body=TotpRemoval, status=204, refusals=("invalid_credentials", "not_found", "rate_limited", "outcome_unknown"),
        tag="identity",
    ),
)  # fmt: skip

"""Sign in, refresh, sign out, who am I. The rules are in `commands/sign_in.py`."""

from typing import Annotated, Any

import msgspec

from holdfast.actor import Actor
from holdfast.api import page_cookie
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.problems import Problem
from holdfast.commands import page_session, sign_in
from holdfast.db.statements import statement

_Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    """What signs in. `totp` is asked for only once a second factor is enrolled."""

    email: Annotated[str, msgspec.Meta(min_length=1, max_length=254, examples=["admin@juniper.example"])]
    password: Annotated[_Secret, msgspec.Meta(examples=["the password that the demo printed"])]
    totp: Annotated[str, msgspec.Meta(max_length=16, examples=["492039"])] | None = None


class RefreshToken(msgspec.Struct, forbid_unknown_fields=True):
    """A refresh token, as the last sign-in or refresh gave it."""

    refresh_token: _Secret


class SignOut(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing is needed: the access token's session ends, and with it its refresh token."""

    refresh_token: _Secret | None = None


class SignedIn(msgspec.Struct):
    """A pair of tokens. The refresh token is spent by its use; using it again revokes the session."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str


class Me(msgspec.Struct, omit_defaults=True):
    """Who is signed in."""

    user_id: str
    organization_id: str
    email: str
    role: str
    practitioner_id: str | None = None
    patient_id: str | None = None
    patient_ids: list[str] = msgspec.field(
        default_factory=list[str]
    )  # not `list`: that would be left out when empty
    must_enrol_totp: bool = False


class Page(Me, omit_defaults=True, kw_only=True):
    """Who is signed in on a page, and what the page sends as `X-CSRF-Token` with every call but GET and HEAD."""

    csrf_token: str


async def login(ask: Ask[NoFields, Credentials]) -> Answer:
    return _signed_in(ask, await sign_in.open_session(ask.house, await _verified(ask)))


async def _verified(ask: Ask[NoFields, Credentials]) -> sign_in.Account:
    body = ask.body
    try:
        return await sign_in.verified(
            ask.house, body.email, body.password, body.totp, ask.client_address, ask.deadline, ask.request_id
        )
    except sign_in.TooManyTries as error:
        raise too_many(error) from None


def too_many(error: sign_in.TooManyTries) -> Problem:
    """The answer to one try too many at proving who one is."""
    return Problem(
        "rate_limited", f"Too many failed tries; wait {error.seconds} seconds.",
        headers={"Retry-After": str(error.seconds)},
    )  # fmt: skip


async def refresh(ask: Ask[NoFields, RefreshToken]) -> Answer:
    return _signed_in(ask, await sign_in.refresh(ask.house, ask.body.refresh_token))


def _signed_in(ask: Ask[NoFields, Credentials] | Ask[NoFields, RefreshToken], pair: sign_in.Pair) -> Answer:
    seconds = ask.house.settings.access_token_seconds
    return Answer(SignedIn(pair.access_token, "bearer", seconds, pair.refresh_token))


async def logout(ask: Ask[NoFields, SignOut]) -> Answer:
    await sign_in.sign_out(ask.house, ask.actor)
    return Answer(status=204)


async def open_page(ask: Ask[NoFields, Credentials]) -> Answer:
    """A foreign site cannot sign anybody in as somebody else: a body of JSON needs a permission we never give."""
    house = ask.house
    text, cookie = await page_session.open_page(house, await _verified(ask))
    opened = await page_session.resolve_page(house, cookie, in_use=False)
    return Answer(_page(ask, opened.actor), headers=page_cookie.given_out(text))


async def page(ask: Ask[NoFields, NoFields]) -> Answer:
    return Answer(_page(ask, ask.actor), seq=await _seq(ask))


async def close_page(ask: Ask[NoFields, NoFields]) -> Answer:
    await sign_in.sign_out(ask.house, ask.actor)
    return Answer(status=204, headers=page_cookie.taken_back())


def _page(ask: Ask[NoFields, Credentials] | Ask[NoFields, NoFields], actor: Actor) -> Page:
    return Page(csrf_token=ask.house.identity.tokens.csrf(actor.session_id), **_who(actor))


async def me(ask: Ask[NoFields, NoFields]) -> Answer:
    return Answer(Me(**_who(ask.actor)), seq=await _seq(ask))


async def _seq(ask: Ask[NoFields, NoFields]) -> int:
    actor = ask.actor
    async with ask.house.database.reading(actor.organization_id) as connection:
        seq: int = await connection.fetchval(statement("turn_seq"), actor.organization_id)
    return seq


def _who(actor: Actor) -> dict[str, Any]:
    return {
        "user_id": actor.user_id, "organization_id": actor.organization_id, "email": actor.email, "role": actor.role,
        "practitioner_id": actor.practitioner_id, "patient_id": actor.patient_id, "patient_ids": list(actor.patient_ids),
        "must_enrol_totp": actor.must_enrol_totp,
    }  # fmt: skip


ROUTES = (
    Route(
        "POST", "/api/v1/auth/login", login, None, "Sign in", body=Credentials, answer=SignedIn,
        refusals=("invalid_credentials", "totp_required", "rate_limited"), tag="identity",
    ),
    Route(
        "POST", "/api/v1/auth/refresh", refresh, None, "Exchange a refresh token for a new pair",
        body=RefreshToken, answer=SignedIn, refusals=("invalid_token", "refresh_reused"), tag="identity",
    ),
    Route(
        "POST", "/api/v1/auth/logout", logout, "", "Sign out: revoke this session", body=SignOut,
        body_optional=True, status=204, tag="identity",
    ),
    Route(
        "POST", "/api/v1/auth/session", open_page, None, "Sign a page in: sets a cookie", body=Credentials, answer=Page,
        refusals=("invalid_credentials", "totp_required", "rate_limited"), tag="identity",
    ),
    Route(
        "GET", "/api/v1/auth/session", page, "", "The page's session: for a page that was loaded again", answer=Page,
        tag="identity",
    ),
    Route(
        "DELETE", "/api/v1/auth/session", close_page, "", "Sign a page out: ends its session and clears its cookie",
        status=204, tag="identity",
    ),
    Route("GET", "/api/v1/auth/me", me, "", "Who is signed in", answer=Me, tag="identity"),
)  # fmt: skip

"""Who asks, from the page's cookie, and the cookie itself. What changes anything must also carry the session's csrf
token, which a foreign site can neither read nor guess; `SameSite` is the second lock, not the only one.
"""

import hmac
import time
from collections.abc import Mapping

import structlog

from holdfast.actor import Actor
from holdfast.api.problems import Problem
from holdfast.commands.house import House
from holdfast.commands.identity import KnownPage
from holdfast.commands.page_session import resolve_page
from holdfast.commands.tokens import Cookie
from holdfast.errors import Refused

NAME = "__Host-holdfast_session"
"""Browsers take a cookie of this prefix only from this host, for all its paths, over a secure connection."""
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"
_READING = frozenset({"GET", "HEAD"})
# While one request looks again, the others go on with what was known: no herd at every recheck.
_LOOKING_SECONDS = 2.0
# How much shorter than it is, as a share, an idle time may be taken to be: not every use is written down.
_IDLE_SLACK = 0.1
_log = structlog.get_logger("holdfast.identity")


def given_out(cookie: str) -> dict[str, str]:
    """The header that hands the browser its cookie. It keeps it until it is closed: the session's end is ours."""
    return {"Set-Cookie": f"{NAME}={cookie}; {_ATTRIBUTES}"}


def taken_back() -> dict[str, str]:
    return {"Set-Cookie": f"{NAME}=; Max-Age=0; {_ATTRIBUTES}"}


def _cookie_in(headers: Mapping[bytes, bytes]) -> str | None:
    """Two of the name are none that we gave out."""
    pairs = [pair.strip().partition(b"=") for pair in headers.get(b"cookie", b"").split(b";")]
    found = [value for name, _, value in pairs if name == NAME.encode()]
    if not found:
        return None
    return found[0].decode("latin-1") if len(found) == 1 else ""


class PageCookies:
    """As `Authenticator`, which asks here when there is no Authorization header."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._identity = house.identity
        settings = house.settings
        self._recheck_seconds = settings.session_recheck_seconds
        self._note_seconds = min(self._recheck_seconds, settings.session_idle_minutes * 60 * _IDLE_SLACK)

    async def actor(self, headers: Mapping[bytes, bytes], method: str, *, in_use: bool) -> Actor:
        """Raises Problem: 401 `unauthenticated`, `invalid_token`, `session_idle`; 403 `csrf_failed`."""
        text = _cookie_in(headers)
        if text is None:
            raise Problem("unauthenticated", "Sign in first.", headers={"WWW-Authenticate": "Bearer"})
        # Live updates run on an open page whether anybody is there or not.
        in_use = in_use and headers.get(b"accept") != b"text/event-stream"
        try:
            actor = await self._known_or_found(self._identity.tokens.cookie_read(text), in_use=in_use)
        except Refused as refused:
            raise Problem(
                refused.code, refused.detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
            ) from None
        if method not in _READING:
            self._check_csrf(headers, actor)
        return actor

    async def _known_or_found(self, cookie: Cookie | None, *, in_use: bool) -> Actor:
        if cookie is None:
            raise Refused("invalid_token", "The session is not good.")
        known, now = self._identity.pages.get(cookie.hash), time.monotonic()
        if known is not None:
            if now < known.good_until and (not in_use or now < known.noted_until):
                return known.actor
            known.good_until = now + _LOOKING_SECONDS
            if in_use:
                known.noted_until = now + _LOOKING_SECONDS
        return await self._find(cookie, in_use=in_use, noted_until=known.noted_until if known else 0.0)

    async def _find(self, cookie: Cookie, *, in_use: bool, noted_until: float) -> Actor:
        forgotten = self._identity.forgotten
        try:
            page = await resolve_page(self._house, cookie, in_use=in_use)
        except BaseException:
            self._identity.pages.pop(cookie.hash, None)
            raise
        if forgotten == self._identity.forgotten and not page.actor.must_enrol_totp:  # as in `Authenticator`
            now = time.monotonic()
            self._identity.remember_page(cookie.hash, KnownPage(
                actor=page.actor, good_until=now + min(self._recheck_seconds, page.seconds),
                noted_until=now + self._note_seconds if in_use else noted_until,
            ))  # fmt: skip
        else:
            self._identity.pages.pop(cookie.hash, None)
        return page.actor

    def _check_csrf(self, headers: Mapping[bytes, bytes], actor: Actor) -> None:
        right = self._identity.tokens.csrf(actor.session_id).encode()
        if not hmac.compare_digest(headers.get(b"x-csrf-token", b""), right):
            _log.warning("csrf_failed", organization_id=actor.organization_id, session_id=actor.session_id)
            raise Problem("csrf_failed", "X-CSRF-Token must carry the csrf_token of this session.")

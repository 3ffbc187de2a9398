"""Who asks, from the Authorization header, or else from the page's cookie (`page_cookie.py`). A token seen before
costs one look into a dict; a new one its signature and one read; every known one a read again each
`session_recheck_seconds`, so that revocation acts.
"""

import re
import time
from collections.abc import Mapping

from holdfast.actor import Actor
from holdfast.api.page_cookie import PageCookies
from holdfast.api.problems import Problem
from holdfast.commands.house import House
from holdfast.commands.sign_in import resolve

# RFC 9110: the scheme in any case; RFC 6750: one space, then the token's own characters.
_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9_.-]+)")
_CREDENTIAL_BYTES_MAX = 4096
# While one request looks again, the others go on with what was known: no herd at every recheck.
_LOOKING_SECONDS = 2.0


class Authenticator:
    def __init__(self, house: House) -> None:
        self._house = house
        self._identity = house.identity
        self._known = house.identity.known
        self._recheck_seconds = house.settings.session_recheck_seconds
        self._pages = PageCookies(house)

    async def actor(self, headers: Mapping[bytes, bytes], method: str, *, in_use: bool = True) -> Actor:
        """Raises Problem: 401 `unauthenticated` without a credential, `invalid_token` with a bad one; and what a
        page's cookie is refused for. If both are there the header counts."""
        credential = headers.get(b"authorization", b"")
        known = self._known.get(credential)
        if known is not None:
            now = time.monotonic()
            if now < known.good_until:
                return known.actor
            known.good_until = now + _LOOKING_SECONDS
        if b"authorization" not in headers:
            return await self._pages.actor(headers, method, in_use=in_use)
        return await self._look(credential)

    async def _look(self, credential: bytes) -> Actor:
        if not credential:
            raise Problem("unauthenticated", "Sign in first.", headers={"WWW-Authenticate": "Bearer"})
        forgotten, now = self._identity.forgotten, time.time()
        bearer = _BEARER.fullmatch(credential) if len(credential) <= _CREDENTIAL_BYTES_MAX else None
        claims = self._identity.tokens.claims(bearer[1], now) if bearer else None
        try:
            actor = await resolve(self._house, claims) if claims else None
        except BaseException:
            self._known.pop(credential, None)
            raise
        if claims is None or actor is None:
            self._known.pop(credential, None)
            raise Problem(
                "invalid_token", "The access token is not good, or no longer.",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )  # fmt: skip
        # Whoever must enrol is looked at each time: once they have, in whatever process, everything opens at once.
        if forgotten == self._identity.forgotten and not actor.must_enrol_totp:
            seconds = min(self._recheck_seconds, claims.exp - now)
            self._identity.remember(credential, actor, time.monotonic() + seconds)
        else:
            self._known.pop(credential, None)
        return actor

"""What sign-in remembers in this process: keys, verified tokens, failed tries. Bounded; asks no database."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakValueDictionary

import msgspec
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from holdfast.actor import Actor
from holdfast.commands.passwords import Passwords
from holdfast.commands.tokens import Tokens
from holdfast.settings import Settings
from holdfast.vault import Vault

_KNOWN_MAX = 20_000


class Known(msgspec.Struct):
    """A verified token: who it is, and until when (monotonic seconds) that needs no second look."""

    actor: Actor
    good_until: float


K = TypeVar("K", bound=Known)


class KnownPage(Known):
    """A page's session, by the hash of its cookie; until `noted_until` its use need not be written down again."""

    noted_until: float


class Identity:
    """Held by the house; made once per process."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.tokens = Tokens(vault.token_key, settings.access_token_seconds)
        self.passwords = Passwords(settings.argon2_threads_max)
        self.tries = Tries(settings.sign_in_failures_max, settings.sign_in_failure_window_seconds)
        self.known: dict[bytes, Known] = {}
        self.pages: dict[bytes, KnownPage] = {}
        self.forgotten = 0
        """Rises whenever tokens are forgotten: what was read before must not be remembered after."""

    def remember(self, credential: bytes, actor: Actor, good_until: float) -> None:
        _keep(self.known, credential, Known(actor, good_until))

    def remember_page(self, cookie_hash: bytes, known: KnownPage) -> None:
        _keep(self.pages, cookie_hash, known)

    def forget_session(self, session_id: str) -> None:
        """A revoked session's tokens need a second look at once; other processes look within the recheck time."""
        self.forgotten += 1
        _drop(self.known, lambda actor: actor.session_id == session_id)
        _drop(self.pages, lambda actor: actor.session_id == session_id)

    def forget_user(self, user_id: str) -> None:
        self.forgotten += 1
        _drop(self.known, lambda actor: actor.user_id == user_id)
        _drop(self.pages, lambda actor: actor.user_id == user_id)

    def forget_organization(self, organization_id: str) -> None:
        self.forgotten += 1
        _drop(self.known, lambda actor: actor.organization_id == organization_id)
        _drop(self.pages, lambda actor: actor.organization_id == organization_id)


def _keep(known: dict[bytes, K], credential: bytes, one: K) -> None:
    known.pop(credential, None)
    known[credential] = one
    if len(known) > _KNOWN_MAX:
        del known[next(iter(known))]


def _drop(known: dict[bytes, K], is_meant: Callable[[Actor], bool]) -> None:
    for credential in [c for c, k in known.items() if is_meant(k.actor)]:
        del known[credential]


class Tries:
    """Failed sign-ins of an account from an address. At most one try of the two is under way at a time, so that
    many at once cannot slip in under the limit."""

    def __init__(self, failures_max: int, window_seconds: int) -> None:
        self._item = RateLimitItemPerSecond(failures_max, window_seconds)
        self._failures = MovingWindowRateLimiter(MemoryStorage())
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def turn(self, email: str, address: str) -> asyncio.Lock:
        return self._turns.setdefault((email, address), asyncio.Lock())

    def wait_seconds(self, email: str, address: str) -> int | None:
        """None if another try is allowed, else whole seconds until it is."""
        if self._failures.test(self._item, email, address):
            return None
        reset = self._failures.get_window_stats(self._item, email, address).reset_time
        return max(1, math.ceil(reset - time.time()))

    def failed(self, email: str, address: str) -> None:
        self._failures.hit(self._item, email, address)

    def cleared(self, email: str, address: str) -> None:
        self._failures.clear(self._item, email, address)

"""Passwords: their rules, their hashes, and how many are worked on at once. Knows no accounts."""

import asyncio
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import argon2

from holdfast.errors import FieldError, Invalid, Overloaded

LENGTH_MIN = 12
LENGTH_MAX = 200
# OWASP's recommendation: 19 MiB, two passes, one lane: about 23 ms.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16)

T = TypeVar("T")


def check(password: str, field: str = "password") -> None:
    """Raises Invalid naming the field when a new password breaks the rules: 12 to 200 characters."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise Invalid(
            FieldError(field, "invalid_value", f"must have {LENGTH_MIN} to {LENGTH_MAX} characters")
        )


def hashed(password: str) -> str:
    """The hash to store. Takes about 23 ms of one processor: call it in a thread."""
    return _HASHER.hash(_spelled(password))


def matches(password: str, password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, _spelled(password))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _spelled(password: str) -> str:
    """One spelling whatever the keyboard: an umlaut may arrive as one character or as two."""
    return unicodedata.normalize("NFKC", password)


class Passwords:
    """Hashing beside the event loop, a few at a time: each one takes 19 MiB and a processor."""

    def __init__(self, threads_max: int) -> None:
        self._free = asyncio.Semaphore(threads_max)
        self._nobody = hashed("the password of no account")

    async def hash(self, password: str, deadline: float) -> str:
        """Raises Overloaded when no thread is free before the deadline (event loop's clock)."""
        return await self._aside(lambda: hashed(password), deadline)

    async def verify(self, password: str, password_hash: str | None, deadline: float) -> bool:
        """Whether the password is the account's. Without an account (None) the same work and False.

        Raises Overloaded when no thread is free before the deadline (event loop's clock).
        """
        stored = password_hash or self._nobody
        right = await self._aside(lambda: matches(password, stored), deadline)
        return right and password_hash is not None

    async def _aside(self, work: Callable[[], T], deadline: float) -> T:
        try:
            async with asyncio.timeout_at(deadline):
                await self._free.acquire()
        except TimeoutError:
            raise Overloaded("sign_ins") from None
        # The thread cannot be stopped: its place is free again when it has ended, whoever still waits for it.
        done = asyncio.get_running_loop().run_in_executor(None, work)
        done.add_done_callback(lambda _: self._free.release())
        return await asyncio.shield(done)

"""Secrets at rest: one master secret wraps a data key per organization; data keys seal free text about people.

AES-256-GCM throughout; the context (table, column, row id) is authenticated, so that a sealed value moved to
another row does not open. Nothing here reads settings or files.
"""

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES, _COUNT_BYTES = 12, 4


class SealBroken(Exception):
    """A sealed value does not open: wrong master secret, wrong row, or tampered with."""


def derive(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key of its own for each purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret)


class Seal:
    """Seals and opens with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._renew()

    def _renew(self) -> None:
        self._instance, self._count = os.urandom(_NONCE_BYTES - _COUNT_BYTES), 0

    def seal(self, plain: bytes, context: str) -> bytes:
        """No nonce comes twice: each seal counts under a random name of its own (as in NIST SP 800-38D, 8.2.1, the name
        drawn instead of given), and takes a new one when the count is full. Processes share no seal: workers are
        started, not forked.
        """
        if self._count >> (8 * _COUNT_BYTES):
            self._renew()
        nonce = self._instance + self._count.to_bytes(_COUNT_BYTES, "big")
        self._count += 1
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Raises SealBroken."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except InvalidTag:
            raise SealBroken(context) from None


class Vault:
    """Makes and opens the data keys of organizations."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 random bytes."""
        self._envelope = Seal(derive(secret, "holdfast envelope v1"))
        self.token_key = derive(secret, "holdfast tokens v1")
        self._open = lru_cache(maxsize=10_000)(self._open_once)

    def new_data_key(self, organization: str) -> bytes:
        """A fresh data key, wrapped for storage."""
        return self._envelope.seal(AESGCM.generate_key(256), organization)

    def organization(self, organization: str, data_key: bytes) -> Seal:
        """The seal of an organization, from its stored data key. Raises SealBroken."""
        return self._open(organization, data_key)

    def _open_once(self, organization: str, data_key: bytes) -> Seal:
        return Seal(self._envelope.open(data_key, organization))

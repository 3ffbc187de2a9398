"""The installation's secrets: given by settings, or made once in private files beside the embedded engine.

Whoever loses `secret.key` loses the sealed texts and all sessions: back it up apart from the data. Nothing here logs.
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from pathlib import Path

from holdfast.db.private_files import locked, write_private
from holdfast.plain import PlainError
from holdfast.settings import Settings

SECRET_BYTES = 32
_HINT = "openssl rand -base64 32"


class SecretMissing(PlainError):
    """No usable secret; the message says how to make one."""


def secret(settings: Settings, home: Path | None) -> bytes:
    """The 32 bytes that wrap data keys and sign tokens. `home` is that of the embedded engine, None without one.

    Raises SecretMissing when an external database has no secret, or the given one has the wrong form.
    """
    if settings.secret_key:
        return decode(settings.secret_key)
    if home is None:
        raise SecretMissing(
            "HOLDFAST_SECRET_KEY is not set. With a database of your own the secret is yours to keep: "
            f"make one with `{_HINT}`, store it safely and set it for every server of this installation."
        )
    return decode(
        kept(home, "secret.key", lambda: base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())
    )


def load(settings: Settings) -> bytes:
    """The secret in a server process: whoever launched it has put it into the settings. Raises SecretMissing."""
    return secret(settings, None)


def server_password(home: Path) -> str:
    """The password of the server's own role in the embedded engine."""
    return kept(home, "server.password", lambda: secrets.token_urlsafe(32))


def decode(text: str) -> bytes:
    """32 bytes from base64 (either alphabet). Raises SecretMissing."""
    try:
        key = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != SECRET_BYTES:
        raise SecretMissing(
            f"HOLDFAST_SECRET_KEY must be {SECRET_BYTES} bytes in base64: `{_HINT}` makes one."
        )
    return key


def kept(home: Path, name: str, make: Callable[[], str]) -> str:
    """The text of a private file in `home`, made once: two processes that start together read the same."""
    file = home / name
    if not file.exists():
        with locked(home / "secrets.lock", _silent):
            if not file.exists():
                write_private(file, make() + "\n")
    return file.read_text(encoding="utf-8").strip()


def _silent(_text: str) -> None:
    return


def text(key: bytes) -> str:
    """The form in which settings carry a secret."""
    return base64.b64encode(key).decode()

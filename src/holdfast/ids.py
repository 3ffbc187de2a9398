"""Ids: UUIDv7, as lower-case text everywhere outside the database."""

import re

import uuid_utils

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new() -> str:
    return str(uuid_utils.uuid7())


def is_canonical(text: str) -> bool:
    return _CANONICAL.fullmatch(text) is not None


def canonical(text: str) -> str:
    """The id in its one spelling. Raises ValueError if it is not a UUID."""
    lowered = text.lower()
    if not _CANONICAL.fullmatch(lowered):
        raise ValueError("must be a UUID")
    return lowered

"""The kinds of values that requests carry, decoded strictly: ids, instants, and JSON without surprises."""

from typing import Any

from holdfast import ids, slot


class Id(str):
    """A UUID in its canonical spelling."""

    __slots__ = ()


class Instant(int):
    """A whole minute as epoch seconds; on the wire RFC 3339 with offset."""

    __slots__ = ()


def decoded(kind: type, value: Any) -> Any:
    """msgspec's hook for our kinds. Raises ValueError with a sentence."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if kind is Id:
        return Id(ids.canonical(value))
    if kind is Instant:
        seconds = slot.instant(value)
        if seconds % slot.MINUTE:
            raise ValueError("must be a whole minute")
        return Instant(seconds)
    raise NotImplementedError(kind)


def schema(kind: type) -> dict[str, Any]:
    """The JSON schema of our kinds."""
    if kind is Id:
        return {"type": "string", "format": "uuid"}
    if kind is Instant:
        return {"type": "string", "format": "date-time"}
    raise NotImplementedError(kind)

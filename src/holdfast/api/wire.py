"""The kinds of values that requests carry, decoded strictly: ids, instants, and JSON without surprises."""

from typing import Any

from holdfast import ids, slot


class _Plain(type):
    """A kind that decodes to the built-in type itself: the database's driver and the JSON encoder take no
    subclass of it. The name of the kind is for the decoder and the reader only."""

    def __instancecheck__(cls, value: object) -> bool:
        return type(value) is cls.__base__


class Id(str, metaclass=_Plain):
    """A UUID in its canonical spelling."""

    __slots__ = ()


class Instant(int, metaclass=_Plain):
    """A whole minute as epoch seconds; on the wire RFC 3339 with offset."""

    __slots__ = ()


class Moment(int, metaclass=_Plain):
    """A whole second as epoch seconds; on the wire RFC 3339 with offset."""

    __slots__ = ()


def decoded(kind: type, value: Any) -> Any:
    """msgspec's hook for our kinds. Raises ValueError with a sentence."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if kind is Id:
        return ids.canonical(value)
    if kind in (Instant, Moment):
        seconds = slot.instant(value)
        if kind is Instant and seconds % slot.MINUTE:
            raise ValueError("must be a whole minute")
        return seconds
    raise TypeError(f"{kind} is none of our kinds")


def schema(kind: type) -> dict[str, Any]:
    """The JSON schema of our kinds."""
    if kind is Id:
        return {"type": "string", "format": "uuid"}
    if kind in (Instant, Moment):
        return {"type": "string", "format": "date-time"}
    raise TypeError(f"{kind} is none of our kinds")

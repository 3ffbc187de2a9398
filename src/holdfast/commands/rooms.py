"""A room: what is in it, how many visits at once, and how it is shown."""

from types import MappingProxyType

from holdfast.commands.save import Document, Noun

_CLEANING_MINUTES = 15
# What a room needs after a visit when nobody said (practice.md, Time that is not a patient's).
_CLEANING_MINUTES_BY_TYPE = MappingProxyType({
    "talk": 0, "counselling": 0, "consult": 0, "telehealth": 0, "therapy": 5, "physiotherapy": 10, "procedure": 15,
})  # fmt: skip


def with_cleaning(fields: Document) -> Document:
    """A new room's fields with the turnover that its type has by default."""
    minutes = _CLEANING_MINUTES_BY_TYPE.get(fields["room_type"], _CLEANING_MINUTES)
    return {"cleaning_minutes": minutes, **fields}


ROOM = Noun("room", "rooms", is_resource=True)

"""`/rooms`: what is in them, how many visits at once, how they are shown, and when they are closed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from holdfast.api import absences, nouns, room_display
from holdfast.api.door import Answer, Ask
from holdfast.api.fields import Label, Minutes, People, Search, Seats, Word, Words
from holdfast.api.lists import Paged
from holdfast.api.wire import Id
from holdfast.commands import save
from holdfast.commands.rooms import ROOM, with_cleaning

_Order = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]


class NewRoom(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`cleaning_minutes` follows the type when left out; colour and order are at `/display-config`."""

    clinic_id: Id
    number: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\S", extra={"must": "not be blank"})]
    name: Label = ""
    room_type: Word
    capacity: People = 1
    concurrent_visits_max: Seats = 1
    equipment: Words = []
    accessibility: Words = []
    cleaning_minutes: Minutes | UnsetType = UNSET
    is_available: bool = True
    display_order: _Order = 0


class Room(NewRoom, kw_only=True):
    id: str
    cleaning_minutes: int
    color: str | None
    is_active: bool
    version: int
    created_at: str
    updated_at: str


class RoomQuery(Paged, kw_only=True):
    is_active: bool | None = None
    q: Search | None = None
    clinic_id: Id | None = None
    room_type: Word | None = None
    is_available: bool | None = None


async def create(ask: Ask[Any, NewRoom]) -> Answer:
    fields = {"color": None} | with_cleaning(save.given(ask.body))
    return Answer.of(await save.create(ask.house, ask.asked, ROOM, fields))


SHAPES = nouns.Shapes(
    "/api/v1/rooms", "places", NewRoom, nouns.changes(NewRoom, "RoomChange", "clinic_id"), Room, RoomQuery,
    "places.read", "places.write",
)  # fmt: skip

ROUTES = (*nouns.routes(ROOM, SHAPES, create=create), *room_display.ROUTES, *absences.ROOM_ROUTES)

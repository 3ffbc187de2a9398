"""`/rooms/{id}/display-config`: how a room is drawn. It is part of the room and shares its version."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from holdfast.actor import Answered
from holdfast.api import nouns, room_colors
from holdfast.api.door import Answer, Ask, Route
from holdfast.commands import save
from holdfast.commands.change import Turn, change
from holdfast.commands.rooms import ROOM
from holdfast.commands.save import Document
from holdfast.errors import FieldError, Invalid

_PATH = "/api/v1/rooms/{id}/display-config"


class NewDisplay(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is; a colour of null is the automatic one again."""

    color: Annotated[str, Meta(max_length=100, examples=["#3366CC"])] | UnsetType | None = UNSET
    display_order: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] | UnsetType = UNSET


class Display(msgspec.Struct, kw_only=True):
    """`color` is the one to draw with; `text_color` can be read on it."""

    room_id: str
    color: str
    source: Literal["custom", "auto"]
    auto_color: str
    text_color: str
    display_order: int


def _display(room: Document) -> Display:
    auto = room_colors.automatic(room["id"])
    color = room["color"] or auto
    return Display(
        room_id=room["id"], color=color, source="custom" if room["color"] else "auto", auto_color=auto,
        text_color=room_colors.text_on(color), display_order=room["display_order"],
    )  # fmt: skip


async def get(ask: Ask[Any, Any]) -> Answer:
    answer = await nouns.got(ask, ROOM)
    answer.content = _display(answer.content)
    return answer


async def put(ask: Ask[Any, NewDisplay]) -> Answer:
    fields, room_id = save.given(ask.body), ask.id()
    if fields.get("color") is not None:
        try:
            fields["color"] = room_colors.normal(fields["color"])
        except ValueError as error:
            raise Invalid(FieldError("color", "invalid_color", str(error))) from None

    async def work(turn: Turn) -> Answered:
        room = await save.altered(turn, ask.asked, ROOM, room_id, fields)
        content = msgspec.json.encode(_display(room))
        return Answered(status=200, content=content, version=room["version"])

    return Answer.of(await change(ask.house, ask.asked, work))


ROUTES = (
    Route("GET", _PATH, get, "places.read", "How a room is drawn", answer=Display, tag="places"),
    Route(
        "PUT", _PATH, put, "places.write", "Choose a room's colour and order", body=NewDisplay, answer=Display,
        refusals=("invalid_color", "version_mismatch"), tag="places",
    ),
)  # fmt: skip

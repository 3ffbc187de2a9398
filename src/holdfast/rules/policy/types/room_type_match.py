"""The room must be of a type that the service can be given in."""

from typing import Annotated, ClassVar

from msgspec import Meta

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import RoomJudge, RoomRule, Word


class RoomTypeMatch(RoomRule, frozen=True, kw_only=True, tag="room_type_match"):
    summary: ClassVar[str] = "The room must be of a type that the service is given in."

    room_types: Annotated[
        tuple[Word, ...],
        Meta(max_length=50, description="These instead of the service's own; the service's when empty."),
    ] = ()

    def judge(self) -> RoomJudge:
        own = frozenset(self.room_types)

        def refuses(question: Question, room: Room) -> str | None:
            types = own or question.service.room_types
            if types and room.room_type not in types:
                return f"is a {room.room_type} room; needed is {' or '.join(sorted(types))}"
            return None

        return refuses

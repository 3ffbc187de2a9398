"""Practitioners would rather be in certain rooms."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Kind, Opinion, Points, Practitioners, RoomJudge, RoomRule, Rooms


class PractitionerRoomPreference(RoomRule, frozen=True, kw_only=True, tag="practitioner_room_preference"):
    summary: ClassVar[str] = "These practitioners would rather be in these rooms than in others."
    kinds: ClassVar[tuple[Kind, ...]] = ("soft",)

    kind: Kind = "soft"
    preferred_rooms: Annotated[Rooms, Meta(description="No effect when empty.")] = ()
    practitioner_ids: Annotated[Practitioners, Meta(description="Everyone in the scope when empty.")] = ()
    score_modifier: Annotated[Points, Meta(description="Added for a preferred room.")] = 10
    penalty: Annotated[Points, Meta(description="Subtracted for any other.")] = 5

    def judge(self) -> RoomJudge:
        preferred, whose = frozenset(self.preferred_rooms), frozenset(self.practitioner_ids)

        def thinks(question: Question, room: Room) -> Opinion:
            if not preferred or (whose and whose.isdisjoint(question.practitioner_ids)):
                return 0
            return 1 if room.id in preferred else -1

        return thinks

    def says(self, opinion: Literal[-1, 1]) -> str:
        return "is a preferred room" if opinion == 1 else "is not a preferred room"

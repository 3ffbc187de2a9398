"""Practitioners work in certain rooms only."""

from typing import Annotated, ClassVar

from msgspec import Meta

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Practitioners, RoomJudge, RoomRule, Rooms


class PractitionerRoom(RoomRule, frozen=True, kw_only=True, tag="practitioner_room"):
    summary: ClassVar[str] = "These practitioners are given these rooms only."

    allowed_rooms: Annotated[Rooms, Meta(description="Any room when empty.")] = ()
    practitioner_ids: Annotated[Practitioners, Meta(description="Everyone in the scope when empty.")] = ()

    def judge(self) -> RoomJudge:
        allowed, whose = frozenset(self.allowed_rooms), frozenset(self.practitioner_ids)

        def refuses(question: Question, room: Room) -> str | None:
            if not allowed or room.id in allowed or (whose and whose.isdisjoint(question.practitioner_ids)):
                return None
            return "is not one of the rooms that the practitioner is given"

        return refuses

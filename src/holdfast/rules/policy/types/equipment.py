"""The room must have what the service needs."""

from typing import Annotated, ClassVar

from msgspec import Meta

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import RoomJudge, RoomRule, Word


class Equipment(RoomRule, frozen=True, kw_only=True, tag="equipment"):
    summary: ClassVar[str] = "The room must have all the equipment that the service needs."

    equipment: Annotated[
        tuple[Word, ...], Meta(max_length=50, description="Needed beside what the service itself needs.")
    ] = ()

    def judge(self) -> RoomJudge:
        further = frozenset(self.equipment)

        def refuses(question: Question, room: Room) -> str | None:
            lacking = (question.service.equipment | further) - room.equipment
            return f"lacks {', '.join(sorted(lacking))}" if lacking else None

        return refuses

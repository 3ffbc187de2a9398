"""The room must offer what the patient needs."""

from typing import Annotated, ClassVar

from msgspec import Meta

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import RoomJudge, RoomRule, Word


class Accessibility(RoomRule, frozen=True, kw_only=True, tag="accessibility"):
    summary: ClassVar[str] = "The room must offer everything that the patient needs."

    features: Annotated[
        tuple[Word, ...],
        Meta(max_length=50, description="Needed by everyone, beside the patient's own needs."),
    ] = ()

    def judge(self) -> RoomJudge:
        everyones = frozenset(self.features)

        def refuses(question: Question, room: Room) -> str | None:
            lacking = (question.needs | everyones) - room.accessibility
            return f"does not offer what the patient needs: {', '.join(sorted(lacking))}" if lacking else None

        return refuses

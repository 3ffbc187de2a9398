"""The room must hold as many people as come."""

from typing import Annotated, ClassVar

from msgspec import Meta

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import RoomJudge, RoomRule


class Capacity(RoomRule, frozen=True, kw_only=True, tag="capacity"):
    summary: ClassVar[str] = (
        "The room must hold as many people as the service is given to, or as the group may have members."
    )

    people: Annotated[
        int, Meta(ge=1, le=1000, description="At least so many; the service's own number if that is larger.",
                  extra={"unit": "people"})
    ] = 1  # fmt: skip

    def judge(self) -> RoomJudge:
        least = self.people

        def refuses(question: Question, room: Room) -> str | None:
            needed = max(least, question.people)
            return f"holds {room.capacity} people; needed are {needed}" if room.capacity < needed else None

        return refuses

"""Time is kept for some services until shortly before."""

from typing import Annotated, ClassVar

from msgspec import Meta

from holdfast.errors import FieldError
from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import (
    Clock,
    ClockEnd,
    MomentJudge,
    MomentRule,
    Rooms,
    RoomTest,
    Services,
    minutes,
    touches,
    window,
)
from holdfast.rules.timetable import Timetable


class ReservedTime(MomentRule, frozen=True, kw_only=True, tag="reserved_time"):
    summary: ClassVar[str] = (
        "A part of the day is kept, in some rooms or all, for certain services (emergencies) until some hours before."
    )
    looks_at_people: ClassVar[bool] = False

    time_from: Clock
    time_to: ClockEnd
    for_services: Annotated[
        Services, Meta(description="May be booked there at any time; nobody may when empty.")
    ] = ()
    room_ids: Annotated[Rooms, Meta(description="The rooms that are kept; all in the scope when empty.")] = ()
    release_hours_before: Annotated[
        int, Meta(ge=0, le=720, description="So long before the visit begins anybody may book it.", extra={"unit": "hours"})
    ] = 24  # fmt: skip

    def faults(self) -> list[FieldError]:
        return window(self.time_from, self.time_to)

    def judge(self) -> MomentJudge:
        low, high = minutes(self.time_from), minutes(self.time_to)
        services, kept = frozenset(self.for_services), frozenset(self.room_ids)
        released = self.release_hours_before * 3600
        told = f"is kept for other services from {self.time_from} to {self.time_to}"

        def refuses(room: Room) -> str | None:
            return told if not kept or room.id in kept else None

        def judges(question: Question, _timetable: Timetable) -> RoomTest | None:
            if question.service.id in services or question.span[0] - question.now <= released:
                return None
            return refuses if touches(question, low, high) else None

        return judges

"""Patients find their way to the room they were in."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Kind, MomentJudge, MomentRule, Opinion, Points, RoomTest
from holdfast.rules.timetable import Timetable


class SameRoomAsLastVisit(MomentRule, frozen=True, kw_only=True, tag="same_room_as_last_visit"):
    summary: ClassVar[str] = "The room in which the patient had their last visit is better than another."
    kinds: ClassVar[tuple[Kind, ...]] = ("soft",)
    asks_history: ClassVar[bool] = True

    kind: Kind = "soft"
    score_modifier: Annotated[Points, Meta(description="Added for that room.")] = 10
    penalty: Annotated[
        Points, Meta(description="Subtracted for any other; nothing without a last visit.")
    ] = 0

    def judge(self) -> MomentJudge:
        def judges(question: Question, _timetable: Timetable) -> RoomTest | None:
            past = () if question.patient is None else question.patient.past
            last = max(
                (each for each in past if each.room_id is not None and question.is_before(each.start, each.id)),
                key=lambda each: (each.start, each.id), default=None,
            )  # fmt: skip
            if last is None:
                return None

            def thinks(room: Room) -> Opinion:
                return 1 if room.id == last.room_id else -1

            return thinks

        return judges

    def says(self, opinion: Literal[-1, 1]) -> str:
        return f"is {'' if opinion == 1 else 'not '}the room of the patient's last visit"

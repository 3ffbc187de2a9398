"""Practitioners need not walk far from one visit to the next."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from holdfast.rules.facts import Room
from holdfast.rules.policy.question import Question
from holdfast.rules.policy.rule import Kind, MomentJudge, MomentRule, Opinion, Points, Rooms, RoomTest
from holdfast.rules.timetable import GIVEN, Timetable


class Proximity(MomentRule, frozen=True, kw_only=True, tag="proximity"):
    summary: ClassVar[str] = (
        "Rooms of a clinic near each other: when the practitioner's visit before, that day, was in one of them, the others"
        " come next."
    )
    kinds: ClassVar[tuple[Kind, ...]] = ("soft",)
    asks_practitioners_day: ClassVar[bool] = True

    kind: Kind = "soft"
    near_each_other: Annotated[
        Rooms, Meta(description="Rooms of one corridor or floor; no effect when empty.")
    ] = ()
    score_modifier: Annotated[
        Points, Meta(description="Added for a room of these when the visit before was in one.")
    ] = 10
    penalty: Annotated[Points, Meta(description="Subtracted for any other room then.")] = 0

    def judge(self) -> MomentJudge:
        near = frozenset(self.near_each_other)

        def thinks(room: Room) -> Opinion:
            return 1 if room.id in near else -1

        def judges(question: Question, timetable: Timetable) -> RoomTest | None:
            before = _visit_before(question, timetable) if near else None
            if before is None:
                return None
            owner, start, end = before
            # another clinic's rooms are not read to decide, though they may be in memory
            here = [each.id for each in question.rooms if each.id in near]
            was_near = any(timetable.has(each, start, end, owner) for each in here)
            return thinks if was_near else None

        return judges

    def says(self, opinion: Literal[-1, 1]) -> str:
        return f"is {'' if opinion == 1 else 'not '}near the room of the practitioner's visit before"


def _visit_before(question: Question, timetable: Timetable) -> tuple[str, int, int] | None:
    """The last visit of the first practitioner that day that begins before this one: whose, from when until when."""
    who, start = question.practitioner_ids[0], question.span[0]
    if question.day[0] >= start:
        return None
    claims = [
        claim for claim in timetable.overlapping(who, question.day[0], start)
        if claim.kind in GIVEN and claim.start >= question.day[0]
    ]  # fmt: skip
    last = max(claims, key=lambda claim: (claim.start, claim.owner), default=None)
    return None if last is None else (last.owner, last.start, last.end)

"""/room-plans, and how they are asked for: rooms for a whole day, proposed, looked at and carried out."""

from typing import Any, Literal

import msgspec

from holdfast.api.appointments import OnDate
from holdfast.api.dates import check_date
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.commands import room_plan
from holdfast.commands.room_plan import Kind


class RoomMove(msgspec.Struct, kw_only=True):
    """One visit before and after. `version`: of the visit, when the plan was made."""

    appointment_id: str
    patient_name: str
    version: int
    start: str
    end: str
    room_id_before: str | None
    room_number_before: str | None
    room_id_after: str
    room_number_after: str
    score_before: int | None
    score_after: int


class RoomAgainst(msgspec.Struct, kw_only=True):
    """Why a visit cannot have a room."""

    room_id: str
    rule: str
    reason: str


class VisitReason(msgspec.Struct, kw_only=True):
    code: str
    detail: str


class Unplaced(msgspec.Struct, kw_only=True):
    """A visit that stays without a room: why each room is refused, or why the visit is, whatever its room."""

    appointment_id: str
    patient_name: str
    start: str
    end: str
    reasons: list[VisitReason]
    rooms: list[RoomAgainst]


class RoomPlan(msgspec.Struct, kw_only=True):
    """A proposal for the rooms of a clinic's day: first as many visits as can be have a room that suits, then the scores are
    the best in sum, then the fewest visits move. `optimal`: all of that is proven; otherwise the sum could be better by
    `gap` (a share of `total_score_bound`) at most. `outdated`: a visit of it has changed since; one that is `proposed` may
    still be refused when it is applied. `visits`: so many were considered."""

    id: str
    clinic_id: str
    date: str
    kind: Literal["repack", "assign"]
    status: Literal["proposed", "outdated", "applied"]
    as_of_seq: int
    optimal: bool
    gap: float
    total_score_before: int
    total_score_after: int
    total_score_bound: int
    visits: int
    moves: list[RoomMove]
    unplaced: list[Unplaced]
    created_by: str
    created_at: str
    applied_at: str | None


async def _propose(ask: Ask[OnDate, Any], kind: Kind) -> Answer:
    check_date(ask.query.date)
    return Answer.of(await room_plan.propose(ask.house, ask.asked, ask.id(), ask.query.date, kind))


async def repack(ask: Ask[OnDate, Any]) -> Answer:
    return await _propose(ask, "repack")


async def assign(ask: Ask[OnDate, Any]) -> Answer:
    return await _propose(ask, "assign")


async def get(ask: Ask[NoFields, Any]) -> Answer:
    async with ask.house.database.reading(ask.actor.organization_id) as connection:
        plan, seq = await room_plan.read(connection, ask.actor.organization_id, ask.id())
    return Answer(plan, seq=seq)


async def apply(ask: Ask[NoFields, Any]) -> Answer:
    return Answer.of(await room_plan.apply(ask.house, ask.asked, ask.id()))


ROUTES = (
    Route(
        "POST", "/api/v1/clinics/{id}/room-plan", repack, "appointments.override",
        "Propose rooms for all visits of a day that may still move", query=OnDate, answer=RoomPlan, status=201,
        refusals=("optimiser_missing",), tag="room plans",
    ),
    Route(
        "POST", "/api/v1/clinics/{id}/assign-unassigned", assign, "appointments.override",
        "Propose rooms for a day's visits that have none; no other moves", query=OnDate, answer=RoomPlan, status=201,
        refusals=("optimiser_missing",), tag="room plans",
    ),
    Route(
        "GET", "/api/v1/room-plans/{id}", get, "appointments.override", "A proposal of rooms", answer=RoomPlan,
        tag="room plans",
    ),
    Route(
        "POST", "/api/v1/room-plans/{id}/apply", apply, "appointments.override",
        "Carry a proposal out: every move or none", answer=RoomPlan, refusals=("plan_outdated",), tag="room plans",
    ),
)  # fmt: skip

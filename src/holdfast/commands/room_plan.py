"""Rooms for a whole day: a plan is computed beside the schedule, looked at, and then carried out as a whole or not at all.

`repack` chooses anew for all whose room may still be another, `assign` for those only that have none. What is pinned, begun,
blocked, closed or held stays where it is. Scores are those that the rules give with all that may move out of the way; the
plan is then carried out on a desk that nobody keeps, and a visit that would be refused stays.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import msgspec

from holdfast import ids
from holdfast.actor import Answered, Asked
from holdfast.commands.batch import need_of
from holdfast.commands.change import Turn, answered_before, change
from holdfast.commands.desk import Desk
from holdfast.commands.gather import Need
from holdfast.commands.house import House
from holdfast.commands.move import Move
from holdfast.commands.reading import snapshot
from holdfast.commands.room_puzzle import Limit, Offer, Puzzle, Solution, check_installed, solved
from holdfast.commands.save import Document, answered
from holdfast.commands.together import Change, Together
from holdfast.commands.turn_desk import turn_desk
from holdfast.db.database import Connection
from holdfast.db.keeping import Keeping
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Overloaded, Reason, Refused
from holdfast.rules.assess import Verdict, Wish, assess, spans
from holdfast.rules.facts import Directory, Patient, Visit
from holdfast.rules.room_plan import PLANNED, Place, exclusions, places, refusals
from holdfast.slot import day_span, moment, rfc3339

Kind = Literal["repack", "assign"]

_SOLVING_SHARE: Final = 0.8
"""Of the time that is left; the rest is for looking whether the plan holds, and for another if it does not."""
_LAST_TRY_SECONDS: Final = 0.5


@dataclass
class _Plan:
    """`offered` are the places of all visits that may move; `taken` those of the solution, by index."""

    visits: list[Visit]
    offered: list[Place]
    solution: Solution
    verdicts: dict[str, Verdict]
    refused: dict[str, list[Reason]]

    @property
    def moves(self) -> list[Place]:
        return [self.offered[n] for n in self.solution.taken if not self.offered[n].stays]

    @property
    def staying(self) -> dict[int, Place]:
        return {place.visit: place for place in self.offered if place.stays}


async def propose(house: House, asked: Asked, clinic_id: str, on: date, kind: Kind) -> Answered:
    """201 with the plan. Raises NotFound, Invalid (more visits than a plan may have), Refused (optimiser_missing),
    Overloaded."""
    answer = await answered_before(house, asked)
    if answer is not None:
        return answer
    check_installed()
    async with _alone(house):
        # an equal request may have been computed while this one waited
        return await answered_before(house, asked) or await _proposed(house, asked, clinic_id, on, kind)


async def _proposed(house: House, asked: Asked, clinic_id: str, on: date, kind: Kind) -> Answered:
    over = house.loop.time() + house.settings.room_plan_seconds_max
    desk, visits = await _day(house, asked, clinic_id, on, kind)
    plan = await _planned(asked, desk, visits, over)
    scores = [plan.offered[n].score for n in plan.solution.taken]
    before = [place.score for place in plan.staying.values()]
    rooms = {room.id: room.number for room in desk.directory.rooms_of[clinic_id]}
    moves, unplaced = _moves(plan), _unplaced(plan, rooms)

    async def work(turn: Turn) -> Answered:
        plan_id = ids.new()
        await turn.connection.execute(
            statement("room_plan_insert"), turn.organization, plan_id, clinic_id, on, kind, desk.keeping.seq_before,
            plan.solution.is_optimal, sum(before), sum(scores), max(plan.solution.bound, sum(scores)), len(visits),
            msgspec.json.encode(moves).decode(), msgspec.json.encode(unplaced).decode(), asked.actor.user_id,
            moment(turn.now),
        )  # fmt: skip
        told = {"id": plan_id, "clinic_id": clinic_id, "date": str(on), "kind": kind, "moves": len(moves)}
        turn.tell("room_plan.proposed", told)
        turn.note(asked, "room_plan.proposed", "room_plan", plan_id, moves=len(moves))
        return answered(201, (await read(turn.connection, turn.organization, plan_id))[0])

    return await change(house, asked, work)


async def apply(house: House, asked: Asked, plan_id: str) -> Answered:
    """Every move of the plan or none. Raises NotFound; Refused (plan_outdated) with what does not fit any more."""

    async def work(turn: Turn) -> Answered:
        plan, _ = await read(turn.connection, turn.organization, plan_id)
        if plan["status"] == "applied":
            raise Refused("plan_outdated", "This plan has been carried out already.", outdated=[])
        if plan["moves"]:
            await _carry_out(house, turn, asked, plan["moves"])
        is_there = await turn.connection.fetchval(
            statement("room_plan_applied"), turn.organization, plan_id, asked.actor.user_id, moment(turn.now)
        )
        if is_there is None:  # housekeeping takes no turn
            raise NotFound("id")
        told = {name: plan[name] for name in ("id", "clinic_id", "date", "kind")}
        turn.tell("room_plan.applied", told | {"moves": len(plan["moves"])})
        turn.note(asked, "room_plan.applied", "room_plan", plan_id, moves=len(plan["moves"]))
        return answered(200, plan | {"status": "applied", "applied_at": rfc3339(turn.now)})

    return await change(house, asked, work)


async def read(connection: Connection, organization: str, plan_id: str) -> tuple[Document, int]:
    """The plan as the API shows it, and the seq it is true at. Raises NotFound."""
    row = await connection.fetchrow(statement("room_plan_get"), organization, plan_id)
    if row is None or row["document"] is None:
        raise NotFound("id")
    return msgspec.json.decode(row["document"]), row["seq"]


async def _carry_out(house: House, turn: Turn, asked: Asked, moves: list[Document]) -> None:
    errand = _together([(each["appointment_id"], each["version"], each["room_id_after"]) for each in moves])
    desk = await turn_desk(house, turn, need_of(list(errand.parts)))
    begun = [
        each for each in moves if (visit := desk.stored(each["appointment_id"])) and visit.start < turn.now
    ]
    if begun:
        reasons = [{"code": "start_in_past", "detail": "The visit has begun since."}]
        raise Refused(
            "plan_outdated", f"{len(begun)} of the visits have begun since; nothing has changed.",
            outdated=[{"appointment_id": each["appointment_id"], "reasons": reasons} for each in begun],
        )  # fmt: skip
    errand.carry_out(desk, asked, _unseen)


def _together(moves: list[tuple[str, int, str]]) -> Together:
    """The moves (visit, version, room) as one."""
    return Together(
        changes=tuple(
            Change(verb=Move(id=visit_id, room_id=room_id, is_planned=True), version=version)
            for visit_id, version, room_id in moves
        )
    )


def _unseen(_visit: Visit, _directory: Directory, _asked: Asked, _patient: Patient | None) -> bytes:
    """The plan is the answer."""
    return b"{}"


@asynccontextmanager
async def _alone(house: House) -> AsyncIterator[None]:
    """One plan at a time in a process: it takes a core for seconds. Raises Overloaded."""
    try:
        await asyncio.wait_for(house.optimiser.acquire(), house.settings.room_plan_seconds_max)
    except TimeoutError:
        raise Overloaded("room_plan") from None
    try:
        yield
    finally:
        house.optimiser.release()


async def _day(house: House, asked: Asked, clinic_id: str, on: date, kind: Kind) -> tuple[Desk, list[Visit]]:
    """A desk that nobody keeps, and the visits whose room the plan chooses, by start."""
    organization, most = asked.actor.organization_id, house.settings.room_plan_visits_max
    async with snapshot(house, organization) as reading:
        known = (await reading.gather(Need())).directory
        if clinic_id not in known.clinics:
            raise NotFound("id")
        first, last = day_span(on, known.clinics[clinic_id].time_zone)
        rows = await reading.connection.fetch(
            statement("room_plan_visits"), organization, clinic_id, moment(first), moment(last), list(PLANNED),
            kind == "assign", most + 1,
        )  # fmt: skip
        if len(rows) > most:
            raise Invalid(
                FieldError("date", "invalid_value", f"has more visits than a plan may have: {most}")
            )
        found = await reading.gather(
            Need(
                lambda directory, visits, _now: [
                    each for visit in visits.values() for each in spans(directory, visit)
                ],
                visits={row["id"] for row in rows},
            )
        )
        seal = await house.seal(reading.connection, organization)
    keeping = Keeping(organization, found.facts.seq, found.facts.now, seal)
    desk = Desk(house.settings, found.directory, found.timetable, found.facts, keeping)
    return desk, sorted(found.facts.appointments or (), key=lambda visit: (visit.start, visit.id))


async def _planned(asked: Asked, desk: Desk, visits: list[Visit], over: float) -> _Plan:
    """A plan that holds: what it would do is done on the desk. `over`: when to be ready, on the event loop's clock."""
    loop = asyncio.get_running_loop()
    refused: dict[str, list[Reason]] = {}
    while True:
        offered, limits, verdicts = await _offered(desk, visits, refused)
        seconds = over - loop.time()
        is_last = seconds < _LAST_TRY_SECONDS
        solution = await _solved(offered, limits, 0 if is_last else seconds * _SOLVING_SHARE)
        plan = _Plan(visits, offered, solution, verdicts, refused)
        moves = [(visits[each.visit].id, visits[each.visit].version, each.room_id) for each in plan.moves]
        try:
            _together(moves).carry_out(desk, asked, _unseen)
        except Refused as refusal:
            if refusal.code != "plan_outdated":
                raise
            for each in refusal.members["outdated"]:
                refused[each["appointment_id"]] = [
                    Reason(why["code"], why["detail"]) for why in each["reasons"]
                ]
        else:
            return plan


async def _offered(
    desk: Desk, visits: list[Visit], refused: dict[str, list[Reason]]
) -> tuple[list[Place], list[Limit], dict[str, Verdict]]:
    """The places of all visits that may move, what excludes each other among them, and what was said of each visit. A visit
    that is refused whatever its room stays, and is added to `refused`."""
    while True:
        moving = [visit for visit in visits if visit.id not in refused]
        held = [(visit, desk.lift(visit)) for visit in moving]
        verdicts = {}
        for visit in moving:
            verdicts[visit.id] = _verdict(desk, visit)
            await asyncio.sleep(0)  # a large day takes long enough that others would wait
        against = {visit_id: verdict.reasons for visit_id, verdict in verdicts.items() if verdict.reasons}
        offered: list[Place] = []
        for number, visit in enumerate(visits):
            verdict = verdicts.get(visit.id)
            if verdict is not None and verdict.account is not None:
                offered += places(number, visit, verdict.account)
        limits: list[Limit] = []
        for found in () if against else exclusions(desk.directory, desk.timetable, offered):
            limits += [Limit(list(each.places), each.most) for each in found]
            await asyncio.sleep(0)  # as above
        for visit, claims in held:
            desk.lower(visit, claims)
        if not against:
            return offered, limits, verdicts
        refused |= against


def _verdict(desk: Desk, visit: Visit) -> Verdict:
    wish = Wish(
        visit=visit, room="chosen", now=desk.now, earliest=visit.start, unassigned=True, overlap=True,
        authorization="kept", in_full=True,
    )  # fmt: skip
    patient, known = desk.patient(visit.patient_id), desk.authorizations_of(visit.patient_id)
    return assess(desk.directory, desk.timetable, patient, known, wish)


async def _solved(offered: list[Place], limits: list[Limit], seconds: float) -> Solution:
    """Without time, or when nobody could be better off, everybody stays."""
    best: dict[int, int] = {}
    for place in offered:
        best[place.visit] = max(place.score, best.get(place.visit, 0))
    stays = [n for n, place in enumerate(offered) if place.stays]
    is_best = len(
        [n for n in stays if offered[n].is_fit and offered[n].score == best[offered[n].visit]]
    ) == len(best)
    if is_best or not seconds:
        return Solution(stays, sum(best.values()), is_best)
    numbers: dict[str, int] = {}
    offers = [
        Offer(
            place.visit,
            numbers.setdefault(place.room_id, len(numbers)),
            place.score,
            place.stays,
            place.is_fit,
        )
        for place in offered
    ]
    return await solved(Puzzle(offers, limits), seconds)


def _moves(plan: _Plan) -> list[Document]:
    staying = plan.staying
    return [
        {
            "appointment_id": visit.id, "version": visit.version, "start": rfc3339(visit.start), "end": rfc3339(visit.end),
            "room_id_before": visit.room_id, "room_id_after": place.room_id,
            "score_before": staying[place.visit].score if place.visit in staying else None, "score_after": place.score,
        }
        for place in plan.moves
        for visit in [plan.visits[place.visit]]
    ]  # fmt: skip


def _unplaced(plan: _Plan, rooms: dict[str, str]) -> list[Document]:
    """The visits that have no room and are not given one, each with why."""
    placed = {plan.offered[n].visit for n in plan.solution.taken}
    return [
        {
            "appointment_id": visit.id, "start": rfc3339(visit.start), "end": rfc3339(visit.end),
            "reasons": [{"code": each.code, "detail": each.detail} for each in plan.refused.get(visit.id, ())],
            "rooms": _against(plan, visit, rooms),
        }
        for number, visit in enumerate(plan.visits)
        if visit.room_id is None and number not in placed
    ]  # fmt: skip


def _against(plan: _Plan, visit: Visit, rooms: dict[str, str]) -> list[dict[str, Any]]:
    verdict = plan.verdicts.get(visit.id)
    if verdict is None or verdict.account is None:
        return []
    return [
        {"room_id": each.room_id, "rule": each.rule, "reason": each.reason}
        for each in refusals(verdict.account, rooms)
    ]

"""Why this room: how a visit's room was chosen, and how it would be, in figures and in sentences."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from holdfast.api import appointment_view, break_glass
from holdfast.api.booking import Booking, booking, check_notes
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.commands.evaluate import evaluated, rooms_now
from holdfast.commands.gather import Need
from holdfast.commands.group import of_document
from holdfast.commands.reading import snapshot
from holdfast.db.statements import statement
from holdfast.errors import NotFound, Refused
from holdfast.rules.decision import Candidate, Told, told
from holdfast.rules.facts import Directory, Visit
from holdfast.rules.policy.policy import in_force
from holdfast.rules.rooms import BASE_SCORE, RoomRefusal
from holdfast.states import WITHOUT_CLAIMS

_NOT_AT_THE_CLINIC: Final = "The visit is not at the clinic, so it has no room."


class ScoreLine(msgspec.Struct, kw_only=True):
    """What a rule did to the score: `effect` points."""

    rule: str
    effect: int
    reason: str


class RoomCandidate(msgspec.Struct, kw_only=True):
    """A room that could be had. `lines` add up, from 100 and never below 0, to the score; `surplus_capacity` and
    `visits_that_day` decide between equal scores, in that order."""

    room_id: str
    room_number: str | None
    score: int
    lines: list[ScoreLine]
    surplus_capacity: int
    visits_that_day: int
    sentence: str


class RefusedRoom(msgspec.Struct, kw_only=True):
    """A room that could not be had: by a rule of that name, `room_conflict` or `room_unavailable`."""

    room_id: str
    room_number: str | None
    rule: str
    reason: str
    sentence: str


class Rooms(msgspec.Struct, kw_only=True):
    """`candidates` best first; `summary` says it in a sentence."""

    room_id: str | None
    policy_version: int
    candidates: list[RoomCandidate]
    refused: list[RefusedRoom]
    summary: str


class Chosen(Rooms, kw_only=True):
    method: str
    score: int | None
    rules_applied: list[str]


class GroupExplanation(Chosen, kw_only=True):
    """How the room of a group was chosen, when it was chosen last."""

    group_id: str


class Explanation(Chosen, kw_only=True):
    """How the room of a visit was chosen, when it was chosen last. Patients are told the room and no rules or other rooms.
    That of a group's member is the group's."""

    appointment_id: str
    rooms_now: Rooms | None
    """Where the room was kept or given, no other was looked at: then how all rooms compare now, the visit out of their way,
    and which would be chosen. Not what was decided on."""


class ReasonSeen(msgspec.Struct, kw_only=True):
    """`members` are those that belong to the code, as a refused booking would have them."""

    code: str
    detail: str
    members: dict[str, Any]


class Evaluation(Rooms, kw_only=True):
    """What would become of the booking. `reasons`: everything against it; empty if it `would_be_booked`."""

    would_be_booked: bool
    reasons: list[ReasonSeen]
    start: str
    end: str
    as_of_seq: int


async def explain(ask: Ask[NoFields, Any]) -> Answer:
    visit_id, organization = ask.id(), ask.actor.organization_id
    async with snapshot(ask.house, organization) as reading:
        found, visit = await reading.visit(visit_id)
        how = appointment_view.sight(ask.actor, visit)
        if how is None:
            raise NotFound("id")
        if how == "own":
            return Answer(
                _for_the_patient(found.directory, visit), version=visit.version, seq=found.facts.seq
            )
        row = await reading.connection.fetchrow(statement("appointment_decision"), organization, visit_id)
        seen = told(row["decision"], row["grounds"]) if row and row["decision"] and row["grounds"] else None
        is_alone = _is_alone(found.directory, visit, seen) and visit.status not in WITHOUT_CLAIMS
        now = await rooms_now(ask.house, reading, visit) if is_alone else None
    if how == "busy" and not await break_glass.opens(ask, visit.patient_id):
        raise Refused(
            "forbidden", "Why a room was chosen may tell of the patient: only your own visits are told."
        )
    rooms = _rooms(found.directory, seen, visit.room_id)
    return Answer(
        Explanation(
            appointment_id=visit.id, method=visit.method, score=visit.score, rules_applied=visit.rules_applied,
            room_id=visit.room_id, policy_version=visit.policy_version, candidates=rooms[0], refused=rooms[1],
            summary=_summary(found.directory, visit, seen),
            rooms_now=None if now is None else _now(found.directory, now),
        ),
        version=visit.version, seq=found.facts.seq,
    )  # fmt: skip


async def explain_group(ask: Ask[NoFields, Any]) -> Answer:
    organization, actor = ask.actor.organization_id, ask.actor
    async with snapshot(ask.house, organization) as reading:
        found = await reading.gather(Need())
        stored = await reading.connection.fetchrow(statement("group_get"), organization, ask.id())
        row = await reading.connection.fetchrow(statement("group_decision"), organization, ask.id())
    if stored is None or row is None or actor.role == "patient":
        raise NotFound("id")
    group, directory = of_document(stored["document"]), found.directory
    if ask.reach != "all" and group.lines[0].practitioner_id != actor.practitioner_id:
        raise Refused("forbidden", "Why a room was chosen is told of your own groups only.")
    seen = told(row["decision"], row["grounds"]) if row["decision"] and row["grounds"] else None
    candidates, refused = _rooms(directory, seen, group.room_id)
    is_here = group.location == "on_site"
    return Answer(
        GroupExplanation(
            group_id=group.id, method=group.method, score=group.score, rules_applied=group.rules_applied,
            room_id=group.room_id, policy_version=group.policy_version, candidates=candidates, refused=refused,
            summary=_summary(directory, group, seen) if is_here else _NOT_AT_THE_CLINIC.replace("visit", "group"),
        ),
        version=group.version, seq=found.facts.seq,
    )  # fmt: skip


def _for_the_patient(directory: Directory, visit: Visit) -> Explanation:
    """The room alone: rules and other rooms are the clinic's, and may tell of others."""
    summary = "The visit has no room yet."
    if visit.location != "on_site":
        summary = _NOT_AT_THE_CLINIC
    elif visit.room_id is not None:
        summary = f"The visit is in room {directory.room_number(visit.room_id)}."
    return Explanation(
        appointment_id=visit.id, method=visit.method, score=None, rules_applied=[], room_id=visit.room_id,
        policy_version=0, candidates=[], refused=[], summary=summary, rooms_now=None,
    )  # fmt: skip


def _now(directory: Directory, seen: Told) -> Rooms:
    candidates, refused = _rooms(directory, seen, None)
    best = seen.candidates[0].room_id if seen.candidates else None
    how = "no room suits and is free"
    if best is not None:
        how = f"room {directory.room_number(best)} {_because(seen.candidates)}"
    return Rooms(
        room_id=best, policy_version=seen.policy_version, candidates=candidates, refused=refused,
        summary=f"As things are now, {how}.",
    )  # fmt: skip


async def evaluate(ask: Ask[NoFields, Booking]) -> Answer:
    check_notes(ask, ask.body.notes)
    seen = await evaluated(ask.house, ask.asked, booking(ask.body))
    visit, directory = seen.visit, seen.directory
    candidates, refused = _rooms(directory, seen.told, seen.room_id)
    visit.room_id = seen.room_id
    visit.method = "none" if seen.room_id is None else "manual" if ask.body.room_id else "auto"
    whole = appointment_view.of_visit(visit, directory)
    return Answer(
        Evaluation(
            would_be_booked=not seen.reasons,
            reasons=[ReasonSeen(code=each.code, detail=each.detail, members=each.members) for each in seen.reasons],
            room_id=seen.room_id, policy_version=in_force(directory).version, candidates=candidates, refused=refused,
            summary=_summary(directory, visit, seen.told), start=whole.start, end=whole.end, as_of_seq=seen.seq,
        ),
        seq=seen.seq,
    )  # fmt: skip


def _rooms(
    directory: Directory, seen: Told | None, chosen: str | None
) -> tuple[list[RoomCandidate], list[RefusedRoom]]:
    if seen is None:
        return [], []
    candidates = [
        RoomCandidate(
            room_id=each.room_id,
            room_number=directory.room_number(each.room_id),
            score=each.score,
            lines=[
                ScoreLine(
                    rule=said.rule, effect=said.effect, reason=_said(directory, each.room_id, said.reason)
                )
                for said in each.said
            ],
            surplus_capacity=each.surplus,
            visits_that_day=each.visits_that_day,
            sentence=_sentence(directory, each, is_chosen=each.room_id == chosen),
        )
        for each in seen.candidates
    ]
    return candidates, [_refused(directory, each) for each in seen.refused]


def _refused(directory: Directory, refusal: RoomRefusal) -> RefusedRoom:
    number = directory.room_number(refusal.room_id)
    sentence = _said(directory, refusal.room_id, refusal.reason)
    if refusal.code == "room_conflict":
        sentence = f"Room {number} is taken."
    return RefusedRoom(
        room_id=refusal.room_id,
        room_number=number,
        rule=refusal.rule,
        reason=refusal.reason,
        sentence=sentence,
    )


def _said(directory: Directory, room_id: str, reason: str) -> str:
    """What is said of a room begins with its name; what is said of the visit is a sentence already."""
    return reason if reason.endswith(".") else f"Room {directory.room_number(room_id)} {reason}."


def _sentence(directory: Directory, candidate: Candidate, *, is_chosen: bool) -> str:
    points = [f"{said.effect:+d} {said.rule}" for said in candidate.said]
    how = f" ({', '.join([str(BASE_SCORE), *points])})" if points else ""
    chosen = ", chosen" if is_chosen else ""
    return f"Room {directory.room_number(candidate.room_id)}: {candidate.score} points{how}{chosen}."


def _summary(directory: Directory, visit: Visit, seen: Told | None) -> str:
    number = directory.room_number(visit.room_id)
    if visit.location != "on_site":
        return _NOT_AT_THE_CLINIC
    if visit.room_id is None:
        why = " No room suits and is free at that time." if seen is not None else ""
        return f"The visit has no room.{why}"
    if visit.group_id is not None:
        return f"Room {number} is its group's."
    alone = "; no other was looked at" if _is_alone(directory, visit, seen) else ""
    if visit.method == "manual":
        return f"Room {number} was asked for{' and is pinned' if visit.pinned else ''}{alone}."
    if seen is None or not seen.candidates:
        return f"How room {number} was chosen was not recorded."
    if alone:
        return f"Room {number} was kept for it or given by a room plan: it suits and is free{alone}."
    return f"Room {number} {_because(seen.candidates)}."


def _is_alone(directory: Directory, visit: Visit, seen: Told | None) -> bool:
    """Whether the visit's room was looked at, and no other of the clinic, though others might do."""
    if seen is None or visit.group_id is not None:
        return False
    looked_at = {each.room_id for each in seen.candidates} | {each.room_id for each in seen.refused}
    return len(looked_at) == 1 and len(directory.rooms_of[visit.clinic_id]) > 1


def _because(candidates: Sequence[Candidate]) -> str:
    best = candidates[0]
    if len(candidates) == 1:
        return "is the only room that suits and is free"
    if best.score > candidates[1].score:
        return f"has the best score, {best.score}; the next has {candidates[1].score}"
    equal = [each for each in candidates if each.score == best.score]
    if best.surplus < equal[1].surplus:
        return f"has the best score, {best.score}, and of those rooms the capacity nearest to what is needed"
    equal = [each for each in equal if each.surplus == best.surplus]
    if best.visits_that_day < equal[1].visits_that_day:
        return f"has the fewest visits that day of {len(equal)} equally good rooms"
    return f"comes first in the order of {len(equal)} equally good rooms"


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", "/api/v1/appointments/{id}/explain", explain, "appointments.read",
        "Why a visit has its room: every room with its score or what is against it", answer=Explanation,
        tag="appointments",
    ),
    Route(
        "GET", "/api/v1/groups/{id}/explain", explain_group, "appointments.read",
        "Why a group has its room: every room with its score or what is against it", answer=GroupExplanation,
        tag="groups",
    ),
    Route(
        "POST", "/api/v1/policies/evaluate", evaluate, "appointments.write",
        "What would become of a booking, without booking: the verdict and every room", body=Booking,
        answer=Evaluation, refusals=("not_found",), tag="policies",
    ),
)  # fmt: skip

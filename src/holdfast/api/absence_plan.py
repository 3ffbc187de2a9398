"""`/practitioners/{id}/absence-plan`: what to do about the visits of somebody who is away, proposed and applied."""

import datetime as dt
from typing import Annotated, Any

import msgspec

from holdfast.api import appointment_view
from holdfast.api.appointment_view import Appointment, Notice
from holdfast.api.appointments import OnDate, submitted
from holdfast.api.dates import check_range
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.fields import ReasonCode
from holdfast.api.wire import Id, Instant
from holdfast.commands.absence_plan import (
    Action,
    ApplyAbsencePlan,
    Choice,
    Proposal,
    absence_plan,
    cancellation,
    substitution,
)
from holdfast.commands.move import Move
from holdfast.commands.together import Change, Verb
from holdfast.errors import FieldError, Invalid
from holdfast.rules import people
from holdfast.rules.facts import Directory, Patient
from holdfast.slot import rfc3339

PATH = "/api/v1/practitioners/{id}/absence-plan"
_VISITS_MAX = 200


class PlannedChoice(msgspec.Struct, kw_only=True):
    """Something that can be done about a visit, with whom, when and where it would be; all of it null for `cancel`. Of a
    substitute: whether they have given the patient a visit within a year, and how many visits they have that day.
    `notices`: what is to be known of it, as for a booking."""

    action: Action
    is_recommended: bool
    practitioner_id: str | None = None
    practitioner_name: str | None = None
    start: str | None = None
    end: str | None = None
    room_id: str | None = None
    room_number: str | None = None
    score: int | None = None
    has_seen_patient: bool | None = None
    visits_that_day: int | None = None
    notices: list[Notice] = []


class PlannedVisit(msgspec.Struct, kw_only=True):
    """A visit as it is, at the version that applying asks for. `choices`: what is recommended first; each could be had
    while every other visit becomes what is recommended for it."""

    appointment_id: str
    version: int
    appointment: Appointment
    choices: list[PlannedChoice]


class PlannedAbsence(msgspec.Struct, kw_only=True):
    time_off_id: str
    start: str
    end: str


class AbsencePlan(msgspec.Struct, kw_only=True):
    """`absences`: those of the date; if there are none, the plan is for being away all day. Everything recommended can be
    applied together as of `as_of_seq`."""

    practitioner_id: str
    date: dt.date
    absences: list[PlannedAbsence]
    visits: list[PlannedVisit]
    as_of_seq: int


class Decision(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What shall become of a visit as it is at `version`: given by `practitioner_id` (substitute), moved to `start`, or
    cancelled, which may have a `reason_code`."""

    appointment_id: Id
    version: Annotated[int, msgspec.Meta(ge=1)]
    action: Action
    practitioner_id: Id | None = None
    start: Instant | None = None
    reason_code: ReasonCode | None = None


class Decisions(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All or nothing. `date`: that of the plan."""

    date: dt.date
    visits: Annotated[list[Decision], msgspec.Meta(min_length=1, max_length=_VISITS_MAX)]


class AppliedPlan(msgspec.Struct, kw_only=True):
    """The visits as they have become, in the order in which they were given."""

    appointments: list[Appointment]


async def propose(ask: Ask[OnDate, Any]) -> Answer:
    practitioner_id, on = ask.id(), ask.query.date
    check_range(on, on, 1)
    plan = await absence_plan(ask.house, ask.asked, practitioner_id, on)
    directory, seq = plan.found.directory, plan.found.facts.seq
    patients = {patient.id: patient for patient in plan.found.facts.patients or ()}
    shown = AbsencePlan(
        practitioner_id=practitioner_id, date=on, as_of_seq=seq,
        absences=[
            PlannedAbsence(time_off_id=each.id, start=rfc3339(each.start), end=rfc3339(each.end))
            for each in plan.absences
        ],
        visits=[_visit(each, directory, patients[each.visit.patient_id]) for each in plan.proposals],
    )  # fmt: skip
    return Answer(shown, seq=seq)


def _visit(proposal: Proposal, directory: Directory, patient: Patient) -> PlannedVisit:
    visit = proposal.visit
    return PlannedVisit(
        appointment_id=visit.id, version=visit.version, appointment=appointment_view.of_visit(visit, directory),
        choices=[
            _choice(each, directory, patient, is_recommended=each is proposal.recommended)
            for each in proposal.choices
        ],
    )  # fmt: skip


def _choice(choice: Choice, directory: Directory, patient: Patient, *, is_recommended: bool) -> PlannedChoice:
    shown = PlannedChoice(action=choice.action, is_recommended=is_recommended)
    if choice.action == "cancel":
        return shown
    visit = choice.visit
    shown.practitioner_id = choice.stand_in.id if choice.stand_in else visit.lines[0].practitioner_id
    shown.practitioner_name = directory.practitioner_name(shown.practitioner_id)
    shown.start, shown.end = rfc3339(visit.start), rfc3339(visit.end)
    shown.room_id, shown.room_number = visit.room_id, directory.room_number(visit.room_id)
    shown.score = visit.score
    if choice.stand_in is not None:
        shown.has_seen_patient, shown.visits_that_day = choice.stand_in.knows, choice.stand_in.load
    shown.notices = [
        msgspec.convert(each, Notice, from_attributes=True)
        for each in people.notices(directory, patient, visit)
    ]
    return shown


async def apply(ask: Ask[NoFields, Decisions]) -> Answer:
    practitioner_id, body = ask.id(), ask.body
    check_range(body.date, body.date, 1)
    changes = [
        Change(verb=_verb(decision, practitioner_id, f"visits[{number}]."), version=decision.version)
        for number, decision in enumerate(body.visits)
    ]
    ids = [decision.appointment_id for decision in body.visits]
    twice = [number for number, each in enumerate(ids) if each in ids[:number]]
    if twice:
        raise Invalid(
            FieldError(f"visits[{twice[0]}].appointment_id", "invalid_value", "is decided about twice")
        )
    return await submitted(
        ask, ApplyAbsencePlan(changes=tuple(changes), practitioner_id=practitioner_id, on=body.date)
    )


def _verb(decision: Decision, practitioner_id: str, field: str) -> Verb:
    """Raises Invalid for what the action needs and is not given, or is given and has no place in it."""
    needed = {"substitute": "practitioner_id", "move": "start", "cancel": ""}[decision.action]
    allowed = {needed, "reason_code"} if decision.action == "cancel" else {needed}
    if needed and getattr(decision, needed) is None:
        raise Invalid(FieldError(f"{field}{needed}", "missing", f"is needed to {decision.action}"))
    for name in ("practitioner_id", "start", "reason_code"):
        if name not in allowed and getattr(decision, name) is not None:
            raise Invalid(FieldError(f"{field}{name}", "invalid_value", f"has no place in {decision.action}"))
    if decision.action == "substitute":
        return substitution(decision.appointment_id, practitioner_id, str(decision.practitioner_id))
    if decision.action == "move":
        return Move(id=decision.appointment_id, start=decision.start)
    return cancellation(decision.appointment_id, reason_code=decision.reason_code)


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", PATH, propose, "worklists.desk", "What to do about the visits of somebody who is away",
        query=OnDate, answer=AbsencePlan, refusals=("not_found",), tag="people",
    ),
    Route(
        "POST", f"{PATH}/apply", apply, "appointments.write", "Apply what was decided about them, all or nothing",
        body=Decisions, answer=AppliedPlan, refusals=("not_found", "plan_outdated"), tag="people",
    ),
)  # fmt: skip

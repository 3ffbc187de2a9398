"""/groups: several patients with one practitioner at the same time, who joins and leaves, and how much each caller sees."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from holdfast.actor import Actor
from holdfast.api import appointment_view, lists, nouns
from holdfast.api.appointment_view import Appointment, Assignment, PlacedAppointment
from holdfast.api.appointments import REFUSED, Cancellation, seen, submitted, zone_of_dates
from holdfast.api.booking import (
    Acknowledging,
    Location,
    Minutes,
    Overlap,
    Tail,
    acknowledged,
    check_length,
    check_notes,
    reason_of,
)
from holdfast.api.dates import check_range
from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.lists import Paged
from holdfast.api.wire import Id, Instant
from holdfast.commands import groups
from holdfast.commands.gather import Need
from holdfast.commands.group import check_own
from holdfast.commands.groups import Moved, NewGroup, NewMember
from holdfast.commands.line_wish import LineWish
from holdfast.commands.reading import snapshot
from holdfast.commands.save import Document
from holdfast.commands.transition import Transition
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.slot import day_span, instant, moment
from holdfast.states import WITHOUT_CLAIMS

_SINCE, _UNTIL = instant("1971-01-01T00:00:00Z"), instant("9000-01-01T00:00:00Z")
NeedsAction = Literal["practitioner_absent", "room_closed", "clinic_closed", "below_minimum"]


class Member(Acknowledging, kw_only=True):
    """Who joins. Time, place, practitioner and service are the group's; `authorization_id`: as in a booking."""

    patient_id: Id
    authorization_id: Id | None = None
    caregiver_id: Id | None = None
    notes: str | None = None


class NewGroupBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is given, by whom, where and when, and who comes. No end: the service's duration. No room: one is chosen that
    holds `members_max`. `members_max`: as many people as the service is given to (8, where that is one) if it is not said;
    with fewer than `members_min` (2) the group needs action."""

    clinic_id: Id
    service_id: Id
    practitioner_id: Id
    start: Instant
    end: Instant | None = None
    duration_minutes: Minutes | None = None
    location: Location | None = None
    room_id: Id | None = None
    travel_before_minutes: Tail = 0
    members_min: Annotated[int, Meta(ge=0, le=groups.MOST)] | None = None
    members_max: Annotated[int, Meta(ge=1, le=groups.MOST)] | None = None
    allow_overlap: Overlap | None = None
    members: Annotated[list[Member], Meta(max_length=groups.MOST)] = []


class GroupChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Only what is given changes, for every member. A new start without an end keeps the length."""

    start: Instant | None = None
    end: Instant | None = None
    practitioner_id: Id | None = None
    room_id: Id | None = None
    allow_overlap: Overlap | None = None


class Leaving(Cancellation, kw_only=True):
    """Whose visit is cancelled: named by itself, or by its patient."""

    appointment_id: Id | None = None
    patient_id: Id | None = None


class Group(msgspec.Struct, kw_only=True):
    """A group's own time. What it is about is null where only "busy" may be seen."""

    id: str
    clinic_id: str
    service_id: str | None
    practitioner_id: str
    room_id: str | None
    location: str
    start: str
    end: str
    status: Literal["scheduled", "cancelled"]
    members_min: int | None
    members_max: int | None
    travel_before_minutes: int
    buffer_minutes: int
    turnover_minutes: int
    assignment: Assignment
    version: int
    created_at: str
    updated_at: str


class GroupStanding(Group, kw_only=True):
    """`members_count`: those who keep their place. `needs_action`: of a group that is not over; `below_minimum`: fewer than
    `members_min` come."""

    members_count: int | None
    needs_action: NeedsAction | None


class GroupWithMembers(GroupStanding, kw_only=True):
    """`members`: their visits, those that were cancelled too; of a change, those that changed with it."""

    members: list[Appointment]


class GroupMade(GroupStanding, kw_only=True):
    members: list[PlacedAppointment]


class GroupQuery(Paged, kw_only=True):
    """Dates are the clinic's, without a clinic the organization's, both inclusive. Cancelled groups only if asked for."""

    start_date: date | None = None
    end_date: date | None = None
    clinic_id: Id | None = None
    practitioner_id: Id | None = None
    with_cancelled: bool = False


def shown(actor: Actor, group: Document) -> Document | None:
    """A group, or an event's body that tells of one, as the actor may see it; None if it is left out. Who comes to it is not
    in it."""
    if actor.reach("appointments.read") == "all" or group["practitioner_id"] == actor.practitioner_id:
        return group
    if actor.role != "practitioner":
        return None
    hidden = ("service_id", "members_min", "members_max", "members_count", "needs_action")
    method = {"assignment": Assignment(method=group["assignment"]["method"])}
    return group | {name: None for name in hidden if name in group} | method


async def create(ask: Ask[NoFields, NewGroupBody]) -> Answer:
    body = ask.body
    check_length(body.end, body.duration_minutes, "")
    wanted = NewGroup(
        clinic_id=body.clinic_id, start=body.start, location=body.location, room_id=body.room_id,
        members_min=body.members_min, members_max=body.members_max, overlap_reason=reason_of(body.allow_overlap),
        line=LineWish(
            practitioner_id=body.practitioner_id, service_id=body.service_id, end=body.end,
            duration_minutes=body.duration_minutes, travel_before_minutes=body.travel_before_minutes,
        ),
        members=tuple([_member(ask, each, f"members[{n}].") for n, each in enumerate(body.members)]),
    )  # fmt: skip
    return Answer.of(await groups.create(ask.house, ask.asked, wanted, seen))


def _member(ask: Ask[Any, Any], member: Member, field: str) -> NewMember:
    try:
        check_notes(ask, member.notes)
    except Invalid as invalid:
        raise invalid.under(field) from None
    return NewMember(
        patient_id=member.patient_id, authorization_id=member.authorization_id, caregiver_id=member.caregiver_id,
        notes=member.notes, acknowledged=acknowledged(member),
    )  # fmt: skip


async def join(ask: Ask[NoFields, Member]) -> Answer:
    return Answer.of(await groups.join(ask.house, ask.asked, ask.id(), _member(ask, ask.body, ""), seen))


async def change(ask: Ask[NoFields, GroupChange]) -> Answer:
    body = ask.body
    wanted = Moved(
        start=body.start, end=body.end, practitioner_id=body.practitioner_id, room_id=body.room_id,
        overlap_reason=reason_of(body.allow_overlap),
    )  # fmt: skip
    return Answer.of(await groups.move(ask.house, ask.asked, ask.id(), wanted, seen))


async def cancel(ask: Ask[NoFields, Cancellation]) -> Answer:
    how = {name: getattr(ask.body, name) for name in Cancellation.__struct_fields__}
    return Answer.of(await groups.cancel(ask.house, ask.asked, ask.id(), how, seen))


async def leave_named(ask: Ask[NoFields, Leaving]) -> Answer:
    """By the body; by the path: `leave`."""
    rows, body = await _members(ask), ask.body
    if (body.appointment_id is None) == (body.patient_id is None):
        raise Invalid(FieldError("appointment_id", "invalid_value", "name the visit or its patient"))
    if body.appointment_id is not None:
        return await _left(ask, [row for row in rows if row["id"] == body.appointment_id], "appointment_id")
    return await _left(ask, [row for row in rows if row["patient_id"] == body.patient_id], "patient_id")


async def leave(ask: Ask[NoFields, Cancellation]) -> Answer:
    named = ask.id("appointment_id")
    return await _left(ask, [row for row in await _members(ask) if row["id"] == named], "appointment_id")


async def _left(ask: Ask[NoFields, Any], found: list[Any], field: str) -> Answer:
    """Cancels a member's visit as its own call does. Of several that a patient has had in the group, the one that stands."""
    if not found:
        raise NotFound(field)
    standing = [row for row in found if row["status"] not in WITHOUT_CLAIMS]
    how = {name: getattr(ask.body, name) for name in Cancellation.__struct_fields__}
    return await submitted(ask, Transition(id=(standing or found)[-1]["id"], call="cancel", **how))


async def _members(ask: Ask[Any, Any]) -> list[Any]:
    """Raises NotFound if there is no such group, Refused (forbidden) if it is another's."""
    organization, group_id = ask.actor.organization_id, ask.id()
    async with ask.house.database.reading(organization) as connection:
        row = await connection.fetchrow(statement("group_get"), organization, group_id)
        if row is None:
            raise NotFound("id")
        # not even that somebody is no member of it
        check_own(ask.actor, msgspec.json.decode(row["document"])["practitioner_id"])
        return list(await connection.fetch(statement("group_members"), organization, group_id))


async def get(ask: Ask[NoFields, Any]) -> Answer:
    organization, actor = ask.actor.organization_id, ask.actor
    async with snapshot(ask.house, organization) as reading:
        row = await reading.connection.fetchrow(statement("group_get"), organization, ask.id())
        if row is None:
            raise NotFound("id")
        rows = await reading.connection.fetch(statement("group_members"), organization, ask.id())
        found = await reading.gather(Need(visits={each["id"] for each in rows}))
    standing = {"members_count": row["members_count"], "needs_action": row["needs_action"]}
    group = shown(actor, msgspec.json.decode(row["document"]) | standing)
    if group is None:
        raise NotFound("id")
    visits = sorted(found.facts.appointments or (), key=lambda visit: visit.id)
    whole = [visit for visit in visits if appointment_view.sight(actor, visit) == "whole"]
    group["members"] = [appointment_view.of_visit(visit, found.directory) for visit in whole]
    return Answer(group, version=group["version"], seq=row["seq"])


async def listing(ask: Ask[GroupQuery, Any]) -> Answer:
    query, actor = ask.query, ask.actor
    first, last = query.start_date, query.end_date
    check_range(first, last, ask.house.settings.date_range_days_max)
    zone_name = await zone_of_dates(ask, query.clinic_id)
    if zone_name is None or actor.role == "patient":
        return Answer(lists.page(ask, query, [], 0))
    values = (
        moment(day_span(first, zone_name)[0] if first else _SINCE),
        moment(day_span(last, zone_name)[1] if last else _UNTIL),
        query.clinic_id,
        query.practitioner_id,
        query.with_cancelled,
    )

    def opened(stored: Document, _seal: Any) -> Document | None:
        return shown(actor, stored.pop("group") | stored)

    return await lists.opened(ask, opened, "groups_page", *values)


_ONE = "/api/v1/groups/{id}"
_REFUSED = (*REFUSED, "group_conflict", "time_conflict", "not_found")

ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "POST", "/api/v1/groups", create, "appointments.write", "Plan a group, with or without its first members",
        body=NewGroupBody, answer=GroupMade, status=201, refusals=_REFUSED, tag="groups",
    ),
    Route(
        "GET", "/api/v1/groups", listing, "appointments.read", "List groups", query=GroupQuery,
        answer=nouns.page_of(GroupStanding), tag="groups",
    ),
    Route("GET", _ONE, get, "appointments.read", "A group and its members", answer=GroupWithMembers, tag="groups"),
    Route(
        "PATCH", _ONE, change, "appointments.write", "Move a group with all its members: all or none", body=GroupChange,
        answer=GroupWithMembers, refusals=(*_REFUSED, "version_mismatch"), tag="groups",
    ),
    Route(
        "POST", f"{_ONE}/cancel", cancel, "appointments.write", "Cancel a group and its members' visits",
        body=Cancellation, body_optional=True, answer=GroupWithMembers,
        refusals=("group_conflict", "group_cancelled", "version_mismatch"), tag="groups",
    ),
    Route(
        "POST", f"{_ONE}/members", join, "appointments.write", "A patient joins a group: an appointment of their own",
        body=Member, answer=PlacedAppointment, status=201, refusals=_REFUSED, tag="groups",
    ),
    Route(
        "DELETE", f"{_ONE}/members", leave_named, "appointments.write", "A member leaves a group, named in the body",
        body=Leaving, answer=Appointment, refusals=("illegal_transition", "version_mismatch"), tag="groups",
    ),
    Route(
        "DELETE", f"{_ONE}/members/{{appointment_id}}", leave, "appointments.write",
        "A member leaves a group: that visit is cancelled", body=Cancellation, body_optional=True, answer=Appointment,
        refusals=("illegal_transition", "version_mismatch"), tag="groups",
    ),
)  # fmt: skip

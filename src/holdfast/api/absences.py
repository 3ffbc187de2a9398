"""`/clinics/{id}/closures`, `/rooms/{id}/closures` and `/practitioners/{id}/time-off`: recorded whatever is booked,
made longer or shorter, and removed.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from holdfast.api import lists, nouns
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.fields import Reason
from holdfast.api.lists import Paged
from holdfast.api.wire import Instant
from holdfast.commands import absences, save
from holdfast.commands.clinics import CLINIC
from holdfast.commands.practitioners import PRACTITIONER
from holdfast.commands.rooms import ROOM
from holdfast.commands.save import Noun
from holdfast.slot import instant, moment, rfc3339

Kind = Literal["sick", "holiday", "training", "other"]


class NewClosure(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    start: Instant
    end: Instant
    reason: Reason = ""


class NewTimeOff(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    start: Instant
    end: Instant
    kind: Kind = "other"


class ClosureChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Only what is given changes: a new start leaves the end where it is."""

    start: Instant | msgspec.UnsetType = msgspec.UNSET
    end: Instant | msgspec.UnsetType = msgspec.UNSET
    reason: Reason | msgspec.UnsetType = msgspec.UNSET


class TimeOffChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Only what is given changes: a new start leaves the end where it is."""

    start: Instant | msgspec.UnsetType = msgspec.UNSET
    end: Instant | msgspec.UnsetType = msgspec.UNSET
    kind: Kind | msgspec.UnsetType = msgspec.UNSET


class Affected(msgspec.Struct, kw_only=True):
    """What is in the way: a visit, which is flagged until someone deals with it, or a block, whose status is `block`."""

    kind: Literal["appointment", "block", "group"]
    id: str
    start: str
    end: str
    status: str


class Closure(msgspec.Struct, kw_only=True):
    id: str
    clinic_id: str
    room_id: str | None
    start: str
    end: str
    reason: str
    version: int
    created_at: str


class TimeOff(msgspec.Struct, kw_only=True):
    id: str
    practitioner_id: str
    start: str
    end: str
    kind: Kind
    version: int
    created_at: str


class RecordedClosure(Closure, kw_only=True):
    affected: list[Affected]


class RecordedTimeOff(TimeOff, kw_only=True):
    affected: list[Affected]


class SeenClosure(Closure, kw_only=True):
    """`affected` is null for whoever does not see every visit."""

    affected: list[Affected] | None


class SeenTimeOff(TimeOff, kw_only=True):
    """`affected` is null for whoever does not see every visit."""

    affected: list[Affected] | None


class AbsenceQuery(Paged, kw_only=True):
    ends_after: Annotated[Instant | None, Meta(description="Leaves out what is over by then.")] = None


async def close_clinic(ask: Ask[Any, NewClosure]) -> Answer:
    body = ask.body
    span = (int(body.start), int(body.end))
    return Answer.of(await absences.close_clinic(ask.house, ask.asked, ask.id(), span, body.reason))


async def close_room(ask: Ask[Any, NewClosure]) -> Answer:
    body = ask.body
    span = (int(body.start), int(body.end))
    return Answer.of(await absences.close_room(ask.house, ask.asked, ask.id(), span, body.reason))


async def take_time_off(ask: Ask[Any, NewTimeOff]) -> Answer:
    body = ask.body
    span = (int(body.start), int(body.end))
    return Answer.of(await absences.take_time_off(ask.house, ask.asked, ask.id(), span, body.kind))


async def _listed(ask: Ask[AbsenceQuery, Any], noun: Noun, name: str, *values: Any) -> Answer:
    """The absences of something that is there. Raises NotFound otherwise."""
    organization, after = ask.actor.organization_id, ask.query.ends_after
    async with ask.house.database.reading(organization) as connection:
        seal = await ask.house.seal(connection, organization)
        await save.read(connection, organization, noun, seal, ask.id())
        return await lists.on(ask, connection, name, *values, None if after is None else moment(after))


async def of_clinic(ask: Ask[AbsenceQuery, Any]) -> Answer:
    return await _listed(ask, CLINIC, "closures_page", ask.id(), None)


async def of_room(ask: Ask[AbsenceQuery, Any]) -> Answer:
    return await _listed(ask, ROOM, "closures_page", None, ask.id())


async def of_practitioner(ask: Ask[AbsenceQuery, Any]) -> Answer:
    return await _listed(ask, PRACTITIONER, "time_off_page", ask.id())


def _one(noun: Noun, parameter: str) -> tuple[nouns.Handler, nouns.Handler, nouns.Handler]:
    """Get, change and remove one absence of a clinic, room or practitioner."""

    async def get(ask: Ask[Any, Any]) -> Answer:
        organization = ask.actor.organization_id
        async with ask.house.database.reading(organization) as connection:
            seal = await ask.house.seal(connection, organization)
            of = await absences.whose(connection, organization, seal, noun, ask.id())
            found, seq = await absences.find(connection, organization, seal, of, ask.id(parameter))
            affected = None
            if ask.actor.reach("appointments.read") == "all":
                span = (instant(found["start"]), instant(found["end"]))
                affected = await absences.affected(connection, organization, of, span)
        return Answer(found | {"affected": affected}, version=found["version"], seq=seq)

    async def change(ask: Ask[Any, Any]) -> Answer:
        fields = save.given(ask.body)
        fields |= {name: rfc3339(fields[name]) for name in fields.keys() & {"start", "end"}}
        return Answer.of(
            await absences.alter(ask.house, ask.asked, noun, ask.id(), ask.id(parameter), fields)
        )

    async def remove(ask: Ask[Any, Any]) -> Answer:
        return Answer.of(await absences.remove(ask.house, ask.asked, noun, ask.id(), ask.id(parameter)))

    return get, change, remove


_CLOSURES: Final = (NewClosure, ClosureChange, RecordedClosure, SeenClosure, Closure)
_TIME_OFF: Final = (NewTimeOff, TimeOffChange, RecordedTimeOff, SeenTimeOff, TimeOff)


def _routes(
    path: str, noun: Noun, record: nouns.Handler, listing: nouns.Handler, shapes: tuple[type[msgspec.Struct], ...]
) -> tuple[Route[Any, Any], ...]:  # fmt: skip
    """`shapes`: the body, that of a change, the answer to both, to a get, and an item of the list."""
    new, altered, recorded, seen, item = shapes
    words, parameter = ("time off", "time_off_id") if item is TimeOff else ("closures", "closure_id")
    words = f"{words} of a {noun.name}"
    one = f"{path}/{{{parameter}}}"
    get, change, remove = _one(noun, parameter)
    return (
        Route(
            "POST", path, record, "places.write", f"Record {words}", body=new, answer=recorded, status=201,
            refusals=("not_found",), tag="places",
        ),
        Route(
            "GET", path, listing, "places.read", f"List {words}", query=AbsenceQuery, answer=nouns.page_of(item),
            tag="places",
        ),
        Route("GET", one, get, "places.read", f"Get one of the {words}", answer=seen, tag="places"),
        Route(
            "PATCH", one, change, "places.write", f"Lengthen, shorten or correct one of the {words}", body=altered,
            answer=recorded, refusals=("version_mismatch",), tag="places",
        ),
        Route(
            "DELETE", one, remove, "places.write", f"Remove one of the {words}; its time is given back", status=204,
            refusals=("version_mismatch",), tag="places",
        ),
    )  # fmt: skip


CLINIC_ROUTES = _routes("/api/v1/clinics/{id}/closures", CLINIC, close_clinic, of_clinic, _CLOSURES)
ROOM_ROUTES = _routes("/api/v1/rooms/{id}/closures", ROOM, close_room, of_room, _CLOSURES)
PRACTITIONER_ROUTES = _routes(
    "/api/v1/practitioners/{id}/time-off", PRACTITIONER, take_time_off, of_practitioner, _TIME_OFF
)

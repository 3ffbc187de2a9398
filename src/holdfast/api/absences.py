"""`/clinics/{id}/closures`, `/rooms/{id}/closures` and `/practitioners/{id}/time-off`: recorded whatever is booked."""

from typing import Annotated, Any, Literal

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
from holdfast.slot import moment

Kind = Literal["sick", "holiday", "training", "other"]


class NewClosure(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    start: Instant
    end: Instant
    reason: Reason = ""


class NewTimeOff(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    start: Instant
    end: Instant
    kind: Kind = "other"


class Affected(msgspec.Struct, kw_only=True):
    """A visit in the way, which now needs someone's decision."""

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
    created_at: str


class TimeOff(msgspec.Struct, kw_only=True):
    id: str
    practitioner_id: str
    start: str
    end: str
    kind: Kind
    created_at: str


class RecordedClosure(Closure, kw_only=True):
    affected: list[Affected]


class RecordedTimeOff(TimeOff, kw_only=True):
    affected: list[Affected]


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


def _routes(
    path: str, words: str, record: nouns.Handler, listing: nouns.Handler, *shapes: type[msgspec.Struct]
) -> tuple[Route[Any, Any], ...]:
    """`shapes`: the body, the answer to it, and an item of the list."""
    new, recorded, one = shapes
    return (
        Route(
            "POST", path, record, "places.write", f"Record {words}", body=new, answer=recorded, status=201,
            refusals=("not_found",), tag="places",
        ),
        Route(
            "GET", path, listing, "places.read", f"List {words}", query=AbsenceQuery, answer=nouns.page_of(one),
            tag="places",
        ),
    )  # fmt: skip


CLINIC_ROUTES = _routes(
    "/api/v1/clinics/{id}/closures", "closures of a clinic", close_clinic, of_clinic,
    NewClosure, RecordedClosure, Closure,
)  # fmt: skip
ROOM_ROUTES = _routes(
    "/api/v1/rooms/{id}/closures",
    "closures of a room",
    close_room,
    of_room,
    NewClosure,
    RecordedClosure,
    Closure,
)
PRACTITIONER_ROUTES = _routes(
    "/api/v1/practitioners/{id}/time-off", "time off of a practitioner", take_time_off, of_practitioner,
    NewTimeOff, RecordedTimeOff, TimeOff,
)  # fmt: skip

"""GET /calendar and its events: one clinic's time as one snapshot, and every change after it as it happens. What a
caller may not see of either is taken out here. Decides nothing, writes nothing.
"""

import secrets
from collections.abc import AsyncIterator
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Final, cast

import anyio
import msgspec
import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent

from holdfast.actor import Actor
from holdfast.api import appointment_view, blocks, groups
from holdfast.api.appointment_view import Appointment
from holdfast.api.blocks import Block
from holdfast.api.dates import check_range
from holdfast.api.door import Answer, Ask, Receive, Route, Scope, Send
from holdfast.api.groups import Group
from holdfast.api.problems import Problem
from holdfast.api.wire import Id
from holdfast.commands.blocks import BLOCK
from holdfast.commands.save import Document
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound
from holdfast.live.hub import Listener, Reset
from holdfast.live.replay import Event
from holdfast.rules.facts import Visit
from holdfast.slot import day_span, moment, rfc3339
from holdfast.vault import Seal

_SEQ_MAX: Final = 2**63 - 1
# Clients that lost a server come back spread over two seconds.
_RETRY_MILLISECONDS_MIN: Final = 1000
_RETRY_MILLISECONDS_SPREAD: Final = 2000
_FAREWELL_SECONDS: Final = 0.5

# Which permission, without limit to one's own, an event needs to be told; by the word before the dot.
_PERMISSIONS: Final = MappingProxyType({
    "block": "appointments.read",
    "group": "appointments.read",
    "hold": "appointments.read",
    "series": "appointments.read",
    "room_plan": "appointments.override",
    "session": "sessions.read",
    "authorization": "authorizations.read",
    "patient": "patients.read",
    "contact": "patients.read",
    "user": "users.read",
    "organization": "places.read",
    "clinic": "places.read",
    "room": "places.read",
    "practitioner": "places.read",
    "service": "places.read",
    "payer": "places.read",
    "closure": "places.read",
    "time_off": "places.read",
    "policy": "policies.read",
    "break_glass": "break_glass.read",
})  # fmt: skip

_log = structlog.get_logger("holdfast.api")


class CalendarQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Dates are the clinic's own, both inclusive."""

    clinic_id: Id
    start_date: date
    end_date: date


class Closure(msgspec.Struct):
    """`room_id` null: the whole clinic."""

    id: str
    clinic_id: str
    room_id: str | None
    start: str
    end: str
    reason: str | None


class TimeOff(msgspec.Struct):
    """`kind` is null for whoever need not know why a colleague is away."""

    id: str
    practitioner_id: str
    start: str
    end: str
    kind: str | None


class Calendar(msgspec.Struct):
    """One clinic's time, true at `as_of_seq`: the events after it lead to the next state."""

    as_of_seq: int
    appointments: list[Appointment]
    blocks: list[Block]
    groups: list[Group]
    closures: list[Closure]
    time_off: list[TimeOff]


class _StoredClosure(msgspec.Struct):
    id: str
    clinic_id: str
    room_id: str | None
    start: int
    end: int
    reason: str


class _StoredTimeOff(msgspec.Struct):
    id: str
    practitioner_id: str
    start: int
    end: int
    kind: str


class _Snapshot(msgspec.Struct):
    """What the SQL function `calendar` returns; knows the names of what it holds."""

    seq: int
    appointments: list[Visit]
    practitioners: dict[str, str]
    rooms: dict[str, str]
    services: dict[str, str]
    blocks: list[Document]
    groups: list[Document]
    closures: list[_StoredClosure]
    time_off: list[_StoredTimeOff]

    def practitioner_name(self, practitioner_id: str) -> str:
        return self.practitioners[practitioner_id]

    def room_number(self, room_id: str | None) -> str | None:
        return self.rooms.get(room_id or "")

    def service_code(self, service_id: str) -> str:
        return self.services[service_id]


_snapshot = msgspec.json.Decoder(_Snapshot)


async def calendar(ask: Ask[CalendarQuery, None]) -> Answer:
    query, actor = ask.query, ask.actor
    check_range(query.start_date, query.end_date, ask.house.settings.date_range_days_max)
    most = ask.house.settings.calendar_appointments_max
    snapshot, seal = await _read(ask, _patients_of(actor), most + 1)
    if len(snapshot.appointments) > most:
        raise Invalid(
            FieldError(
                "end_date", "too_many", f"more than {most} visits touch these dates; ask for fewer days"
            )
        )
    visits = [appointment_view.of_visit(visit, snapshot) for visit in snapshot.appointments]
    seen = [appointment_view.seen_by(actor, visit) for visit in visits]
    view = Calendar(
        as_of_seq=snapshot.seq,
        appointments=[visit for visit in seen if visit is not None],
        blocks=_blocks(actor, snapshot, seal),
        groups=_groups(actor, snapshot),
        closures=_closures(actor, snapshot),
        time_off=_time_off(actor, snapshot),
    )
    return Answer(view, seq=snapshot.seq)


async def _read(
    ask: Ask[CalendarQuery, None], patients: list[str] | None, most: int
) -> tuple[_Snapshot, Seal]:
    organization, query = ask.actor.organization_id, ask.query
    clinic = str(query.clinic_id)  # the driver takes no subclass
    async with ask.house.database.reading(organization) as connection:
        zone = await connection.fetchval(statement("calendar_clinic"), organization, clinic)
        if zone is None:
            raise NotFound("clinic_id")
        start, end = day_span(query.start_date, zone)[0], day_span(query.end_date, zone)[1]
        document = await connection.fetchval(
            statement("calendar"), organization, clinic, moment(start), moment(end), patients, most
        )
        seal = await ask.house.seal(connection, organization)
    return _snapshot.decode(document), seal


def _patients_of(actor: Actor) -> list[str] | None:
    """The only patients whose visits are read for the actor; None: all. The others' are not even counted."""
    if actor.role != "patient":
        return None
    return sorted({*actor.patient_ids, *([actor.patient_id] if actor.patient_id else [])})


def _blocks(actor: Actor, snapshot: _Snapshot, seal: Seal) -> list[Block]:
    seen = (blocks.seen(actor, BLOCK.shown(each, seal)) for each in snapshot.blocks)
    return [Block(**each) for each in seen if each is not None]


def _groups(actor: Actor, snapshot: _Snapshot) -> list[Group]:
    seen = (groups.shown(actor, each) for each in snapshot.groups)
    return [msgspec.convert(each, Group) for each in seen if each is not None]


def _closures(actor: Actor, snapshot: _Snapshot) -> list[Closure]:
    """That it is closed concerns everyone; why, those who may read places."""
    told = actor.reach("places.read") == "all"
    return [
        Closure(c.id, c.clinic_id, c.room_id, rfc3339(c.start), rfc3339(c.end), c.reason if told else None)
        for c in snapshot.closures
    ]


def _time_off(actor: Actor, snapshot: _Snapshot) -> list[TimeOff]:
    """Why someone is away may be an illness: it is for those who see every visit, and for oneself."""
    if actor.reach("places.read") != "all":
        return []
    whole = actor.reach("appointments.read") == "all"
    return [
        TimeOff(
            t.id, t.practitioner_id, rfc3339(t.start), rfc3339(t.end),
            t.kind if whole or t.practitioner_id == actor.practitioner_id else None,
        )
        for t in snapshot.time_off
    ]  # fmt: skip


class EventsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The last sequence that the caller knows; a Last-Event-ID that comes with it is newer and counts."""

    after_seq: Annotated[int, msgspec.Meta(ge=0, le=_SEQ_MAX)] | None = None


async def events(ask: Ask[EventsQuery, None]) -> Answer:
    after = _last_event_id(ask)
    if after is None:
        after = ask.query.after_seq
    listener = await ask.hub.listen(ask.actor.organization_id, after)
    return Answer(stream=_Stream(ask, listener, say_position=after is None))


def _last_event_id(ask: Ask[EventsQuery, None]) -> int | None:
    text = ask.headers.get(b"last-event-id", b"").decode("latin-1").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _SEQ_MAX):
        raise Invalid(FieldError("Last-Event-ID", "invalid_value", "must be the id of an event"))
    return int(text)


class _Stream:
    """One caller's stream: frames what its listener hears, for as long as its session is good."""

    def __init__(self, ask: Ask[EventsQuery, None], listener: Listener, *, say_position: bool) -> None:
        self._ask = ask
        self._actor = ask.actor
        self._listener = listener
        self._settings = ask.house.settings
        self._say_position = say_position
        self._client_id = self._settled = listener.position
        self._shutdown = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = EventSourceResponse(
            self._frames(),
            headers={"Cache-Control": "no-store", "X-Request-Id": self._ask.request_id,
                     "As-Of-Seq": str(self._listener.position)},
            sep="\n",
            ping=self._settings.live_heartbeat_seconds,
            ping_message_factory=self._heartbeat,
            send_timeout=self._settings.live_heartbeat_seconds,
            data_sender_callable=self._watch,
            shutdown_event=self._shutdown,
            shutdown_grace_period=_FAREWELL_SECONDS,
        )  # fmt: skip
        try:
            with anyio.CancelScope() as scope_of_stream:
                self._listener.on_drop = scope_of_stream.cancel
                await response(scope, receive, cast("Any", send))
            if scope_of_stream.cancelled_caught:
                # Ends the body properly if the client still reads; if it does not, the server cuts it off.
                with anyio.move_on_after(_FAREWELL_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:  # noqa: BLE001 - the answer has begun: nothing else can be said
            _log.info("stream_ended", request_id=self._ask.request_id, kind=type(error).__name__)
        finally:
            self._listener.close()

    async def _frames(self) -> AsyncIterator[bytes]:
        retry = _RETRY_MILLISECONDS_MIN + secrets.randbelow(_RETRY_MILLISECONDS_SPREAD)
        where = f"id: {self._settled}\n" if self._say_position else ""
        yield f": holdfast\nretry: {retry}\n{where}\n".encode()
        while (told := await self._listener.take()) is not None:
            if isinstance(told, Reset):
                last, frames = told.seq, [(told.seq, _reset(told.seq))]
            else:
                last, frames = told[-1].seq, [(event.seq, _frame(event, self._actor)) for event in told]
            shown = [(seq, frame) for seq, frame in frames if frame]
            if shown:
                yield b"".join([frame for _, frame in shown])
                self._client_id = shown[-1][0]
            self._settled = last

    def _heartbeat(self) -> ServerSentEvent:
        """A comment; and the place, if it has moved past events that were not for this caller: else a client that
        sees little of much would come back too old."""
        moved = self._settled > self._client_id
        if moved:
            self._client_id = self._settled
        return ServerSentEvent(comment="heartbeat", id=str(self._client_id) if moved else None, sep="\n")

    async def _watch(self) -> None:
        """Ends the stream when the server stops, or when whoever opened it may no longer read."""
        while True:
            with anyio.move_on_after(self._settings.session_recheck_seconds / 2):
                await self._shutdown.wait()
                break
            try:
                self._actor = await self._ask.authenticator.actor(self._ask.headers, "GET", in_use=False)
                if self._actor.reach("appointments.read") is None or self._actor.must_enrol_totp:
                    break
            except Exception as error:  # noqa: BLE001 - not known to be good is not good
                if not isinstance(error, Problem):
                    _log.warning("session_not_rechecked", kind=type(error).__name__)
                break
        self._listener.close()


def _reset(seq: int) -> bytes:
    return b'id: %d\nevent: reset\ndata: {"seq":%d}\n\n' % (seq, seq)


def _frame(event: Event, actor: Actor) -> bytes:
    """The event as the actor may see it, made once per event and sight; empty: not for the actor."""
    if event.kind.startswith("appointment."):
        return _appointment_frame(event, actor)
    if event.kind.startswith(("block.", "group.")) and actor.role == "practitioner":
        seen = blocks.seen if event.kind.startswith("block.") else groups.shown
        return _framed(event, msgspec.json.encode(seen(actor, msgspec.json.decode(event.body))))
    permission = _PERMISSIONS.get(event.kind.partition(".")[0])
    if permission is None or not _may_hear(event, actor, permission):
        return b""
    frame: bytes | None = event.rendered.get("body")
    if frame is None:
        frame = event.rendered["body"] = _framed(event, event.body.encode())
    return frame


def _may_hear(event: Event, actor: Actor, permission: str) -> bool:
    reach = actor.reach(permission)
    if reach == "own" and actor.role == "practitioner":
        whose: str | None = msgspec.json.decode(event.body).get("practitioner_id")
        return whose == actor.practitioner_id
    if reach == "own" and actor.role == "patient":
        return msgspec.json.decode(event.body).get("patient_id") in {actor.patient_id, *actor.patient_ids} - {
            None
        }
    return reach == "all"


def _appointment_frame(event: Event, actor: Actor) -> bytes:
    rendered = event.rendered
    if "appointment" not in rendered:
        try:
            rendered["appointment"] = appointment_view.of_event(event.body, event.patient, event)
        except (msgspec.MsgspecError, IndexError) as error:
            # A body of another shape is a defect; whoever looks anew loses nothing by it.
            _log.error("event_not_readable", seq=event.seq, kind=type(error).__name__)
            rendered["appointment"] = None
    appointment: Appointment | None = rendered["appointment"]
    if appointment is None:
        return _reset(event.seq)
    how = appointment_view.sight(actor, appointment)
    if how is None:
        return b""
    frame: bytes | None = rendered.get(how)
    if frame is None:
        shown = appointment_view.shown(appointment, how)
        frame = rendered[how] = _framed(event, msgspec.json.encode(shown))
    return frame


def _framed(event: Event, data: bytes) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.seq, event.kind.encode(), data)


ROUTES: Final = (
    Route(
        "GET", "/api/v1/calendar", calendar, "appointments.read",
        "One clinic's visits, closures and absences of some days, as one snapshot",
        query=CalendarQuery, answer=Calendar, refusals=("not_found",), tag="calendar",
    ),
    Route(
        "GET", "/api/v1/calendar/events", events, "appointments.read",
        "Every change as it happens, from a sequence on (server-sent events)",
        query=EventsQuery, tag="calendar", media_type="text/event-stream",
    ),
)  # fmt: skip

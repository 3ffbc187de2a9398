"""What the tests of live delivery use: servers on sockets, a reader of event streams, and visits that come to be."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import httpx2
import msgspec
import uvicorn
from api.people import Client, Organization

from holdfast import ids
from holdfast.actor import Actor, Answered, Asked
from holdfast.app import Application
from holdfast.commands import bodies
from holdfast.commands.change import Turn, change
from holdfast.commands.house import House
from holdfast.live.hub import Hub
from holdfast.rules.facts import Line, Visit
from holdfast.slot import rfc3339

HOUR = 3600
# A Monday, 09:00 in Phoenix.
MONDAY = 1_809_964_800


class Process(Application):
    """A server process's worth: its own pool, hub and lanes. Two of them on one database are two processes."""

    house: House

    @property
    def hub(self) -> Hub:
        assert self._door is not None
        return self._door._hub


def asking(process: Process) -> Client:
    """Makes clients over ASGI, `client(token)`; they cannot read streams."""

    def make(token: str = "", **headers: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(cast("Any", process))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx2.AsyncClient(transport=transport, base_url="http://holdfast.test", headers=headers)

    return make


@asynccontextmanager
async def served(process: Process) -> AsyncIterator[int]:
    """The process on a socket; gives the port. Its streams end with it."""
    server = uvicorn.Server(
        uvicorn.Config(process, port=0, lifespan="off", log_level="critical", timeout_graceful_shutdown=5)
    )
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        await process.hub.stop()
        server.should_exit = True
        await running


@dataclass
class Block:
    """One block of an event stream."""

    fields: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)

    @property
    def seq(self) -> int:
        return int(self.fields["id"])

    @property
    def kind(self) -> str:
        return self.fields["event"]

    @property
    def data(self) -> Any:
        return json.loads(self.fields["data"])


class Stream:
    """A reader of one event stream, over a plain socket so that two hundred of them cost little."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.status = 0
        self.ended_well = False
        self.headers: dict[str, str] = {}
        self._text = b""

    @classmethod
    async def open(
        cls,
        port: int,
        token: str,
        *,
        after: int | None = None,
        last_event_id: int | None = None,
        cookie: str = "",
    ) -> "Stream":
        """As whoever `token` is, or as the page whose `cookie` (name=value) is given instead."""
        stream = cls(*await asyncio.open_connection("127.0.0.1", port))
        query = "" if after is None else f"?after_seq={after}"
        lines = [f"GET /api/v1/calendar/events{query} HTTP/1.1", "Host: t"]
        lines.append(f"Cookie: {cookie}" if cookie else f"Authorization: Bearer {token}")
        if last_event_id is not None:
            lines.append(f"Last-Event-ID: {last_event_id}")
        stream._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await stream._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        stream.status = int(head[0].split()[1])
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            stream.headers[name.lower()] = value.strip()
        return stream

    async def block(self) -> Block | None:
        """The next block of any kind; None when the server ended the stream."""
        while b"\n\n" not in self._text:
            try:
                size = int(await self._reader.readuntil(b"\r\n"), 16)
                chunk = await self._reader.readexactly(size + 2)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            if size == 0:
                self.ended_well = True
                return None
            self._text += chunk[:-2]
        raw, _, self._text = self._text.partition(b"\n\n")
        block = Block()
        for line in raw.decode().split("\n"):
            name, _, value = line.partition(":")
            if name:
                block.fields[name] = value.removeprefix(" ")
            else:
                block.comments.append(value.strip())
        return block

    async def event(self, seconds: float = 5.0) -> Block | None:
        """The next event; None when the server ended the stream. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while (block := await self.block()) is not None:
                if "event" in block.fields:
                    return block
        return None

    async def events(self, count: int, seconds: float = 10.0) -> list[Block]:
        found = [await self.event(seconds) for _ in range(count)]
        assert all(found), "the stream ended early"
        return [event for event in found if event is not None]

    async def until(self, seq: int, seconds: float = 10.0) -> list[Block]:
        """Events up to and with a sequence number."""
        found: list[Block] = []
        while not found or found[-1].seq < seq:
            found += await self.events(1, seconds)
        return found

    async def silence(self, seconds: float = 0.3) -> None:
        try:
            event = await self.event(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"heard {event}")

    def close(self) -> None:
        self._writer.transport.abort()


@dataclass
class World:
    """An organization with a clinic, two practitioners, two patients; the second of each is called CANARY."""

    organization: Organization
    clinic: str
    room: str
    service: str
    practitioner: str
    other_practitioner: str
    patient: str
    other_patient: str

    def actor(self) -> Actor:
        return Actor(
            organization_id=self.organization.id, user_id=self.organization.user_ids["admin"], session_id=ids.new(),
            email="", role="admin",
        )  # fmt: skip


async def make_world(admin_url: str, organization: Organization) -> World:
    world = World(
        organization=organization, clinic=ids.new(), room=ids.new(), service=ids.new(),
        practitioner=organization.practitioner_id, other_practitioner=ids.new(),
        patient=organization.patient_id, other_patient=ids.new(),
    )  # fmt: skip
    connection = await asyncpg.connect(admin_url)
    try:
        await insert(connection, "clinics", world, id=world.clinic, name="North", time_zone="America/Phoenix")
        await insert(connection, "resources", world, id=world.room, kind="room")
        await insert(
            connection, "rooms", world, id=world.room, clinic_id=world.clinic, number="7", room_type="therapy"
        )
        await insert(
            connection, "services", world, id=world.service, name="CANARY care", code="CANARY97153",
            duration_minutes=60,
        )  # fmt: skip
        await insert(connection, "resources", world, id=world.other_practitioner, kind="practitioner")
        await insert(
            connection, "practitioners", world, id=world.other_practitioner, name="Another Therapist"
        )
        for practitioner in (world.practitioner, world.other_practitioner):
            await insert(
                connection,
                "practitioner_clinics",
                world,
                practitioner_id=practitioner,
                clinic_id=world.clinic,
            )
        await insert(connection, "resources", world, id=world.other_patient, kind="patient")
        await insert(
            connection, "patients", world, id=world.other_patient, given_name="CANARY", family_name="CANARY",
            search_name="canary canary",
        )  # fmt: skip
    finally:
        await connection.close()
    return world


async def insert(connection: Any, table: str, world: World, **values: Any) -> None:
    """A row with the table's own defaults for what is not given."""
    names = ", ".join(("organization_id", *values))
    row = json.dumps({"organization_id": world.organization.id, **values})
    await connection.execute(
        f"insert into {table} ({names}) select {names} from json_populate_record(null::{table}, $1)", row
    )


async def tell(process: Process, world: World, work: Callable[[Turn], Awaitable[None]]) -> None:
    """Runs work in a turn of the process and commits it."""

    async def answered(turn: Turn) -> Answered:
        await work(turn)
        return Answered(status=200, content=b"{}")

    asked = Asked(actor=world.actor(), request_id="test", deadline=asyncio.get_running_loop().time() + 10)
    await change(process.house, asked, answered)


def visit(world: World, *, own: bool = True, start: int = MONDAY, hours: int = 1, **more: Any) -> Visit:
    """A visit of the own practitioner and patient, or of the others."""
    return Visit(
        id=ids.new(), clinic_id=world.clinic, patient_id=world.patient if own else world.other_patient,
        room_id=world.room, location="on_site", start=start, end=start + hours * HOUR, status="scheduled",
        lines=[Line(
            1, world.practitioner if own else world.other_practitioner, world.service, start, start + hours * HOUR,
        )],
        **more,
    )  # fmt: skip


def appointment_row(visit: Visit) -> dict[str, Any]:
    """A visit as its table has it, without what is sealed or nobody here gives."""
    return {
        "id": visit.id, "clinic_id": visit.clinic_id, "patient_id": visit.patient_id, "room_id": visit.room_id,
        "location": visit.location, "starts_at": rfc3339(visit.start), "ends_at": rfc3339(visit.end),
        "status": visit.status, "needs_action": visit.needs_action, "pinned": visit.pinned,
        "turnover_minutes": visit.turnover_minutes, "assignment_method": visit.method,
        "policy_version": visit.policy_version, "score": visit.score, "rules_applied": visit.rules_applied,
        "cancelled_by": visit.cancelled_by, "cancel_reason_code": visit.cancel_reason_code,
        "cancelled_at": rfc3339(visit.cancelled_at) if visit.cancelled_at else None,
        "notice_minutes": visit.notice_minutes, "cancelled_late": visit.cancelled_late,
        "created_by": visit.created_by, "version": visit.version, "created_at": rfc3339(visit.created_at),
        "updated_at": rfc3339(visit.updated_at),
    }  # fmt: skip


def line_row(visit: Visit, line: Line) -> dict[str, Any]:
    given = {name: getattr(line, name) for name in line.__struct_fields__ if name not in ("start", "end")}
    return given | {
        "appointment_id": visit.id, "starts_at": rfc3339(line.start), "ends_at": rfc3339(line.end),
    }  # fmt: skip


async def book(process: Process, world: World, *visits: Visit) -> None:
    """All in one transaction, one event each."""

    async def work(turn: Turn) -> None:
        for each in visits:
            each.created_at = each.updated_at = turn.now
            await insert(turn.connection, "appointments", world, **appointment_row(each))
            for line in each.lines:
                await insert(turn.connection, "appointment_lines", world, **line_row(each, line))
            turn.tell("appointment.booked", bodies.visit_body(each))

    await tell(process, world, work)


async def alter(process: Process, world: World, kind: str, before: Visit, **changes: Any) -> Visit:
    """A changed visit (lines keep their practitioner, and follow the visit's time)."""
    after: Visit = msgspec.structs.replace(before, version=before.version + 1, **changes)
    after.lines = [msgspec.structs.replace(line, start=after.start, end=after.end) for line in after.lines]

    async def work(turn: Turn) -> None:
        after.updated_at = turn.now
        if after.status == "cancelled":
            after.cancelled_at = turn.now
        for table, key, row in (
            ("appointments", "id", appointment_row(after)),
            *(("appointment_lines", "appointment_id", line_row(after, line)) for line in after.lines),
        ):
            names = ", ".join(row)
            await turn.connection.execute(
                f"update {table} t set ({names}) = (select {names} from json_populate_record(null::{table}, $1))"
                f" where t.organization_id = $2 and t.{key} = $3",
                json.dumps(row), world.organization.id, after.id,
            )  # fmt: skip
        turn.tell(kind, bodies.visit_body(after))

    await tell(process, world, work)
    return after


async def stored_seq(connection: Any, world: World) -> int:
    """Where the organization stands, as this connection sees it."""
    statement = "select seq from turns where organization_id = $1"
    seq: int = await connection.fetchval(statement, world.organization.id)
    return seq


async def seq_of(process: Process, world: World) -> int:
    async with process.house.database.reading(world.organization.id) as connection:
        return await stored_seq(connection, world)

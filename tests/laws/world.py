"""A clinic group for the laws, made over HTTP by its admin, and how the laws look at what is stored."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from api.people import PASSWORD, password_hash
from laws.servers import Server
from laws.wire import Client, Reply

from holdfast import ids
from holdfast.commands.organizations import NewOrganization, create_organization
from holdfast.db.database import Database
from holdfast.proof import invariants
from holdfast.settings import Settings
from holdfast.vault import Vault

_WEEK = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(7)]


@dataclass
class World:
    """One organization, open day and night, at which everything is one seat wide."""

    settings: Settings
    servers: list[Server]
    organization: str
    user: str
    token: str
    clinic: str = ""
    service: str = ""
    funded_service: str = ""
    payer: str = ""
    rooms: Sequence[str] = ()
    practitioners: Sequence[str] = ()
    patients: Sequence[str] = ()

    def client(self, number: int = 0) -> Client:
        """A client of one of the servers, in turn."""
        return Client(self.servers[number % len(self.servers)].port, self.token)

    def booking(
        self, start: datetime, room: int | None = 0, practitioner: int = 0, patient: int = 0, **more: Any
    ) -> dict[str, Any]:
        given = {} if room is None else {"room_id": self.rooms[room]}
        return {
            "clinic_id": self.clinic, "patient_id": self.patients[patient],
            "practitioner_id": self.practitioners[practitioner], "service_id": self.service,
            "start": at(start), **given, **more,
        }  # fmt: skip

    async def authorization(self, patient: int, units: int) -> str:
        reply = await self.client().post("/authorizations", {
            "patient_id": self.patients[patient], "payer_id": self.payer, "service_codes": ["FUNDED"],
            "total_units": units, "start_date": "2020-01-01", "end_date": "2060-01-01",
        })  # fmt: skip
        assert reply.status == 201, reply.content
        return str(reply.body["id"])

    async def stored(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows as the owner sees them; $1 is the organization."""
        connection = await asyncpg.connect(self.settings.database_admin_url)
        try:
            return list(await connection.fetch(statement, self.organization, *arguments))
        finally:
            await connection.close()


def day(number: int) -> datetime:
    """Nine o'clock UTC of a day some weeks ahead: nobody's clock makes it the past."""
    now = datetime.now(UTC)
    return datetime(now.year, now.month, now.day, 9, tzinfo=UTC) + timedelta(days=14 + number)


def at(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def make_world(
    settings: Settings, servers: list[Server], *, rooms: int = 2, practitioners: int = 2, patients: int = 2
) -> World:
    """All ids of the servers' database are new; the servers must be starting or running."""
    database = Database(settings)
    await database.open()
    try:
        email = f"admin-{ids.new()}@laws.example"
        made = await create_organization(database, Vault(base64.b64decode(settings.secret_key)), NewOrganization(
            name="Laws", time_zone="UTC", admin_email=email, admin_password_hash=password_hash(),
            settings={"require_totp_for_admins": False},
        ))  # fmt: skip
    finally:
        await database.close()
    for server in servers:
        await server.answering()
    nobody = Client(servers[0].port)
    signed_in = await nobody.post("/auth/login", {"email": email, "password": PASSWORD})
    assert signed_in.status == 200, (signed_in.content, servers[0].log)
    world = World(settings, servers, made.organization_id, made.user_id, signed_in.body["access_token"])
    await _furnish(world, rooms, practitioners, patients)
    return world


async def _furnish(world: World, rooms: int, practitioners: int, patients: int) -> None:
    client = world.client()

    async def made(path: str, **fields: Any) -> str:
        reply = await client.post(path, fields)
        assert reply.status == 201, reply.content
        return str(reply.body["id"])

    async def several(count: int, path: str, fields: Callable[[int], dict[str, Any]]) -> list[str]:
        return [await made(path, **fields(number)) for number in range(count)]

    world.clinic = await made("/clinics", name="North", time_zone="UTC", opening_hours=_WEEK)
    world.service = await made("/services", name="Talk", code="TALK", duration_minutes=30)
    world.funded_service = await made(
        "/services", name="Funded", code="FUNDED", duration_minutes=30, authorization_required=True
    )
    world.payer = await made("/payers", name="Payer")
    world.rooms = await several(rooms, "/rooms", lambda n: {
        "clinic_id": world.clinic, "number": str(n), "room_type": "therapy", "cleaning_minutes": 10,
    })  # fmt: skip
    week = [each | {"clinic_id": world.clinic} for each in _WEEK]
    world.practitioners = await several(practitioners, "/practitioners", lambda n: {
        "name": f"Practitioner {n}", "working_hours": week, "buffer_minutes": 5 if n % 2 else 0,
    })  # fmt: skip
    world.patients = await several(patients, "/patients", lambda n: {
        "given_name": "Given", "family_name": f"Family {n}", "birth_date": "2015-05-05",
    })  # fmt: skip
    client.close()


async def crowd(world: World, size: int) -> list[Client]:
    """Connected clients, in turn on each server."""
    clients = [world.client(number) for number in range(size)]
    await asyncio.gather(*(client.connect() for client in clients))
    return clients


def statuses(replies: Sequence[Reply]) -> list[int]:
    return sorted(reply.status for reply in replies)


async def broken_invariants(settings: Settings) -> dict[str, list[invariants.Row]]:
    """Of every organization, seen as the server's plain role."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        found: dict[str, list[invariants.Row]] = {}
        for organization in await invariants.organizations(connection):
            found |= await invariants.broken(connection, organization)
        return found
    finally:
        await connection.close()


async def deadlocks(settings: Settings) -> int:
    """As the database server counts them; ended backends have reported theirs."""
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        await connection.execute("select pg_stat_force_next_flush()")
        statement = "select deadlocks from pg_stat_database where datname = current_database()"
        return int(await connection.fetchval(statement))
    finally:
        await connection.close()


def with_port(url: str, port: int) -> str:
    """The same database by another port: a proxy's."""
    head, _, tail = url.rpartition(":")
    return f"{head}:{port}/{tail.partition('/')[2]}"


def changed(settings: Settings, **values: Any) -> Settings:
    return msgspec.structs.replace(settings, **values)

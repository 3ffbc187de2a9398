"""A writer that goes past the API is stopped by storage; and what it does take, the server takes as taken."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from laws.conftest import Open
from laws.wire import together
from laws.world import World, crowd, day, make_world, statuses

from holdfast import ids
from holdfast.settings import Settings

_HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
async def psql(settings: Settings) -> AsyncIterator[Any]:
    """A session of the server's own plain role, with nothing of the server between."""
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


async def _as(connection: Any, world: World) -> None:
    await connection.execute(f"set local holdfast.organization_id = '{world.organization}'")


async def _claim(connection: Any, world: World, resource: str, start: datetime, end: datetime) -> None:
    """Time off, and its claim: what a careless script would write."""
    absence = ids.new()
    await connection.execute(
        "insert into time_off (organization_id, id, practitioner_id, starts_at, ends_at) values ($1, $2, $3, $4, $5)",
        world.organization, absence, resource, start, end,
    )  # fmt: skip
    await connection.execute(
        "insert into claims (organization_id, resource_id, seat, starts_at, ends_at, kind, time_off_id)"
        " values ($1, $2, 0, $4, $5, 'time_off', $3)",
        world.organization, resource, absence, start, end,
    )  # fmt: skip


async def test_taken_time_cannot_be_taken(open_world: Open, psql: Any) -> None:
    world = await open_world(1)
    await world.client().post("/appointments", world.booking(day(0)))
    # The same start on the same seat is already the same row.
    for offset, state in ((-29, "23P01"), (0, "23505"), (29, "23P01")):
        start = day(0) + timedelta(minutes=offset)
        await psql.execute("begin")
        await _as(psql, world)
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await _claim(psql, world, world.practitioners[0], start, start + _HALF_HOUR)
        await psql.execute("rollback")
        assert refused.value.sqlstate == state


async def test_units_cannot_be_overdrawn(open_world: Open, psql: Any) -> None:
    world = await open_world(1)
    authorization = await world.authorization(0, 4)
    for change in (
        "scheduled_units = 5",
        "used_units = 5",
        "used_units = 3, scheduled_units = 2",
        "manual_units = 1",
    ):
        await psql.execute("begin")
        await _as(psql, world)
        with pytest.raises(asyncpg.CheckViolationError):
            await psql.execute(f"update authorizations set {change} where id = $1", authorization)
        await psql.execute("rollback")


async def test_foreign_ids_are_refused_without_row_level_security(
    open_world: Open, settings: Settings
) -> None:
    """Each row of ours, copied with one id of a stranger's in the place of ours."""
    world = await open_world(1)
    stranger = await make_world(settings, world.servers)
    visit = (await world.client().post("/appointments", world.booking(day(0)))).body["id"]
    authorization = await world.authorization(0, 4)
    foreign = (await stranger.client().post("/appointments", stranger.booking(day(0)))).body["id"]
    foreign_authorization = await stranger.authorization(0, 4)
    owner = await asyncpg.connect(settings.database_admin_url)
    planted = (
        ("appointments", visit, {"clinic_id": stranger.clinic}),
        ("appointments", visit, {"patient_id": stranger.patients[0]}),
        ("appointments", visit, {"room_id": stranger.rooms[0]}),
        ("appointments", visit, {"replaces_appointment_id": foreign}),
        ("appointment_lines", visit, {"line_no": 2, "appointment_id": foreign}),
        ("appointment_lines", visit, {"line_no": 2, "practitioner_id": stranger.practitioners[0]}),
        ("appointment_lines", visit, {"line_no": 2, "service_id": stranger.service}),
        ("appointment_lines", visit, {"line_no": 2, "authorization_id": foreign_authorization}),
        ("authorizations", authorization, {"patient_id": stranger.patients[0]}),
        ("authorizations", authorization, {"payer_id": stranger.payer}),
        ("claims", visit, {"resource_id": stranger.rooms[0]}),
        ("claims", visit, {"appointment_id": foreign, "seat": 0, "resource_id": world.rooms[1]}),
        ("users", world.user, {"role": "patient", "patient_id": stranger.patients[0]}),
        ("rooms", world.rooms[0], {"clinic_id": stranger.clinic, "number": "9"}),
    )
    try:
        for table, key, change in planted:
            await owner.execute(
                f"alter table {table} no force row level security, disable row level security"
            )
            with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
                await _copied(owner, world, table, key, change)
            assert (refused.value.table_name or "").startswith(table)
            await owner.execute(f"alter table {table} enable row level security, force row level security")
    finally:
        await owner.close()


async def _copied(owner: Any, world: World, table: str, key: str, change: dict[str, Any]) -> None:
    """The row of `key`, written once more under a new id with something changed, by the server's own role."""
    column = "id" if table not in {"appointment_lines", "claims"} else "appointment_id"
    row = await owner.fetchval(
        f"select to_jsonb(t) from {table} t where organization_id = $1 and {column} = $2 limit 1",
        world.organization,
        key,
    )
    fresh = {"id": ids.new(), "email": f"{ids.new()}@laws.example"} if column == "id" else {}
    if table == "rooms":
        await owner.execute(
            "insert into resources (organization_id, id, kind) values ($1, $2, 'room')",
            world.organization,
            fresh["id"],
        )
    changed = ", ".join(f"'{name}', to_jsonb('{value}'::text)" for name, value in (fresh | change).items())
    columns = await owner.fetchval(
        "select string_agg(quote_ident(attname), ', ') from pg_attribute"
        " where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
        table,
    )
    async with owner.transaction():
        await owner.execute("set local role holdfast_server")
        await owner.execute(
            f"insert into {table} ({columns}) select {columns}"
            f" from jsonb_populate_record(null::{table}, $1 || jsonb_build_object({changed}))",
            row,
        )


@pytest.mark.parametrize("servers", [1, 2])
async def test_time_taken_past_the_server_is_a_refusal(open_world: Open, psql: Any, servers: int) -> None:
    """The server still has the day in memory as it was: its write meets the law, and it looks again."""
    world = await open_world(servers, rooms=6, practitioners=6, patients=6)
    clients = await crowd(world, 6)
    for number in range(5):
        start = day(number)
        await together(  # the day is known to every server
            c.post("/appointments", world.booking(start + timedelta(hours=5), n, n, n))
            for n, c in enumerate(clients)
        )
        async with psql.transaction():
            await _as(psql, world)
            await _claim(psql, world, world.practitioners[0], start, start + _HALF_HOUR)
        replies = await together(
            c.post("/appointments", world.booking(start, n, n, n)) for n, c in enumerate(clients)
        )
        assert [reply.status for reply in replies] == [409, 201, 201, 201, 201, 201], world.servers[0].log
        problem = replies[0].body
        assert "practitioner_conflict" in {reason["code"] for reason in problem["reasons"]}
        assert [each["kind"] for each in problem["conflicts"]] == ["practitioner"]
        assert problem["alternatives"]["slots"]


async def test_a_writer_that_is_not_done_is_waited_for(open_world: Open, psql: Any) -> None:
    """Its claim is not committed when the server writes: the server waits, and then sees what became of it."""
    world = await open_world(1)
    client = world.client()
    for number, ends in enumerate(("commit", "rollback")):
        writing = psql.transaction()
        await writing.start()
        await _as(psql, world)
        await _claim(psql, world, world.practitioners[0], day(number), day(number) + _HALF_HOUR)
        booked = asyncio.create_task(client.post("/appointments", world.booking(day(number))))
        while not booked.done() and not await world.stored(
            "select 1 from pg_locks where not granted and $1::uuid is not null"
        ):
            await asyncio.sleep(0.01)
        await getattr(writing, ends)()
        reply = await booked
        if ends == "commit":
            assert reply.status == 409
            assert "practitioner_conflict" in {reason["code"] for reason in reply.body["reasons"]}
        else:
            assert reply.status == 201
    other = await together(
        c.post("/appointments", world.booking(day(5), n, n, n)) for n, c in enumerate(await crowd(world, 2))
    )
    assert statuses(other) == [201, 201]

"""The index that keeps the law serves nothing else: a read that went through it could blind it (decision 0013)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from laws.conftest import Open
from laws.world import World, day

from holdfast import ids
from holdfast.settings import Settings

_FIVE = timedelta(minutes=5)
_READS = (
    "select * from claims where organization_id = $1",
    "select * from claims where organization_id = $1 and resource_id = $2",
    "select * from claims where organization_id = $1 and resource_id = $2 and seat = 0 and starts_at < now() and ends_at > now()",
    "select * from claims where resource_id = $2 and seat = 0 and organization_id = $1 and during && tstzrange(now(), null)",
)
_INSERT = """
  insert into claims (organization_id, resource_id, starts_at, ends_at, kind, time_off_id)
  select $1, $2, $4::timestamptz + g * interval '10 minutes', $4::timestamptz + g * interval '10 minutes' + interval '5 minutes',
         'time_off', $3
  from generate_series($5::integer, $6::integer) g"""


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[Any]:
    """Nothing but an index may be used."""
    connection = await asyncpg.connect(settings.database_admin_url)
    for name in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "memoize"):
        await connection.execute(f"set enable_{name} = off")
    yield connection
    await connection.close()


@pytest.mark.parametrize("statement", _READS)
async def test_no_read_finds_the_laws_index(owner: Any, statement: str) -> None:
    some = "00000000-0000-7000-8000-000000000000"
    text = statement.replace("$1", f"'{some}'").replace("$2", f"'{some}'")
    plan = "\n".join(row[0] for row in await owner.fetch(f"explain {text}"))
    assert "no_overlap" not in plan, plan


async def test_reading_while_writing_does_not_blind_the_law(open_world: Open, owner: Any) -> None:
    """Rows that are deleted at the end of an index of one page, and a statement that scans it again for every row that it
    adds before them, so that the page is split on the way."""
    world: World = await open_world(1)
    resource, absence, first = world.practitioners[0], ids.new(), day(0)
    await owner.execute(
        "insert into time_off (organization_id, id, practitioner_id, starts_at, ends_at) values ($1, $2, $3, $4, $5)",
        world.organization, absence, resource, first, first + timedelta(days=60),
    )  # fmt: skip
    try:
        given = (world.organization, resource, absence, first)
        await owner.execute(_INSERT, *given, 1001, 1060)
        await owner.execute(
            "delete from claims where organization_id = $1 and starts_at < $2::timestamptz + 1051 * interval '10 minutes'",
            world.organization, first,
        )  # fmt: skip
        looking = (
            " cross join lateral (select count(*) as n from claims c"
            " where c.organization_id = $1 and c.resource_id = $2 and c.starts_at <> $4::timestamptz + g * interval '1 day' offset 0) seen"
            " where seen.n >= 0"
        )
        await owner.execute(_INSERT + looking, *given, 1, 200)
        doubled = 0
        for number in (*range(1, 201), *range(1051, 1061)):
            start = first + number * 2 * _FIVE + timedelta(minutes=1)
            try:
                await owner.execute(
                    "insert into claims (organization_id, resource_id, starts_at, ends_at, kind, time_off_id)"
                    " values ($1, $2, $3, $4, 'time_off', $5)",
                    world.organization, resource, start, start + timedelta(minutes=1), absence,
                )  # fmt: skip
                doubled += 1
            except asyncpg.ExclusionViolationError:
                pass
        assert doubled == 0
    finally:
        await owner.execute("delete from claims where organization_id = $1", world.organization)
        await owner.execute("delete from time_off where organization_id = $1", world.organization)

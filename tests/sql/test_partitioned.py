"""Tables hash-partitioned by organization: the same schema, and one partition touched by one organization's query."""

import json
import re
from typing import Any

import asyncpg
import partitioned
import pytest

from holdfast.db.migrate import SQL_ROOT

ORGANIZATION = "01890a5d-ac96-774b-bcce-b302099a8057"

on_partitions = pytest.mark.partitioned


def test_every_tenant_table_is_declared_partitioned() -> None:
    for file in (SQL_ROOT / "tables").glob("*.sql"):
        before = file.read_text(encoding="utf-8")
        after = partitioned.partitioned_schema(before)
        tenants = set(re.findall(r"^create table (\w+)", before, re.MULTILINE)) - {"login_directory"}
        pieces = [
            piece for piece in after.split(";\n") if piece.endswith(" partition by hash (organization_id)")
        ]
        found = {name for piece in pieces for name in re.findall(r"^create table (\w+)", piece, re.MULTILINE)}
        assert found == tenants, file.name
        assert after.count("partition of") == partitioned.PARTITIONS * len(tenants)


def test_storage_settings_go_to_the_partitions() -> None:
    text = "create table things (\n  organization_id uuid not null\n) with (fillfactor = 20,\n  a = 1);\n"
    after = partitioned.partitioned_schema(text)
    assert "partition by hash (organization_id);" in after
    assert after.count(" with (fillfactor = 20,\n  a = 1);") == partitioned.PARTITIONS


def test_other_statements_stay_as_they_are() -> None:
    text = "create index a on b (c);\ncreate table login_directory (\n  organization_id uuid not null\n);\n"
    assert partitioned.partitioned_schema(text) == text


async def touched(connection: Any, query: str, *values: Any) -> set[str]:
    """Names of the partitions that a query reads when it runs."""
    plan = await connection.fetchval(f"explain (analyze, format json) {query}", *values)
    found: set[str] = set()
    steps = [json.loads(plan)[0]["Plan"]]
    while steps:
        step = steps.pop()
        if "Relation Name" in step and step["Node Type"] != "ModifyTable" and step["Actual Loops"]:
            found.add(step["Relation Name"])
        steps += step.get("Plans", [])
    return found


QUERIES = [
    "select * from claims where organization_id = $1 and resource_id = $1 and starts_at > now()",
    "select seq from turns where organization_id = $1 for no key update",
    "select * from events where organization_id = $1 and seq > 3",
    (
        "select a.id from appointments a join appointment_lines l on l.organization_id = a.organization_id"
        " and l.appointment_id = a.id where a.organization_id = $1 and l.organization_id = $1"
    ),
    "delete from claims where organization_id = $1 and resource_id = $1",
]


@on_partitions
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_one_organization_touches_one_partition(database: Any, query: str, plan: str) -> None:
    connection = await asyncpg.connect(database.server_url)
    async with connection.transaction():
        await connection.execute(f"set local holdfast.organization_id = '{ORGANIZATION}'")
        await connection.execute(f"set local plan_cache_mode = {plan}")
        found = await touched(connection, query, ORGANIZATION)
    await connection.close()
    tables = {re.sub(r"_p\d+$", "", name) for name in found}
    assert tables
    assert len(found) == len(tables), found


USED = """
    select relname from pg_stat_xact_user_tables
    where schemaname = 'holdfast_partitions' and coalesce(seq_scan, 0) + coalesce(idx_scan, 0) + n_tup_ins > 0
"""
EVENTS = "array[('clinic.created', '{}')::new_event]"
AUDIT = "array[(null, 'create', 'clinic', $1, '{}', '')::new_audit]"
NONE = "'{}'"
CALLS = [
    f"select keep($1, $1, 0, false, 0, {EVENTS}, {AUDIT}, {NONE})",
    f"select apply($1, $1, null, 0, 0, {', '.join([NONE] * 14)}, {EVENTS}, {AUDIT}, {NONE})",
    "select directory($1)",
    "select appointment_document($1, $1)",
    "select expiring_hold($1, $1)",
]


@on_partitions
@pytest.mark.parametrize("call", CALLS)
async def test_a_function_touches_one_partition_of_each_table(database: Any, call: str) -> None:
    connection = await asyncpg.connect(database.server_url)
    async with connection.transaction():
        await connection.execute(f"set local holdfast.organization_id = '{ORGANIZATION}'")
        await connection.execute(
            "insert into organizations (organization_id, name, time_zone, data_key) values ($1, 'A', 'UTC', '')",
            ORGANIZATION,
        )
        await connection.execute("insert into turns (organization_id) values ($1)", ORGANIZATION)
        await connection.fetchval(call, ORGANIZATION)
        found = [row["relname"] for row in await connection.fetch(USED)]
    await connection.close()
    tables = [re.sub(r"_p\d+$", "", name) for name in found]
    assert {"organizations", "turns"} <= set(tables)
    assert len(tables) == len(set(tables)), sorted(found)


@on_partitions
async def test_a_query_without_the_organization_touches_them_all(database: Any) -> None:
    connection = await asyncpg.connect(database.admin_url)
    found = await touched(connection, "select * from claims where starts_at > now()")
    await connection.close()
    assert len(found) == partitioned.PARTITIONS


@on_partitions
async def test_a_key_without_the_organization_is_refused_by_postgresql(database: Any) -> None:
    connection = await asyncpg.connect(database.admin_url)
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await connection.execute("alter table rooms add constraint rooms_x unique (id)")
    await connection.close()


@on_partitions
async def test_a_broken_constraint_says_its_name_with_a_suffix(database: Any) -> None:
    insert = (
        "insert into organizations (organization_id, name, time_zone, data_key) values ($1, 'A', 'UTC', '')"
    )
    connection = await asyncpg.connect(database.admin_url)
    await connection.execute(insert, ORGANIZATION)
    with pytest.raises(asyncpg.UniqueViolationError) as broken:
        await connection.execute(insert, ORGANIZATION)
    await connection.close()
    assert re.fullmatch(r"organizations_pkey_p\d", broken.value.constraint_name or "")


@on_partitions
async def test_a_partition_cannot_be_reached_past_its_policy(database: Any) -> None:
    connection = await asyncpg.connect(database.server_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("select * from holdfast_partitions.claims_p0")
    await connection.close()

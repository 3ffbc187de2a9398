"""Searching a name reads a range of an index as the service role with policies on, however many patients there are."""

import json
from typing import Any

import asyncpg
import pytest

from holdfast import ids
from holdfast.db.database import begin
from holdfast.db.statements import statement

BUFFERS_MAX = 600
FILLING = [
    "\ninsert into resources select $1::uuid, id, 'patient' from named",
    "\ninsert into patients (organization_id, id, given_name, family_name, search_name)\n  select $1::uuid, id, given, family, family || ' ' || given from named",
    "\ninsert into patient_search_terms\n  select $1::uuid, family || ' ' || given, id from named\n  union all select $1::uuid, given || ' ' || family, id from named\n",
]


async def fill(admin_url: str, organization: str, patients: int) -> None:
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"set holdfast.organization_id = '{organization}'")
    await connection.execute(
        "insert into organizations (organization_id, name, time_zone, data_key) values ($1, 'x', 'UTC', '')",
        organization,
    )
    await connection.execute("insert into turns (organization_id) values ($1)", organization)
    await connection.execute(
        "create temp table named as select gen_random_uuid() as id, md5(n::text) as given, md5((n * 7)::text) as family"
        f" from generate_series(1, {patients}) n"
    )
    for filling in FILLING:
        await connection.execute(filling, organization)
    if patients:
        await connection.execute("analyze")
    await connection.close()


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


@pytest.mark.parametrize("patients", [0, 200, 20_000])
async def test_search_reads_a_range(database: Any, patients: int) -> None:
    organization = ids.new()
    await fill(database.admin_url, organization, patients)
    connection = await asyncpg.connect(database.server_url)
    await connection.execute(begin("begin_writing", organization))
    explained = await connection.fetchval(
        "explain (analyze, buffers, format json) " + statement("patients_search_page"),
        organization, 0, 50, 10_001, None, None, None, "abc", "abc\U0010ffff",
    )  # fmt: skip
    await connection.close()
    plan = json.loads(explained)[0]["Plan"]
    terms = [node for node in nodes(plan) if node.get("Relation Name") == "patient_search_terms"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < BUFFERS_MAX
    if patients > 1000:
        assert all("abc" in node.get("Index Cond", "") for node in terms), terms

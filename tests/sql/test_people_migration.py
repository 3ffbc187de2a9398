"""What the people's migration makes of rows that are there: contacts can be claimed, patients carry what decides."""

import re
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sql.test_migrations import BASELINE, run

from holdfast import ids
from holdfast.db import migrate as m
from holdfast.proof import invariants

BEFORE = "0070"
ROWS = """
insert into organizations (organization_id, name, time_zone, data_key) values ('{organization}', 'O', 'UTC', '');
insert into turns (organization_id) values ('{organization}');
insert into resources (organization_id, id, kind) values ('{organization}', '{ana}', 'practitioner'), ('{organization}', '{pat}', 'patient'), ('{organization}', '{quin}', 'patient');
insert into practitioners (organization_id, id, name) values ('{organization}', '{ana}', 'Ana');
insert into patients (organization_id, id, given_name, family_name, search_name)
values ('{organization}', '{pat}', 'Pat', 'P', 'p pat'), ('{organization}', '{quin}', 'Quin', 'P', 'p quin');
insert into payers (organization_id, id, name) values ('{organization}', '{sun}', 'Sun');
insert into contacts (organization_id, id, name, search_name) values ('{organization}', '{rosa}', 'Rosa', 'rosa');
insert into coverages (organization_id, patient_id, position, payer_id, valid_from) values ('{organization}', '{pat}', 1, '{sun}', '2026-01-01');
insert into patient_practitioners (organization_id, patient_id, practitioner_id, preference) values ('{organization}', '{pat}', '{ana}', 'excluded');
insert into patient_availability (organization_id, patient_id, position, weekday, starts, ends)
values ('{organization}', '{pat}', 1, 0, '13:00', '24:00');
"""


@pytest.mark.unpartitioned
async def test_rows_of_before_are_as_if_saved_today(empty_database: Any, tmp_path: Path) -> None:
    url, root = empty_database.admin_url, tmp_path / "sql"
    (root / "migrations").mkdir(parents=True)
    for file in (m.SQL_ROOT / "migrations").glob("*.sql"):
        if file.name < BEFORE:
            shutil.copy(file, root / "migrations")
    grants = (m.SQL_ROOT / "grants.sql").read_text(encoding="utf-8")
    # What is taken away is of tables and functions that come later, too; the migration below runs all of it.
    (root / "grants.sql").write_text(re.sub(r"(?m)^(revoke|grant update)\b[^;]*;", "", grants))
    await m.migrated(url, BASELINE, root)
    made = {name: ids.new() for name in ("organization", "ana", "pat", "quin", "sun", "rosa")}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ROWS.format_map(made))
        assert (await run(url, m.SQL_ROOT)).applied[0].startswith(BEFORE)
        assert await invariants.broken(connection, made["organization"]) == {}
        rows = await connection.fetch(
            "select id::text, booking_constraints is null as is_free from patients order by given_name"
        )
        assert [tuple(row) for row in rows] == [(made["pat"], False), (made["quin"], True)]
        seat = "select resource_id::text, seat, kind from resource_seats"
        assert [tuple(row) for row in await connection.fetch(seat)] == [(made["rosa"], 0, "contact")]
        forced = await connection.fetchval(
            "select bool_and(relforcerowsecurity) from pg_class where relrowsecurity"
        )
        assert forced
    finally:
        await connection.close()

"""What the migration of counts makes of visits that are there: their units are counted, by the clinic's own date."""

import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sql.test_migrations import BASELINE, run

from holdfast import ids
from holdfast.db import migrate as m
from holdfast.proof.statements import statement

BEFORE = "0115"
ROWS = """
insert into organizations (organization_id, name, time_zone, data_key) values ('{organization}', 'O', 'UTC', '');
insert into turns (organization_id) values ('{organization}');
insert into clinics (organization_id, id, name, time_zone) values ('{organization}', '{clinic}', 'C', 'America/Phoenix');
insert into resources (organization_id, id, kind) values ('{organization}', '{ana}', 'practitioner'), ('{organization}', '{pat}', 'patient');
insert into practitioners (organization_id, id, name) values ('{organization}', '{ana}', 'Ana');
insert into patients (organization_id, id, given_name, family_name, search_name) values ('{organization}', '{pat}', 'Pat', 'P', 'p pat');
insert into payers (organization_id, id, name) values ('{organization}', '{sun}', 'Sun');
insert into services (organization_id, id, name, code, duration_minutes) values ('{organization}', '{service}', 'S', '97153', 60);
insert into authorizations (organization_id, id, patient_id, payer_id, service_codes, total_units, scheduled_units, used_units, start_date, end_date)
values ('{organization}', '{approved}', '{pat}', '{sun}', array['97153'], 40, 4, 3, '2026-01-01', '2026-12-31');
insert into appointments (organization_id, id, clinic_id, patient_id, location, starts_at, ends_at, status, created_at, updated_at)
values ('{organization}', '{visit}', '{clinic}', '{pat}', 'home', '2026-06-02 02:00Z', '2026-06-02 03:00Z', 'scheduled', now(), now());
insert into appointment_lines (organization_id, appointment_id, line_no, practitioner_id, service_id, starts_at, ends_at, authorization_id, units_reserved, units_used)
values ('{organization}', '{visit}', 1, '{ana}', '{service}', '2026-06-02 02:00Z', '2026-06-02 03:00Z', '{approved}', 4, null),
       ('{organization}', '{visit}', 2, '{ana}', '{service}', '2026-06-02 02:00Z', '2026-06-02 03:00Z', '{approved}', 0, 3),
       ('{organization}', '{visit}', 3, '{ana}', '{service}', '2026-06-02 02:00Z', '2026-06-02 03:00Z', null, 0, null);
"""


@pytest.mark.unpartitioned
async def test_what_visits_hold_is_counted(empty_database: Any, tmp_path: Path) -> None:
    url, root = empty_database.admin_url, tmp_path / "sql"
    (root / "migrations").mkdir(parents=True)
    for file in (m.SQL_ROOT / "migrations").glob("*.sql"):
        if file.name < BEFORE:
            shutil.copy(file, root / "migrations")
    grants = (m.SQL_ROOT / "grants.sql").read_text(encoding="utf-8")
    # What is taken away is of tables and functions that come later, too; the migration below runs all of it.
    (root / "grants.sql").write_text(re.sub(r"(?m)^(revoke|grant update)\b[^;]*;", "", grants))
    await m.migrated(url, BASELINE, root)
    names = ("organization", "clinic", "ana", "pat", "sun", "service", "approved", "visit")
    made = {name: ids.new() for name in names}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ROWS.format_map(made))
        assert (await run(url, m.SQL_ROOT)).applied[0].startswith(BEFORE)
        rows = await connection.fetch(
            "select patient_id::text, on_date, payer_id::text, code, units from unit_counts"
        )
        assert [tuple(row) for row in rows] == [(made["pat"], date(2026, 6, 1), made["sun"], "97153", 7)]
        assert await connection.fetch(statement("invariants/counts_equal_lines"), made["organization"]) == []
        forced = await connection.fetchval(
            "select bool_and(relforcerowsecurity) from pg_class where relrowsecurity"
        )
        assert forced
    finally:
        await connection.close()

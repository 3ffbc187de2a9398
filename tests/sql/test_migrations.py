"""A fresh schema equals a migrated one, and the runner refuses what it must."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from holdfast.db import migrate as m

# The tables as first released, frozen with the first migration; until then the tables are the baseline.
BASELINE = Path(__file__).parent / "baseline"

TABLES = "create table things (organization_id uuid not null, name text not null{more});\n"
UP = "-- migrate:up\nalter table things add column size integer not null default 0;\n-- migrate:down\nalter table things drop column size;\n"


def silent(_text: str) -> None:
    return


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small house: one table, one function, one grant."""
    for name in ("tables", "functions", "migrations"):
        (tmp_path / "sql" / name).mkdir(parents=True)
    root = tmp_path / "sql"
    (root / "tables" / "01_things.sql").write_text(TABLES.format(more=""))
    (root / "functions" / "one.sql").write_text(
        "create or replace function one() returns integer language sql as 'select 1';\n"
    )
    (root / "grants.sql").write_text("grant select on things to holdfast_service;\n")
    return root


async def run(url: str, root: Path) -> m.MigrationReport:
    return await m.migrate(url, "holdfast_server", "a password of the tests", silent, root=root)


async def fetch(url: str, query: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.unpartitioned
async def test_fresh_schema_equals_a_migrated_one(database: Any, empty_database: Any) -> None:
    baseline = BASELINE if BASELINE.exists() else m.SQL_ROOT / "tables"
    assert BASELINE.exists() or not m.migrations(), "freeze the first tables in tests/sql/baseline"
    await m.migrated(empty_database.admin_url, baseline)
    assert await m.snapshot(empty_database.admin_url) == await m.snapshot(database.admin_url)


async def test_a_planted_difference_shows_in_the_snapshot(database: Any, empty_database: Any) -> None:
    await m.fresh(empty_database.admin_url)
    await fetch(empty_database.admin_url, "alter table claims disable row level security")
    before = await m.snapshot(database.admin_url)
    assert before and before != await m.snapshot(empty_database.admin_url)


async def test_missing_migrations_are_applied_once(empty_database: Any, tree: Path) -> None:
    first = await run(empty_database.admin_url, tree)
    assert first.fresh
    (tree / "migrations" / "0001_size.sql").write_text(UP)
    (tree / "functions" / "one.sql").write_text(
        "create or replace function one() returns integer language sql as 'select 2';\n"
    )
    second = await run(empty_database.admin_url, tree)
    assert (second.fresh, second.applied, second.version) == (False, ("0001_size",), "0001")
    assert (await run(empty_database.admin_url, tree)).applied == ()
    assert await fetch(empty_database.admin_url, "select one()") == 2
    assert await fetch(empty_database.admin_url, "select count(size) from things") == 0


async def test_a_fresh_database_has_every_migration_marked(empty_database: Any, tree: Path) -> None:
    (tree / "migrations" / "0001_size.sql").write_text(UP)
    (tree / "tables" / "01_things.sql").write_text(TABLES.format(more=", size integer not null default 0"))
    assert (await run(empty_database.admin_url, tree)).fresh
    assert (await run(empty_database.admin_url, tree)).applied == ()


async def test_an_applied_migration_may_not_change(empty_database: Any, tree: Path) -> None:
    await run(empty_database.admin_url, tree)
    file = tree / "migrations" / "0001_size.sql"
    file.write_text(UP)
    await run(empty_database.admin_url, tree)
    file.write_text(UP.replace("integer", "bigint"))
    with pytest.raises(m.MigrationError, match="0001_size was changed"):
        await run(empty_database.admin_url, tree)


async def test_a_newer_database_is_refused(empty_database: Any, tree: Path) -> None:
    (tree / "migrations" / "0001_size.sql").write_text(UP)
    await run(empty_database.admin_url, tree)
    shutil.rmtree(tree / "migrations")
    with pytest.raises(m.MigrationError, match="newer"):
        await run(empty_database.admin_url, tree)


async def test_a_failing_migration_leaves_nothing(empty_database: Any, tree: Path) -> None:
    await run(empty_database.admin_url, tree)
    (tree / "migrations" / "0001_bad.sql").write_text(
        UP.replace("\n-- migrate:down", "\nselect 1/0;\n-- migrate:down")
    )
    with pytest.raises(m.MigrationError, match="0001_bad"):
        await run(empty_database.admin_url, tree)
    counted = "select count(*) from information_schema.columns where table_name = 'things'"
    assert await fetch(empty_database.admin_url, counted) == 2


async def test_many_at_once_apply_each_once(empty_database: Any, tree: Path) -> None:
    (tree / "migrations" / "0001_size.sql").write_text(UP)
    await run(empty_database.admin_url, tree)
    (tree / "migrations" / "0002_more.sql").write_text(UP.replace("size", "weight"))
    reports = await asyncio.gather(*(run(empty_database.admin_url, tree) for _ in range(5)))
    assert sorted(len(report.applied) for report in reports) == [0, 0, 0, 0, 1]


async def test_a_privileged_server_role_is_refused(empty_database: Any, tree: Path) -> None:
    with pytest.raises(m.MigrationError, match="superuser"):
        await m.migrate(empty_database.admin_url, "holdfast_owner", None, silent, root=tree)
    with pytest.raises(m.MigrationError, match="does not exist"):
        await m.migrate(empty_database.admin_url, "nobody_of_that_name", None, silent, root=tree)


async def test_the_server_role_is_plain_and_bounded(database: Any) -> None:
    assert (
        await fetch(
            database.server_url,
            "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user",
        )
        is False
    )
    assert (
        await fetch(
            database.server_url, "select count(*) from pg_class where relowner = current_user::regrole"
        )
        == 0
    )
    for name, value in (
        ("transaction_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "1s"),
        ("lock_timeout", "2s"),
        ("statement_timeout", "3s"),
        ("search_path", "public"),
        ("default_transaction_isolation", "read committed"),
    ):
        assert await fetch(database.server_url, f"show {name}") == value


async def test_migrate_under_an_open_reader_gives_up_and_says_so(
    empty_database: Any, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(m, "_LOCK_TIMEOUT_MS", 50)
    monkeypatch.setattr(m, "_ATTEMPTS_MAX", 2)
    await run(empty_database.admin_url, tree)
    (tree / "migrations" / "0001_size.sql").write_text(UP)
    reader = await asyncpg.connect(empty_database.admin_url)
    async with reader.transaction():
        await reader.fetch("select * from things")
        with pytest.raises(m.MigrationError, match="busy"):
            await run(empty_database.admin_url, tree)
    await reader.close()
    assert (await run(empty_database.admin_url, tree)).applied == ("0001_size",)


def test_misnamed_files_are_refused(tree: Path) -> None:
    (tree / "migrations" / "first.sql").write_text(UP)
    with pytest.raises(m.MigrationError, match="first.sql"):
        m.migrations(tree)

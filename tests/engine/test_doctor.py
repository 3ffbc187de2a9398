"""The doctor sees what could lose a booking or mix organizations up, and says what to do."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest

from holdfast.db import doctor
from holdfast.settings import Settings

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for one in statements:
            await connection.execute(one)
    finally:
        await connection.close()


async def durability(url: str) -> list[doctor.Problem]:
    connection = await asyncpg.connect(url)
    try:
        return await doctor.durability_problems(connection)
    finally:
        await connection.close()


async def test_a_healthy_database_has_no_problem(database: Any, settings: Settings) -> None:
    assert await doctor.database_problems(database.server_url, settings) == []


@pytest.mark.parametrize(
    "scope", ["database {name}", "role {role} in database {name}"], ids=["per database", "per role"]
)
async def test_weak_commits_are_seen_wherever_they_are_set(database: Any, scope: str) -> None:
    where = scope.format(name=database.name, role="holdfast_server")
    # A session from before the change is still sound itself, but the next one would not be.
    connection = await asyncpg.connect(database.server_url)
    await execute(database.admin_url, f"alter {where} set synchronous_commit = off")
    before = await doctor.durability_problems(connection)
    await connection.close()
    after = await durability(database.server_url)
    assert [problem.code for problem in before] == ["weak_durability"]
    assert len(after) == 2
    assert all(problem.grave for problem in before + after)
    assert f"alter {where} reset synchronous_commit" in before[0].remedy


@pytest.mark.parametrize(
    ("value", "standbys", "weak"),
    [
        ("on", "", False),
        ("off", "", True),
        ("local", "", False),
        ("local", "a", True),
        ("remote_write", "a", True),
    ],
)
def test_local_commits_are_weak_only_with_standbys(value: str, standbys: str, weak: bool) -> None:
    facts = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": value, "standbys": standbys}
    assert bool(list(doctor._weak_settings(facts))) is weak


def test_fsync_and_full_pages_are_checked() -> None:
    facts = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on", "standbys": ""}
    assert len(list(doctor._weak_settings(facts))) == 2


async def test_a_role_above_the_law_is_refused(database: Any, settings: Settings) -> None:
    found = await doctor.database_problems(database.admin_url, settings)
    assert {problem.code for problem in found} == {"wrong_role"}
    assert any("superuser" in problem.sentence for problem in found)
    assert any("owns tables" in problem.sentence for problem in found)


async def test_a_database_without_schema_is_named(empty_database: Any, settings: Settings) -> None:
    found = {problem.code for problem in await doctor.database_problems(empty_database.server_url, settings)}
    assert found == {"missing_extension", "not_migrated"}


async def test_an_unreachable_database_is_said_plainly(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"postgresql://a:b@127.0.0.1:{taken.getsockname()[1]}/c"
        found = await doctor.database_problems(url, settings)
    assert [problem.code for problem in found] == ["unreachable"]


async def test_an_old_engine_is_named() -> None:
    class Old:
        async def fetchrow(self, _query: str) -> dict[str, Any]:
            return {"version_num": 170_002, "version": "17.2", "has_btree_gist": True, "can_btree_gist": True}

        async def fetchval(self, _query: str) -> bool:
            return False

    found = await doctor.schema_problems(Old())
    assert [problem.code for problem in found] == ["engine_version", "not_migrated"]


def test_a_taken_port_and_a_full_disk_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = doctor.port_problems("127.0.0.1", taken.getsockname()[1])
    assert [problem.code for problem in found] == ["port_taken"]
    assert "by process" in found[0].sentence
    assert doctor.disk_problems(tmp_path) == []
    monkeypatch.setattr(doctor, "_FREE_BYTES_MIN", 1 << 60)
    assert [problem.code for problem in doctor.disk_problems(tmp_path)] == ["disk_nearly_full"]


@pytest.fixture
def pooled(database: Any, tmp_path: Path) -> Iterator[str]:
    """The database behind PgBouncer in transaction mode, without prepared statements."""
    if PGBOUNCER is None:
        pytest.skip("PgBouncer is not installed here")
    server = urlsplit(database.server_url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(f"/tmp/holdfast-pooler-{port}")  # noqa: S108
    folder.mkdir()
    folder.chmod(0o777)
    password = unquote(server.password)
    (folder / "users.txt").write_text(f'"{server.username}" "{password}"\n')
    (folder / "pool.ini").write_text(
        f"[databases]\n{database.name} = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = scram-sha-256\nauth_file = {folder}/users.txt\npool_mode = transaction\n"
        f"unix_socket_dir =\nmax_prepared_statements = 0\n"
    )
    yield from _run_pooler(folder, server, port, database.name)


def _run_pooler(folder: Path, server: Any, port: int, name: str) -> Iterator[str]:
    if (
        "1.18"
        in subprocess.run([str(PGBOUNCER), "--version"], capture_output=True, text=True, check=False).stdout
    ):
        ini = folder / "pool.ini"
        ini.write_text(ini.read_text().replace("max_prepared_statements = 0\n", ""))
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [str(PGBOUNCER), *as_nobody, str(folder / "pool.ini")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        asyncio.run(asyncio.sleep(0.05))
    yield f"postgresql://{server.username}:{server.password}@127.0.0.1:{port}/{name}"
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


async def test_an_old_pooler_is_found_out(pooled: str, settings: Settings) -> None:
    assert [problem.code for problem in await doctor.pooler_problems(pooled, "none")] == ["old_pooler"]
    assert await doctor.pooler_problems(pooled, "transaction") == []
    assert settings.database_pooler == "none"

"""One embedded engine for a whole test run, and a database of its own for every test that asks.

The engine is the product's own: every xdist worker enters it as a sharer, the first starts it and the
last stops it. Its home is private to the run. Tests about durability or about the engine itself make
their own home; this one may lie in memory, where a database costs 15 ms instead of 110.
"""

import asyncio
import base64
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import argon2
import asyncpg
import partitioned
import psutil
import pytest

from holdfast.commands import passwords
from holdfast.db import engine as embedded
from holdfast.db.migrate import SQL_ROOT, migrate
from holdfast.db.private_files import locked
from holdfast.settings import Settings

_HOME = "TESTS_ENGINE_HOME"
_TEMPLATE = "holdfast_template"
_SERVER_ROLE = "holdfast_server"
_SERVER_PASSWORD = "a password of the tests"
_MEMORY_BYTES_MIN = 3 << 30
_PREFIX = "holdfast-tests-"
_PRODUCTS_HASHER = passwords._HASHER
# A hash says what it costs: servers in processes of their own check these as cheaply.
_CHEAP_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Database:
    """A migrated, empty database of one test."""

    name: str
    admin_url: str
    server_url: str


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    parent = _parent()
    _clear_dead_runs(parent)
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    # As root the engine's account passes through; everything inside is closed one by one.
    home.chmod(0o711)
    os.environ[_HOME] = str(home)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """HOLDFAST_TEST_PARTITIONED=1 runs on hash-partitioned tables, and without it on plain ones; a test may say that it is
    about one kind, and is not among those of the other."""
    about_others = "unpartitioned" if partitioned.wanted() else "partitioned"
    left_out = [item for item in items if item.get_closest_marker(about_others)]
    if left_out:
        left = set(left_out)
        items[:] = [item for item in items if item not in left]
        left_out[0].config.hook.pytest_deselected(items=left_out)


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or _HOME not in os.environ:
        return
    _discard(Path(os.environ.pop(_HOME)))


def _parent() -> Path:
    memory = Path("/dev/shm")  # noqa: S108
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _MEMORY_BYTES_MIN:
        return memory
    return Path(tempfile.gettempdir())


def _clear_dead_runs(parent: Path) -> None:
    """A run that was killed could not tidy up: its engine still runs."""
    for home in parent.glob(f"{_PREFIX}*"):
        pid = home.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)) and os.access(home, os.W_OK):
            _discard(home)


def _discard(home: Path) -> None:
    if (home / "data" / "postmaster.pid").exists():
        with embedded.running(home, _silent):
            pass  # adopt what a killed worker left, so that leaving stops it
    shutil.rmtree(home, ignore_errors=True)


def _silent(_text: str) -> None:
    return


class _Aside:
    """An event loop in a thread: fixtures stay synchronous and never meet the test's own loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[embedded.Engine]:
    """The run's engine; use `database` unless the test is about the server as a whole."""
    with embedded.running(Path(os.environ[_HOME]), _silent) as running:
        yield running


@pytest.fixture(scope="session")
def _admin(engine: embedded.Engine) -> Iterator[tuple[_Aside, Any]]:
    """This worker's connection for making databases, with the template ready."""
    aside = _Aside()
    url = engine.url_for(embedded.OWNER, engine.password, "postgres")
    connection = aside.run(asyncpg.connect(url))
    with locked(engine.home / "template.lock", _silent):
        aside.run(_make_template(engine, connection))
    yield aside, connection
    aside.run(connection.close())
    aside.close()


async def _make_template(engine: embedded.Engine, connection: Any) -> None:
    if await connection.fetchval("select exists (select from pg_database where datname = $1)", _TEMPLATE):
        return
    # Memory is dearer than checkpoints here.
    await connection.execute("alter system set max_wal_size = '256MB'")
    await connection.execute("select pg_reload_conf()")
    building = f"{_TEMPLATE}_building"
    await connection.execute(f"drop database if exists {building}")
    await connection.execute(f"create database {building}")
    url = engine.url_for(embedded.OWNER, engine.password, building)
    root = partitioned.partitioned_root(engine.home) if partitioned.wanted() else SQL_ROOT
    await migrate(url, _SERVER_ROLE, _SERVER_PASSWORD, _silent, root=root)
    # Only a finished one carries the name: a worker that dies here leaves nothing half-made.
    await connection.execute(f"alter database {building} rename to {_TEMPLATE}")


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hashing is slow on purpose, and every test signs six people in: it was a third of the whole run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", _CHEAP_HASHER)
        yield


@pytest.fixture
def products_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as the product does it, for tests about the hashes themselves."""
    monkeypatch.setattr(passwords, "_HASHER", _PRODUCTS_HASHER)


_numbers = itertools.count(1)


def _named(engine: embedded.Engine, name: str) -> Database:
    return Database(
        name,
        engine.url_for(embedded.OWNER, engine.password, name),
        engine.url_for(_SERVER_ROLE, _SERVER_PASSWORD, name),
    )


@pytest.fixture
def database(engine: embedded.Engine, _admin: tuple[_Aside, Any]) -> Iterator[Database]:
    """A migrated database of this test's own, dropped afterwards."""
    aside, connection = _admin
    name = f"test_{os.getpid()}_{next(_numbers)}"
    # file_copy: 12 ms in memory against wal_log's 95; on a disk 108 against 119 with the drop.
    aside.run(connection.execute(f"create database {name} template {_TEMPLATE} strategy file_copy"))
    yield _named(engine, name)
    aside.run(connection.execute(f"drop database {name} with (force)"))


@pytest.fixture
def empty_database(engine: embedded.Engine, _admin: tuple[_Aside, Any]) -> Iterator[Database]:
    """A database without any schema, for tests of migrations."""
    aside, connection = _admin
    name = f"empty_{os.getpid()}_{next(_numbers)}"
    aside.run(connection.execute(f"create database {name} strategy file_copy"))
    yield _named(engine, name)
    aside.run(connection.execute(f"drop database {name} with (force)"))


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Settings of a server on this test's database."""
    return Settings(
        database_url=database.server_url,
        database_admin_url=database.admin_url,
        secret_key=base64.b64encode(b"32 bytes that only the tests use").decode(),
        home=str(tmp_path),
    )

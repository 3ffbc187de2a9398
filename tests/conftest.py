"""One embedded engine for a whole test run, and a database of its own for every test that asks.

The engine is the product's own: every xdist worker enters it as a sharer, the first starts it and the
last stops it. Its home is private to the run. Tests about durability or about the engine itself make
their own home; this one may lie in memory, where a database costs 15 ms instead of 110.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import argon2
import partitioned
import psutil
import pytest
from databases import TEMPLATE, Database, Databases, settings_of

from holdfast.commands import passwords
from holdfast.db import engine as embedded
from holdfast.settings import Settings

_HOME = "TESTS_ENGINE_HOME"
_MEMORY_BYTES_MIN = 3 << 30
_PREFIX = "holdfast-tests-"
_PRODUCTS_HASHER = passwords._HASHER
# A hash says what it costs: servers in processes of their own check these as cheaply.
_CHEAP_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """What is held against absolute limits runs alone, however many `addopts` asks for."""
    if config.option.markexpr == "performance":
        config.option.numprocesses = 0


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


@pytest.fixture(scope="session")
def engine() -> Iterator[embedded.Engine]:
    """The run's engine; use `database` unless the test is about the server as a whole."""
    with embedded.running(Path(os.environ[_HOME]), _silent) as running:
        yield running


@pytest.fixture(scope="session")
def databases(engine: embedded.Engine) -> Iterator[Databases]:
    """Makes databases on the run's engine, the template ready."""
    databases = Databases(engine)
    databases.make_template()
    yield databases
    databases.close()


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


@pytest.fixture
def template() -> str:
    """What `database` is a copy of; a folder of tests may have one in which more stands already."""
    return TEMPLATE


@pytest.fixture
def database(databases: Databases, template: str) -> Iterator[Database]:
    """A migrated database of this test's own, dropped afterwards."""
    with databases.made(template) as database:
        yield database


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[Database]:
    """A database without any schema, for tests of migrations."""
    with databases.made() as database:
        yield database


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """Settings of a server on this test's database."""
    return settings_of(database, tmp_path)

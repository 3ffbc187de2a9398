"""Databases of a run on its engine: the migrated template, what is furnished once, and a copy for every test that asks."""

import asyncio
import base64
import itertools
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import partitioned

from holdfast.db import engine as embedded
from holdfast.db.migrate import SQL_ROOT, migrate
from holdfast.db.private_files import locked
from holdfast.settings import Settings

TEMPLATE = "holdfast_template"
_SERVER_ROLE = "holdfast_server"
_SERVER_PASSWORD = "a password of the tests"
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Database:
    """A migrated database of one test."""

    name: str
    admin_url: str
    server_url: str


def settings_of(database: Database, home: Path) -> Settings:
    """Settings of a server on this database; all have the same key, so what one has sealed and signed all can read."""
    return Settings(
        database_url=database.server_url,
        database_admin_url=database.admin_url,
        secret_key=base64.b64encode(b"32 bytes that only the tests use").decode(),
        home=str(home),
    )


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


class Databases:
    """This worker's connection for making databases."""

    def __init__(self, engine: embedded.Engine) -> None:
        self._engine = engine
        self._aside = _Aside()
        self._numbers = itertools.count(1)
        url = engine.url_for(embedded.OWNER, engine.password, "postgres")
        self._connection = self._aside.run(asyncpg.connect(url))

    def close(self) -> None:
        self._aside.run(self._connection.close())
        self._aside.close()

    def _execute(self, statement: str) -> None:
        self._aside.run(self._connection.execute(statement))

    def _named(self, name: str) -> Database:
        return Database(
            name,
            self._engine.url_for(embedded.OWNER, self._engine.password, name),
            self._engine.url_for(_SERVER_ROLE, _SERVER_PASSWORD, name),
        )

    @contextmanager
    def made(self, template: str = "") -> Iterator[Database]:
        """A database that is dropped afterwards: a copy of the template, or empty."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        copying = f"template {template}" if template else ""
        # file_copy: 12 ms in memory against wal_log's 95; on a disk 108 against 119 with the drop.
        self._execute(f"create database {name} {copying} strategy file_copy")
        yield self._named(name)
        self._execute(f"drop database {name} with (force)")

    def once(self, name: str, template: str, furnish: Callable[[Database], Coroutine[Any, Any, str]]) -> str:
        """What `furnish` answered about the database of this name, which the first worker that asks makes from the
        template; nobody may be connected to it when `furnish` ends."""
        told = self._engine.home / f"{name}.told"
        with locked(self._engine.home / "template.lock", lambda _text: None):
            if not told.exists():
                building = f"{name}_building"
                for left in (building, name):  # by a worker that died on the way
                    self._execute(f"drop database if exists {left}")
                copying = f"template {template} strategy file_copy" if template else ""
                self._execute(f"create database {building} {copying}")
                with ThreadPoolExecutor(1) as aside:
                    answer = aside.submit(asyncio.run, furnish(self._named(building))).result()
                self._execute(f"alter database {building} rename to {name}")
                told.write_text(answer, encoding="utf-8")
            return told.read_text(encoding="utf-8")

    def make_template(self) -> None:
        # Memory is dearer than checkpoints here.
        self._execute("alter system set max_wal_size = '256MB'")
        self._execute("select pg_reload_conf()")

        async def migrated(database: Database) -> str:
            root = partitioned.partitioned_root(self._engine.home) if partitioned.wanted() else SQL_ROOT
            quiet: Callable[[str], None] = lambda _text: None  # noqa: E731
            await migrate(database.admin_url, _SERVER_ROLE, _SERVER_PASSWORD, quiet, root=root)
            return ""

        self.once(TEMPLATE, "", migrated)

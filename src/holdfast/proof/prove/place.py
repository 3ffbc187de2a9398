"""Where a proof runs: an engine and a server of its own, made for this and thrown away, or an installation that is running,
of which nothing is known but its address and the operator's token.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import asyncpg
import psutil

from holdfast.db import engine as embedded
from holdfast.db.engine import Engine
from holdfast.proof import serving
from holdfast.proof.bench.report import Database
from holdfast.proof.bench.run import PROFILE, database_facts, home_on_disk, migrated, refuse_undurable
from holdfast.proof.evidence.watched import postmaster
from holdfast.proof.prove.client import Address
from holdfast.proof.serving import Server

Progress = Callable[[str], None]
LIFTS: Mapping[str, str] = MappingProxyType(dict(PROFILE))
"""What differs from a server as installed: rate limits lifted, and a token that outlives a scenario. The report prints it."""
LIFTED_ELSEWHERE: Mapping[str, str] = MappingProxyType({"limits": "as the installation sets them"})


@dataclass(frozen=True)
class Place:
    """`home`: a folder for plans and results; `server` and `engine` are there if they are our own. `operator_token` is never
    printed."""

    address: Address
    operator_token: str
    home: Path
    lifts: Mapping[str, str]
    server: Server | None = None
    engine: Engine | None = None

    @property
    def admin_url(self) -> str | None:
        """The database as its tables' owner sees it; None where only HTTP is to be had."""
        return None if self.engine is None else self.engine.admin_url

    @property
    def server_pid(self) -> int | None:
        return None if self.server is None else self.server.process.pid

    @property
    def postmaster_pid(self) -> int | None:
        """Of now: a database that was killed comes back as another process."""
        return None if self.engine is None else postmaster(self.engine)

    def crashes(self) -> list[str]:
        """Whose process has ended although nobody ended it."""
        found = []
        if self.server is not None and self.server.process.poll() is not None:
            found.append(
                f"The server ended by itself ({self.server.process.returncode}): {self.server.last_words(300)}"
            )
        if self.engine is not None:
            pid = self.postmaster_pid
            if pid is None or not psutil.pid_exists(pid):
                found.append("The database ended by itself.")
        return found


def facts_of(url: str) -> Database:
    """Version and settings of a database, as administrator."""

    async def asked() -> Database:
        connection = await asyncpg.connect(url)
        try:
            return await database_facts(connection)
        finally:
            await connection.close()

    return asyncio.run(asked())


@contextmanager
def of_our_own(progress: Progress, workers: int = 1) -> Iterator[Place]:
    """An engine on a disk and the product's server, both gone at the end whatever happens. Raises BenchError for an engine that does
    not keep what it acknowledges."""
    token = secrets.token_hex(32)
    own = {"HOLDFAST_OPERATOR_TOKEN": token} | ({"HOLDFAST_WORKERS": str(workers)} if workers > 1 else {})
    with home_on_disk(progress) as home, embedded.running(home, progress) as engine:
        migrated(engine, progress)
        refuse_undurable(facts_of(engine.admin_url))
        with serving.holdfast(home, dict(LIFTS) | own) as server:
            server.wait_until_answers("/health/ready")
            address = Address(host=serving.HOST, port=server.port)
            yield Place(address, token, home, LIFTS, server, engine)


@contextmanager
def running_elsewhere(url: str, token: str) -> Iterator[Place]:
    """An installation at this address. Raises PlainError for an address that is none."""
    address = Address.of(url)
    with TemporaryDirectory(prefix="holdfast-prove-") as folder:
        yield Place(address, token, Path(folder), LIFTED_ELSEWHERE)

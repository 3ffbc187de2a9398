"""Where a proof runs: an engine and a server of its own, made for this and thrown away, or an installation that is running,
of which nothing is known but its address and the operator's token.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import psutil

from holdfast.db import engine as embedded
from holdfast.db.engine import Engine
from holdfast.proof import serving
from holdfast.proof.bench.run import PROFILE, home_on_disk, migrated
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
        if self.engine is None:
            return None
        with suppress(OSError, ValueError, IndexError):
            return int((self.engine.home / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        return None

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


@contextmanager
def of_our_own(progress: Progress, workers: int = 1) -> Iterator[Place]:
    """An engine on a disk and the product's server, both gone at the end whatever happens."""
    token = secrets.token_hex(32)
    own = {"HOLDFAST_OPERATOR_TOKEN": token} | ({"HOLDFAST_WORKERS": str(workers)} if workers > 1 else {})
    with home_on_disk(progress) as home, embedded.running(home, progress) as engine:
        migrated(engine, progress)
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

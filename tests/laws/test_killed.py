"""kill -9 of a worker and of the embedded engine under load, on a real disk: what was acknowledged is there, what was
not is found by its key, and everything is ready again by itself.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from laws.servers import UNLIMITED, free_port
from laws.wire import NO_ANSWER, PATIENCE_SECONDS, Client, Reply
from laws.world import World, broken_invariants, day, deadlocks, make_world

from holdfast import secrets
from holdfast.db import engine
from holdfast.db.engine import SERVER_ROLE
from holdfast.settings import Settings

CLIENTS = 12
_LOAD_SECONDS = 8.0


class Served:
    """`holdfast serve` with two workers on an embedded engine of its own."""

    def __init__(self, home: Path, log: Path) -> None:
        self.home, self.port, self._log = home, free_port(), log
        kept = {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST_")}
        lifted = {f"HOLDFAST_{name.upper()}": str(value) for name, value in UNLIMITED.items()}
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from holdfast.cli import main; main()", "serve", "--workers", "2",
                 "--port", str(self.port)],
                env=kept | lifted | {"HOLDFAST_HOME": str(home)}, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip

    async def answering(self) -> None:
        async with asyncio.timeout(60):
            while "Holdfast is ready" not in self._log.read_text():
                assert self.process.poll() is None, self._log.read_text()
                await asyncio.sleep(0.1)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def settings(self) -> Settings:
        port = json.loads((self.home / "engine.json").read_text())["port"]

        def url(role: str, password: str) -> str:
            return f"postgresql://{role}:{password}@127.0.0.1:{port}/{engine.DATABASE}"

        return Settings(
            database_url=url(SERVER_ROLE, secrets.server_password(self.home)),
            database_admin_url=url(engine.OWNER, (self.home / "engine.password").read_text().strip()),
            secret_key=(self.home / "secret.key").read_text().strip(),
        )

    def kill_worker(self) -> None:
        workers = [each for each in psutil.Process(self.process.pid).children() if _is_worker(each)]
        assert workers, "no worker is there to be killed"
        workers[0].kill()

    def kill_engine(self) -> None:
        os.kill(int((self.home / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False  # it was killed a moment ago


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    parent = Path(tempfile.mkdtemp(prefix="holdfast-laws-"))
    parent.chmod(0o711)
    served = Served(parent / "home", tmp_path / "serve.log")
    yield served
    served.process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        served.process.wait(40)
    if served.process.poll() is None:
        served.process.kill()
    sys.stdout.write(served.log[-10_000:])
    _end_engine(served.home / "data")
    shutil.rmtree(parent, ignore_errors=True)


def _end_engine(data: Path) -> None:
    """What a killed server left behind."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and process.cwd() == str(data):
                process.kill()


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost(served: Served) -> None:
    await served.answering()
    settings = served.settings()
    world = await make_world(settings, [served], rooms=CLIENTS, practitioners=CLIENTS, patients=CLIENTS)  # type: ignore[list-item]
    until = time.monotonic() + _LOAD_SECONDS
    load = [asyncio.create_task(_book_on(world, number, until)) for number in range(CLIENTS)]
    for kill in (served.kill_worker, served.kill_engine, served.kill_worker):
        await asyncio.sleep(_LOAD_SECONDS / 5)
        kill()
    histories = await asyncio.gather(*load)

    assert served.process.poll() is None
    acknowledged = [reply.body["id"] for history in histories for _, reply in history]
    assert len(acknowledged) > CLIENTS, "no load"
    stored = {
        str(row["id"]) for row in await world.stored("select id from appointments where organization_id = $1")
    }
    assert set(acknowledged) - stored == set(), "acknowledged, and not there"
    assert stored - set(acknowledged) == set(), "there, and nobody was told"
    assert len(set(acknowledged)) == len(acknowledged)
    assert not await broken_invariants(settings)
    assert await deadlocks(settings) == 0


async def _book_on(world: World, number: int, until: float) -> list[tuple[str, Reply]]:
    """One booking after the other, each asked for with its key until somebody says what became of it."""
    client = world.client()
    history: list[tuple[str, Reply]] = []
    made = 0
    while time.monotonic() < until:
        start = day(made // 12) + timedelta(hours=made % 12)
        key = f"load-{number}-{made}"
        history.append((key, await _told(client, world.booking(start, number, number, number), key)))
        made += 1
    client.close()
    return history


async def _told(client: Client, booking: dict[str, Any], key: str) -> Reply:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            reply = await client.post("/appointments", booking, idempotency_key=key)
            assert reply.status in {201, 503, NO_ANSWER}, reply.content
            if reply.status == 201:
                return reply
            await asyncio.sleep(0.05)

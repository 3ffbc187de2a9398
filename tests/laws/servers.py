"""Real server processes for the laws: uvicorn with the product's application, on ports of their own, ended by pid."""

import asyncio
import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from holdfast.launch import worker_environment
from holdfast.settings import Settings

_START_SECONDS_MAX = 60.0
_NUMBERS = itertools.count()
UNLIMITED = {"requests_per_minute_user": 10_000_000, "requests_per_minute_organization": 10_000_000}


class Server:
    """One process. After a kill it can be started again on its port."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings = settings
        self.port = free_port()
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "uvicorn", "holdfast.app:create", "--factory", "--host", "127.0.0.1",
                    "--port", str(self.port), "--no-access-log", "--log-level", "warning", "--lifespan", "on",
                    "--timeout-graceful-shutdown", "5", "--backlog", "2048",
                ],
                env=outside() | worker_environment(self.settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def answering(self) -> None:
        """Returns when it answers HTTP."""
        patience = time.monotonic() + _START_SECONDS_MAX
        while time.monotonic() < patience:
            assert self._process is not None
            assert self._process.poll() is None, f"it ended:\n{self.log}"
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"it does not answer:\n{self.log}")

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""


@contextlib.contextmanager
def processes(settings: Settings, count: int, folder: Path) -> Iterator[list[Server]]:
    """So many servers on one database, starting; `await server.answering()` waits for one."""
    lifted = msgspec.structs.replace(settings, **UNLIMITED)
    servers = [Server(lifted, folder / f"server-{number}.log") for number in range(count)]
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.stop()


def free_port() -> int:
    """Below those that the kernel gives to outgoing connections, so that nobody gets it while a server is down."""
    for port in itertools.count(20_000 + os.getpid() * 53 % 8_000 + next(_NUMBERS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def outside() -> dict[str, str]:
    """This process's environment without anybody's settings."""
    return {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST_")}

"""Real server processes for the laws: uvicorn with the product's application, on ports of their own, ended by pid."""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import msgspec
import psutil

from holdfast.launch import worker_environment
from holdfast.settings import Settings

_START_SECONDS_MAX = 60.0
_NUMBERS = itertools.count()
UNLIMITED = {"requests_per_minute_user": 10_000_000, "requests_per_minute_organization": 10_000_000}


class _Stem:
    """A process that has imported the product and becomes a server when it is told to: starting one costs a fork and not
    a second of imports. What it forks is uvicorn's own command in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _STEM], env=outside(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def server(self, arguments: list[str], environment: dict[str, str], log: Path) -> int:
        """The pid of a new server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([arguments, environment, str(log)]).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@lru_cache
def _stem() -> _Stem:
    """This worker's; it ends when the worker does and its input closes."""
    return _Stem()


_STEM = """
import json, os, signal, sys
import uvicorn, uvicorn.lifespan.on, uvicorn.protocols.http.httptools_impl, uvloop
import holdfast.app

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
for line in sys.stdin.buffer:
    arguments, environment, log = json.loads(line)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(environment)
        nothing, said = os.open(os.devnull, os.O_RDWR), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number, file in enumerate((nothing, said, said)):
            os.dup2(file, number)
        sys.argv[1:] = arguments
        uvicorn.main()
    print(pid, flush=True)
"""


class Server:
    """One process. After a kill it can be started again on its port."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings = settings
        self.port = free_port()
        self._log = log
        self._process: psutil.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> None:
        pid = _stem().server(
            [
                "holdfast.app:create", "--factory", "--host", "127.0.0.1",
                "--port", str(self.port), "--no-access-log", "--log-level", "warning", "--lifespan", "on",
                "--timeout-graceful-shutdown", "5", "--backlog", "2048",
            ],
            outside() | worker_environment(self.settings), self._log,
        )  # fmt: skip
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process = psutil.Process(pid)

    async def answering(self) -> None:
        """Returns when it answers HTTP."""
        patience = time.monotonic() + _START_SECONDS_MAX
        while time.monotonic() < patience:
            assert self._process is not None, f"it ended:\n{self.log}"
            assert self._process.is_running(), f"it ended:\n{self.log}"
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"it does not answer:\n{self.log}")

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process.kill()
        psutil.wait_procs([self._process])

    def stop(self) -> None:
        if self._process is not None and self._process.is_running():
            with contextlib.suppress(psutil.NoSuchProcess):
                self._process.terminate()
            if psutil.wait_procs([self._process], timeout=20)[1]:
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

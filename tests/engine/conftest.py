"""Homes and holders for tests of the engine itself."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

# Enters the engine of argv[1], tells where it is, and stays until its standard input closes.
_HOLDER = """
import json, sys
from pathlib import Path
from holdfast.db.engine import running
with running(Path(sys.argv[1]), lambda text: None) as engine:
    print(json.dumps({"port": engine.port, "admin_url": engine.admin_url}), flush=True)
    sys.stdin.read()
"""


@dataclass
class Holder:
    """Another holdfast process that shares an engine."""

    process: "subprocess.Popen[str]"
    port: int
    admin_url: str

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path has a space, that the engine's account can reach, cleared of processes afterwards."""
    parent = Path(tempfile.mkdtemp(prefix="holdfast-engine-"))
    parent.chmod(0o711)
    path = parent / "a home"
    yield path
    if (path / "engine.log").exists():
        # pytest shows it when the test fails.
        sys.stdout.write((path / "engine.log").read_text())
    _end_engines(parent)
    for socket in (path / "socket").glob("*"):
        socket.unlink(missing_ok=True)
    shutil.rmtree(parent, ignore_errors=True)


def _end_engines(parent: Path) -> None:
    """Ends servers below a folder: asked first, since a killed one leaves shared memory behind."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and str(parent) in process.cwd():
                process.send_signal(signal.SIGQUIT)
                found.append(process)
    for process in psutil.wait_procs(found, timeout=5)[1]:
        with suppress(psutil.Error):
            process.kill()


@pytest.fixture
def hold(home: Path) -> Iterator[Callable[[], Holder]]:
    holders: list[Holder] = []

    def start() -> Holder:
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        holders.append(Holder(process, told["port"], told["admin_url"]))
        return holders[-1]

    yield start
    for holder in holders:
        if holder.process.poll() is None:
            holder.kill()


@pytest.fixture
def postmaster(home: Path) -> Callable[[], psutil.Process]:
    """The running server of the home, read from its pid file."""
    return lambda: psutil.Process(int((home / "data" / "postmaster.pid").read_text().splitlines()[0]))

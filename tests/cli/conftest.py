"""Starts the real command in a process of its own, with an application of ten lines in place of the product's.

The launcher is under test here, not what it launches.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

# Python imports this at its start: also in the workers.
_STAND_IN = """
import os, sys, types

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/hang":
        import time
        time.sleep(600)
    admin = os.environ.get("HOLDFAST_DATABASE_ADMIN_URL", "none")
    body = f"{os.getpid()} {admin or 'blank'} {os.environ['HOLDFAST_DATABASE_URL']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})

module = types.ModuleType("holdfast.app")
module.create = lambda: application
sys.modules["holdfast.app"] = module
"""


@pytest.fixture
def home() -> Iterator[Path]:
    parent = Path(tempfile.mkdtemp(prefix="holdfast-cli-"))
    parent.chmod(0o711)
    (parent / "stand-in").mkdir()
    (parent / "stand-in" / "sitecustomize.py").write_text(textwrap.dedent(_STAND_IN))
    yield parent / "home"
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and str(parent) in process.cwd():
                process.send_signal(signal.SIGQUIT)
                found.append(process)
    psutil.wait_procs(found, timeout=5)
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """The variables of a command on this test's own home."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST_")}
    kept.pop("DATABASE_URL", None)
    path = os.pathsep.join(filter(None, [str(home.parent / "stand-in"), kept.get("PYTHONPATH")]))
    return kept | {"HOLDFAST_HOME": str(home), "PYTHONPATH": path}


Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Command]:
    """Starts `holdfast …`, outside the repository; what is left is killed."""
    started: list[subprocess.Popen[str]] = []

    def one(*arguments: str, stdin: str = "", **more: str) -> "subprocess.Popen[str]":
        """`stdin`: the one line that is typed into it."""
        process = subprocess.Popen(
            [sys.executable, "-c", "from holdfast.cli import main; main()", *arguments],
            env=environment | more, cwd=tmp_path, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if process.stdin is not None:
            process.stdin.write(f"{stdin}\n")
            process.stdin.close()
            process.stdin = None
        started.append(process)
        return process

    yield one
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()

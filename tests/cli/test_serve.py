"""`serve` starts, tells its address, ends in time, and recovers from being killed."""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import psutil
import pytest

Command = Callable[..., "subprocess.Popen[str]"]
_PATIENCE_SECONDS = 90
"""What comes within a second on a quiet machine may take this long on a busy one; it only bounds a wait in vain."""


def url_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    assert found, f"{line!r} {process.stderr.read() if process.stderr else ''}"
    return found[0]


def stop(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> int:
    process.send_signal(number)
    return process.wait(timeout=_PATIENCE_SECONDS)


def postgres_of(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().splitlines()[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_serves_and_ends_in_time_with_its_engine(start: Command, home: Path, number: int) -> None:
    process = start("serve", "--port", "0")
    answer = httpx2.get(url_of(process) + "/").text
    pid, admin, database_url = answer.split()
    assert int(pid) == process.pid
    assert admin == "blank", "a server has no use for the owner's URL"
    assert "holdfast_server:" in database_url
    engine = postgres_of(home)
    assert stop(process, number) == 0
    assert not psutil.pid_exists(engine) or psutil.Process(engine).status() == psutil.STATUS_ZOMBIE
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in home.glob("*.key")} == {
        "secret.key": "0o600"
    }
    assert (home / "server.password").stat().st_mode & 0o077 == 0


def test_several_workers_share_the_port_and_one_that_dies_is_replaced(start: Command) -> None:
    process = start("serve", "--port", "0", "--workers", "2")
    url = url_of(process)
    first = _workers(url, 2)
    psutil.Process(min(first)).kill()
    end = time.monotonic() + _PATIENCE_SECONDS
    while len(psutil.Process(process.pid).children()) < 2 or not _workers(url, 1) - first:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert stop(process) == 0


def _workers(url: str, wanted: int) -> set[int]:
    """Process numbers that answer, each asked over a connection of its own."""
    seen: set[int] = set()
    end = time.monotonic() + _PATIENCE_SECONDS
    while len(seen) < wanted and time.monotonic() < end:
        for _ in range(20):
            try:
                seen.add(int(httpx2.get(url + "/").text.split()[0]))
            except httpx2.HTTPError:
                time.sleep(0.05)
    assert len(seen) >= wanted
    return seen


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_server_starts_again_on_the_same_port_and_engine(
    start: Command, home: Path, workers: str
) -> None:
    first = start("serve", "--port", "0", "--workers", workers)
    url = url_of(first)
    engine = postgres_of(home)
    first.kill()
    first.wait()
    second = start("serve", "--port", url.rsplit(":", 1)[1], "--workers", workers)
    assert url_of(second) == url
    assert postgres_of(home) == engine
    assert stop(second) == 0


def test_a_worker_that_hangs_is_ended(start: Command) -> None:
    process = start("serve", "--port", "0", HOLDFAST_SHUTDOWN_DEADLINE_SECONDS="1")
    url = url_of(process)
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(url + "/hang", timeout=0.5)
    stop(process)


def test_a_taken_port_is_said_in_one_sentence(start: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("serve", "--port", str(taken.getsockname()[1]))
        _, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "is taken by process" in error
    assert "--port" in error
    assert "Traceback" not in error


def test_an_external_database_needs_a_secret(start: Command) -> None:
    process = start("serve", "--port", "0", HOLDFAST_DATABASE_URL="postgresql://a:b@127.0.0.1:1/c")
    _, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "HOLDFAST_SECRET_KEY is not set" in error
    assert "Traceback" not in error

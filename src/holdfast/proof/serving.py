"""Servers that a measurement starts and stops: the product's own `holdfast serve`, and the bare one. Each is a process
of its own, known by its id, and gone at the end of the block whatever happens.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from holdfast.plain import PlainError
from holdfast.proof import driver

HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_HOLDFAST = ("-c", "from holdfast.cli import main; main()")
_RETRY_SECONDS = 0.002


class ServerFailed(PlainError):
    """A server that the measurement needs did not start; the message carries its last words."""


class Server:
    """A running server: its process and where it answers."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process, self.port, self._log = process, port, log

    @property
    def host_header(self) -> str:
        return f"{HOST}:{self.port}"

    def wait_until_answers(self, path: str) -> None:
        """Until a GET is answered with 200. Raises ServerFailed."""
        patience = time.monotonic() + _START_SECONDS
        while time.monotonic() < patience and self.process.poll() is None:
            try:
                if ask(self.port, "GET", path)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise ServerFailed(
            f"The server did not become ready within {_START_SECONDS:.0f} s: {self.last_words(1500)}"
        )

    def last_words(self, characters: int) -> str:
        """The end of what it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-characters:]


@contextmanager
def holdfast(home: Path, profile: dict[str, str]) -> Iterator[Server]:
    """`holdfast serve` on the embedded engine of `home` (which it shares or starts), started but not yet ready."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST_")}
    # A server is measured with its bytecode kept, as it is installed.
    for name in ("DATABASE_URL", "PYTHONDONTWRITEBYTECODE"):
        kept.pop(name, None)
    port = free_port()
    environment = kept | profile | {"HOLDFAST_HOME": str(home)}
    # Started inside the home: no holdfast.toml of anybody's lies there.
    with _running([*_HOLDFAST, "serve", "--port", str(port)], environment, home, port) as server:
        yield server


@contextmanager
def bare(home: Path) -> Iterator[Server]:
    """The bare FastAPI server of `bare.py`."""
    port = free_port()
    with _running(["-m", "holdfast.proof.bare", str(port)], dict(os.environ), home, port) as server:
        server.wait_until_answers("/openapi.json")
        yield server


@contextmanager
def _running(arguments: list[str], environment: dict[str, str], home: Path, port: int) -> Iterator[Server]:
    log = home / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield Server(process, port, log)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    """One request on a connection of its own. Raises OSError."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=10)) as connection:
        text = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, text, {"content-type": "application/json"} if text else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error


def sign_in(server: Server, credentials: dict[str, str]) -> str:
    """An access token. Raises ServerFailed."""
    status, body = ask(server.port, "POST", "/api/v1/auth/login", credentials)
    if status != 200:
        raise ServerFailed(f"Signing in was answered {status}: {body[:500].decode(errors='replace')}")
    token: str = json.loads(body)["access_token"]
    return token


def first_answer(server: Server, request: bytes, expected: int) -> None:
    """Sends a whole request until it is answered with `expected`: at first nobody listens. Raises ServerFailed."""
    patience = time.monotonic() + _START_SECONDS
    said = b""
    while time.monotonic() < patience and server.process.poll() is None:
        try:
            with socket.create_connection((HOST, server.port), timeout=_START_SECONDS) as connection:
                connection.sendall(request)
                said = connection.recv(65536)
        except OSError:
            said = b""
        if said.startswith(b"HTTP/1.1 %d " % expected):
            return
        time.sleep(_RETRY_SECONDS)
    raise ServerFailed(f"The first booking was not granted: {said[:500].decode(errors='replace')}")


def drive(home: Path, plan: driver.Plan) -> driver.Result:
    """Carries a plan out in a driver process of its own."""
    seconds = plan.warm_up_seconds + plan.seconds
    done: driver.Result = run_apart("holdfast.proof.driver", home, plan, driver.Result, seconds)
    return done


def run_apart(module: str, home: Path, plan: Any, kind: Any, seconds: float) -> Any:
    """Runs a module as `python -m module PLAN RESULT` and reads its result. Raises ServerFailed."""
    plan_file, result_file = home / "plan.msgpack", home / "result.msgpack"
    plan_file.write_bytes(msgspec.msgpack.encode(plan))
    result_file.unlink(missing_ok=True)
    answer = subprocess.run(
        [sys.executable, "-m", module, str(plan_file), str(result_file)],
        cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=seconds + 60,
    )  # fmt: skip
    if answer.returncode != 0:
        raise ServerFailed(f"{module} failed: {answer.stderr.strip()[-1500:]}")
    return msgspec.msgpack.decode(result_file.read_bytes(), type=kind)

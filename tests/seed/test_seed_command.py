"""`holdfast demo --json` as scripts use it, and `organization create`, on an engine of the test's own."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

_MAIN = [sys.executable, "-c", "from holdfast.cli import main; main()"]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    parent = Path(tempfile.mkdtemp(prefix="holdfast-demo-"))
    parent.chmod(0o711)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST_")}
    kept.pop("DATABASE_URL", None)
    yield kept | {"HOLDFAST_HOME": str(parent / "home")}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and str(parent) in process.cwd():
                process.send_signal(signal.SIGQUIT)
                found.append(process)
    psutil.wait_procs(found, timeout=5)
    shutil.rmtree(parent, ignore_errors=True)


def demo(environment: dict[str, str], folder: Path, *flags: str) -> tuple[dict[str, Any], float, list[Any]]:
    """Starts the demo, waits for its line, asks the database it names, stops it."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*_MAIN, "demo", "--port", "0", "--json", *flags], env=environment, cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        seconds = time.monotonic() - began
        assert line, process.stderr and process.stderr.read()
        told = json.loads(line)
        rows = asyncio.run(_turns(told["database_url"], told["organization_id"]))
        process.send_signal(signal.SIGTERM)
        more, _ = process.communicate(timeout=30)
        assert (more, process.returncode) == ("", 0)
        return told, seconds, rows
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


async def _turns(url: str, organization: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("select not rolsuper from pg_roles where rolname = current_user")
        await connection.execute(f"set holdfast.organization_id = '{organization}'")
        return list(await connection.fetch("select organization_id, seq from turns"))
    finally:
        await connection.close()


def test_one_line_when_ready_and_the_same_data_the_next_time(
    environment: dict[str, str], tmp_path: Path
) -> None:
    first, _, rows = demo(environment, tmp_path)
    assert list(first) == ["url", "organization_id", "clinic_ids", "users", "database_url"]
    assert all(set(user) == {"email", "password", "role"} for user in first["users"])
    assert len(first["clinic_ids"]) == 2
    assert len(rows) == 1
    again, _, rows_again = demo(environment, tmp_path)
    assert {**again, "url": ""} == {**first, "url": ""}
    assert rows_again == rows
    fresh, _, _ = demo(environment, tmp_path, "--fresh")
    assert fresh["organization_id"] != first["organization_id"]
    assert fresh["users"] == first["users"], "passwords last as long as the home"


@pytest.mark.performance
def test_the_demo_is_ready_in_time(environment: dict[str, str], tmp_path: Path) -> None:
    assert demo(environment, tmp_path)[1] <= 20
    assert demo(environment, tmp_path)[1] <= 3


def test_organization_create_makes_one_and_says_what_it_cannot_accept(
    environment: dict[str, str], tmp_path: Path
) -> None:
    def create(name: str, email: str, password: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*_MAIN, "organization", "create", "--name", name, "--email", email], env=environment, cwd=tmp_path,
            input=password + "\n", capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    made = create("Northside", "you@north.example", "long enough for this")
    assert made.returncode == 0, made.stderr
    assert len(made.stdout.strip()) == 36
    short = create("Southside", "you@south.example", "short")
    assert (short.returncode, "password must have" in short.stderr) == (1, True), short.stderr
    taken = create("Northside", "you@north.example", "long enough for this")
    assert (taken.returncode, "signs in already" in taken.stderr) == (1, True), taken.stderr
    assert "Traceback" not in short.stderr + taken.stderr

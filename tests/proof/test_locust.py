"""The Locust files as the seeds call them, headless and for seconds, on what `load set-up` makes: everything that was asked for
happens and nothing fails; and the data is gone afterwards.
"""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import sizes

from holdfast.proof import serving
from holdfast.proof.locust import fixture
from holdfast.settings import Settings

FILES = Path(fixture.__file__).parent
TOKEN = "0123456789abcdef" * 4
SECONDS = sizes.size(6, 20)
AT_ONCE = 3
"""Runs side by side: on two processors more would spend their seconds starting."""
TAGS = {
    "concurrent": ("locustfile.py", {"book any room"}),
    "conflict": ("locustfile.py", {"book a shared time", "book a shared time: refused", "detect conflicts"}),
    "rules": ("locustfile.py", {"evaluate rules", "book by rules"}),
    "contention": ("units.py", {"reserve of one", "reserve of one: refused"}),
    "throughput": ("units.py", {"reserve of many"}),
    "mixed": ("units.py", {"mixed reserve", "mixed release", "mixed consume"}),
}


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[serving.Server]:
    profile = {
        "HOLDFAST_DATABASE_URL": settings.database_url, "HOLDFAST_SECRET_KEY": settings.secret_key,
        "HOLDFAST_OPERATOR_TOKEN": TOKEN,
    }  # fmt: skip
    with serving.holdfast(tmp_path, profile) as server:
        server.wait_until_answers("/health/ready")
        yield server


def locust(tag: str, file: Path, folder: Path) -> "subprocess.Popen[str]":
    """One headless run, under way."""
    return subprocess.Popen(
        [
            sys.executable, "-m", "locust", "-f", str(FILES / TAGS[tag][0]), "--headless", "--users=20",
            "--spawn-rate=20", f"--run-time={SECONDS}s", f"--tags={tag}", f"--csv={folder / tag}",
            f"--html={folder / tag}.html", "--only-summary",
        ],
        env=os.environ | {"HOLDFAST_LOAD_FIXTURE": str(file)}, cwd=folder, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


async def test_every_tag_runs(server: serving.Server, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "load-test.json"
    url = f"http://{server.host_header}"
    made = fixture.set_up(url, TOKEN, file, 1, print)
    assert file.stat().st_mode & 0o077 == 0, "others can read it"
    assert fixture.read(file) == made
    with pytest.raises(fixture.NoFixture, match="already"):
        fixture.set_up(url, TOKEN, file, 1, print)
    _has_what_the_seeds_name(made)

    tags = list(TAGS)
    said: dict[str, str] = {}
    for some in (tags[:AT_ONCE], tags[AT_ONCE:]):
        running = {tag: locust(tag, file, tmp_path) for tag in some}
        said |= {tag: each.communicate(timeout=SECONDS + 60)[0] for tag, each in running.items()}
        failed = [said[tag] for tag, each in running.items() if each.returncode]
        assert not failed, "\n".join(failed)
    for tag, (_, names) in TAGS.items():
        told = {row["Name"]: row for row in csv.DictReader((tmp_path / f"{tag}_stats.csv").open())}
        assert names <= {name.removesuffix(": refused") for name in told} | set(told), said[tag]
        assert told["Aggregated"]["Failure Count"] == "0", said[tag]
        assert "PERFORMANCE REPORT" in said[tag] or "UNITS REPORT" in said[tag]
        assert (tmp_path / f"{tag}.html").stat().st_size > 0
    assert "Granted of 50 units, 10 at a time: 5; 0 are left." in said["contention"]

    fixture.clean_up(file, TOKEN, print)
    assert not file.exists()
    assert await organizations(settings) == 0


async def organizations(settings: Settings) -> int:
    connection = await asyncpg.connect(settings.database_admin_url)
    try:
        return int(await connection.fetchval("select count(*) from organizations"))
    finally:
        await connection.close()


def _has_what_the_seeds_name(made: fixture.Fixture) -> None:
    lines = made.variables()
    rooms = [f"TEST_ROOM_{n}_ID" for n in (1, 2, 3)]
    assert [line.split("=")[0] for line in lines] == [
        f"export {name}" for name in ("TEST_CLINIC_ID", "TEST_DOCTOR_ID", "TEST_PATIENT_ID", *rooms)
    ]
    assert (len(made.authorization_ids), len(made.hot_authorization_ids)) == (55, 10)
    assert set(made.hot_authorization_ids) < set(made.authorization_ids)
    assert len(made.practitioner_tokens) == len(made.authorization_ids)


async def test_what_fails_on_the_way_leaves_nothing(
    server: serving.Server, settings: Settings, tmp_path: Path
) -> None:
    """The file cannot be written: the organizations that were made for it are deleted again."""
    file = tmp_path / "no such folder" / "load-test.json"
    with pytest.raises(FileNotFoundError):
        fixture.set_up(f"http://{server.host_header}", TOKEN, file, 1, print)
    assert await organizations(settings) == 0


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(fixture.NoFixture, match="load set-up"):
        fixture.read(tmp_path / "load-test.json")
    (tmp_path / "load-test.json").write_text("{}")
    with pytest.raises(fixture.NoFixture, match="is not a file of"):
        fixture.read(tmp_path / "load-test.json")

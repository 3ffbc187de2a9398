"""The other commands: help that teaches, plain sentences for mistakes, migrate and doctor on a real engine."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast import launch, secrets
from holdfast.settings import Settings, load

Command = Callable[..., "subprocess.Popen[str]"]
NAMES = ("demo", "serve", "migrate", "seed", "doctor", "verify", "bench", "organization")


def output(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, error = process.communicate(timeout=60)
    return process.returncode, out, error


def test_help_names_every_command_and_teaches(start: Command) -> None:
    code, out, _ = output(start("--help"))
    assert code == 0
    assert all(name in out for name in NAMES)
    assert "First steps" in out
    for name in NAMES[:-1]:
        code, out, _ = output(start(name, "--help"))
        assert code == 0
        assert "Example" in out, name


def test_help_imports_nothing_heavy() -> None:
    """What keeps `--help` below 0.3 s, told without a clock."""
    code = "import sys, holdfast.cli; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"asyncpg", "uvicorn", "msgspec", "cryptography", "psutil", "rich", "asyncio"}
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.performance
def test_help_answers_in_a_blink(start: Command) -> None:
    began = time.monotonic()
    assert output(start("--help"))[0] == 0
    assert time.monotonic() - began < 0.3


def test_migrate_then_doctor(start: Command, home: Path) -> None:
    code, out, _ = output(start("doctor", "--port", "0"))
    assert (code, home.exists()) == (0, False), "the doctor makes nothing"
    code, out, error = output(start("migrate"))
    assert (code, out) == (0, "The schema was made from nothing.\n"), error
    code, out, error = output(start("migrate"))
    assert (code, out) == (0, "The schema is that of this version.\n"), error
    code, out, error = output(start("doctor", "--port", "0"))
    assert (code, out) == (0, "✓ All is well.\n"), error


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (("migrate",), {"HOLDFAST_DATABASE_URL": "postgresql://a@b/c"}, "HOLDFAST_DATABASE_ADMIN_URL"),
        (("migrate",), {"HOLDFAST_PROT": "1"}, "prot"),
        (("demo", "--fresh"), {"HOLDFAST_DATABASE_URL": "postgresql://a@b/c"}, "embedded database only"),
        (("seed", "--profile", "huge"), {}, "none of small, medium"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(
    start: Command, arguments: tuple[str, ...], variables: dict[str, str], sentence: str
) -> None:
    code, _, error = output(start(*arguments, **variables))
    assert code != 0
    assert sentence in error
    assert "Traceback" not in error


def test_fresh_spares_a_home_that_no_demo_made(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(launch.LaunchError, match="was not made by"):
        launch.mark_demo(Settings(home=str(tmp_path)), fresh=True, progress=lambda _text: None)


def test_workers_get_every_setting_but_the_owners_url() -> None:
    given = Settings(
        database_url="postgresql://a", database_admin_url="postgresql://owner", port=0, workers=3
    )
    handed = load(launch.worker_environment(given) | {"HOLDFAST_CONFIG": "/nowhere"})
    assert handed.database_admin_url == ""
    assert (handed.database_url, handed.port, handed.workers) == ("postgresql://a", 0, 3)


def test_a_secret_is_made_once_and_a_bad_one_refused(tmp_path: Path) -> None:
    made = secrets.secret(Settings(), tmp_path)
    assert len(made) == secrets.SECRET_BYTES
    assert made == secrets.secret(Settings(), tmp_path)
    assert made == secrets.load(Settings(secret_key=secrets.text(made)))
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    for bad in ("short", "x" * 44, secrets.text(b"31 bytes are one byte too few!!")):
        with pytest.raises(secrets.SecretMissing, match="32 bytes"):
            secrets.load(Settings(secret_key=bad))

"""The linters are tests, so that there is one command to run; each is seen red on a planted fault."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "src" / "holdfast" / "sql"


def tool(name: str, *arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Runs a tool of this environment; what it says is the test's message."""
    program = Path(sys.executable).with_name(name)
    return subprocess.run(
        [program, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )


def passes(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff() -> None:
    passes(tool("ruff", "check", "--no-fix", "--output-format", "concise", "src", "tests", "scripts"))


def test_ruff_sees_a_planted_fault(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text('"""Planted."""\n\nimport os\n')
    assert "F401" in tool("ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)).stdout


def test_format() -> None:
    passes(tool("ruff", "format", "--check", "--output-format", "concise", "src", "tests", "scripts"))


def test_mypy() -> None:
    passes(tool("mypy"))


def test_mypy_sees_a_planted_fault(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("from holdfast import ids\n\n\ndef f() -> int:\n    return ids.new()\n")
    done = tool("mypy", "--config-file", str(ROOT / "pyproject.toml"), str(planted))
    assert "Incompatible return value type" in done.stdout, done.stdout + done.stderr


def squawk(*files: Path, exclude: str = "") -> "subprocess.CompletedProcess[str]":
    options = ["--config", str(ROOT / ".squawk.toml"), "--no-error-on-unmatched-pattern", "--reporter", "gcc"]
    excluded = [f"--exclude={exclude}"] if exclude else []
    return tool("squawk", *options, *excluded, *(str(file) for file in files))


def test_squawk_on_migrations() -> None:
    """Nothing that holds a lock which stops a running clinic."""
    passes(squawk(*SQL.glob("migrations/*.sql")))


def test_squawk_on_the_schema() -> None:
    """Read by a parser of PostgreSQL's language; what is made in an empty database locks nobody out."""
    configured = tomllib.loads((ROOT / ".squawk.toml").read_text(encoding="utf-8"))["excluded_rules"]
    exclude = ",".join([*configured, "adding-foreign-key-constraint", "constraint-missing-not-valid"])
    passes(squawk(*SQL.glob("tables/*.sql"), *SQL.glob("functions/*.sql"), exclude=exclude))


@pytest.mark.parametrize(
    "text",
    [
        "alter table rooms add constraint rooms_x check (capacity > 0);",
        "create index rooms_x on rooms (organization_id);",
        "alter table rooms alter column number type varchar(10);",
        "alter table rooms drop column number;",
        "select from where;",
    ],
)
def test_squawk_sees_a_planted_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "planted.sql").write_text(f"-- migrate:up\n{text}\n")
    assert squawk(tmp_path / "planted.sql").returncode != 0


def test_the_arrow() -> None:
    passes(tool("lint-imports", "--no-cache"))


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source in which nothing is wrong yet."""
    field = tmp_path_factory.mktemp("field")
    for source in (ROOT / "src" / "holdfast").rglob("*.py"):
        copy = field / source.relative_to(ROOT / "src")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    shutil.copyfile(ROOT / "pyproject.toml", field / "pyproject.toml")
    for name in ("live/planted.py", "proof/__init__.py"):
        (field / "holdfast" / name).parent.mkdir(exist_ok=True)
        (field / "holdfast" / name).touch()
    passes(tool("lint-imports", "--no-cache", cwd=field))
    return field


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("rules/planted.py", "from holdfast.db import statements"),
        ("rules/planted.py", "from holdfast.commands import change"),
        ("db/planted.py", "from holdfast import rules"),
        ("db/planted.py", "from holdfast.commands import house"),
        ("commands/planted.py", "from holdfast.api import wire"),
        ("commands/planted.py", "from holdfast import app"),
        ("live/planted.py", "from holdfast.commands import house"),
        ("api/planted.py", "from holdfast import app"),
        ("api/planted.py", "from holdfast.live import planted"),
        ("proof/planted.py", "from holdfast.api import wire"),
        ("slot.py", "from holdfast import ids"),
        ("errors.py", "from holdfast.db import statements"),
        ("planted.py", "import os"),
    ],
)
def test_the_arrow_sees_a_planted_fault(field: Path, path: str, line: str) -> None:
    planted = field / "holdfast" / path
    before = planted.read_text(encoding="utf-8") if planted.exists() else None
    planted.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    done = tool("lint-imports", "--no-cache", cwd=field)
    if before is None:
        planted.unlink()
    else:
        planted.write_text(before, encoding="utf-8")
    assert done.returncode != 0, done.stdout
    assert "BROKEN" in done.stdout, done.stdout + done.stderr


def test_dependencies_are_named_and_used() -> None:
    passes(tool("deptry", "src"))


def test_an_unnamed_dependency_is_seen(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("import pygments\n")
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    assert "DEP003" in tool("deptry", ".", cwd=tmp_path).stderr

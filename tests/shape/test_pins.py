"""The pins of pyproject.toml, requirements.txt and the resolution in use are one and the same, and name no host."""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

import lock  # noqa: E402

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = tuple(PYPROJECT["tool"]["uv"]["constraint-dependencies"])
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def versions(lines: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in lines:
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    return found


def pinned_for_deployment(text: str = REQUIREMENTS) -> dict[str, set[str]]:
    joined = text.replace("\\\n", " ").splitlines()
    return versions(re.sub(r"--hash=\S+", "", line).strip() for line in joined if line.strip())


def unequal(pins: dict[str, set[str]], deployed: dict[str, set[str]]) -> dict[str, set[str]]:
    return {name: found for name, found in deployed.items() if pins.get(name) != found}


def test_every_pin_is_exact() -> None:
    assert PINS
    assert all(
        spec.startswith("==") and "*" not in spec for specs in versions(PINS).values() for spec in specs
    )


def test_requirements_are_the_same_pins() -> None:
    assert unequal(versions(PINS), pinned_for_deployment()) == {}


def test_a_planted_difference_is_seen() -> None:
    planted = re.sub(r"^asyncpg==\S+", "asyncpg==0.1", REQUIREMENTS, flags=re.MULTILINE)
    assert unequal(versions(PINS), pinned_for_deployment(planted)) == {"asyncpg": {"==0.1"}}


def test_every_dependency_is_pinned() -> None:
    runtime = set(versions(PYPROJECT["project"]["dependencies"]))
    assert runtime <= set(pinned_for_deployment())
    assert runtime | set(versions(PYPROJECT["dependency-groups"]["dev"])) <= set(versions(PINS))


def test_every_requirement_has_hashes() -> None:
    for line in REQUIREMENTS.replace("\\\n", " ").splitlines():
        assert "--hash=sha256:" in line, line


@pytest.mark.skipif(not (ROOT / "uv.lock").exists(), reason="installed without uv")
def test_the_resolution_in_use_is_the_pinned_one() -> None:
    resolved = lock.pins(tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8")))
    assert versions(resolved) == versions(PINS), "run: just lock"


@pytest.mark.parametrize("text", [REQUIREMENTS, "\n".join(PINS)], ids=["requirements", "constraints"])
def test_no_host_is_named(text: str) -> None:
    assert "://" not in text
    assert "--" not in re.sub(r"--hash=sha256:", "", text)


def test_pins_are_replaced_and_nothing_else() -> None:
    before = '[tool.uv]\nconstraint-dependencies = [\n  "a==1",\n]\n\n[tool.other]\nlist = [1]\n'
    assert lock.with_pins(before, ["b==2"]) == before.replace("a==1", "b==2")
    assert lock.with_pins(before, []) == before.replace('[\n  "a==1",\n]', "[]")
    with pytest.raises(ValueError, match="one constraint-dependencies"):
        lock.with_pins("[tool.uv]\n", ["b==2"])


def test_a_fork_keeps_its_markers() -> None:
    registry = {"registry": "somewhere"}
    forked = {
        "package": [
            {"name": "mine", "version": "0", "source": {"editable": "."}, "dependencies": [
                {"name": "a", "version": "1", "marker": "python_version < '3.12'"},
                {"name": "a", "version": "2", "marker": "python_version >= '3.12'"},
            ]},
            {"name": "a", "version": "1", "source": registry},
            {"name": "a", "version": "2", "source": registry},
        ]
    }  # fmt: skip
    assert lock.pins(forked) == ["a==1 ; python_version < '3.12'", "a==2 ; python_version >= '3.12'"]

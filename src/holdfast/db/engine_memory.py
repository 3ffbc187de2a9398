"""How much memory the embedded engine has for pages: as much as is stored, within a part of the machine's. A demo takes no
more than it ever did; an installation that has grown gets more when it starts the next time.
"""

from pathlib import Path

import psutil

_LEAST_MB = 256
_PART = 4
"""A quarter of the machine's memory at most: PostgreSQL's own advice (shared_buffers). The system caches files beside it."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def memory_settings(stored_bytes: int, machine_bytes: int) -> str:
    """Lines of configuration for an engine that has so much stored on a machine with so much memory."""
    buffers = max(_LEAST_MB, min(stored_bytes, machine_bytes // _PART) >> 20)
    cached = max(4 * _LEAST_MB, machine_bytes // 2 >> 20)
    return f"shared_buffers = {buffers}MB\neffective_cache_size = {cached}MB\n"


def stored_bytes(data: Path) -> int:
    """Of all tables and indexes in a data directory; 0 for one that is not there yet."""
    return sum(file.stat().st_size for file in data.glob("base/*/*"))


def machine_bytes() -> int:
    """What this process and its children may use of memory: a container's limit, or all that there is."""
    total = psutil.virtual_memory().total
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.exists() else "max"
    return min(total, int(limit)) if limit.isdigit() else total

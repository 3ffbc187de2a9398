"""An engine has memory by what is stored, within a part of the machine's."""

from pathlib import Path

import pytest
from engine.test_engine import ask, silent

from holdfast.db import engine_memory
from holdfast.db.engine import running
from holdfast.db.engine_memory import machine_bytes, memory_settings

GB = 1 << 30


@pytest.mark.parametrize(
    ("stored", "machine", "buffers", "cached"),
    [
        (0, 24 * GB, 256, 12 * 1024),
        (GB, 24 * GB, 1024, 12 * 1024),
        (50 * GB, 24 * GB, 6 * 1024, 12 * 1024),
        (50 * GB, GB, 256, 1024),
    ],
)
def test_as_much_as_is_stored_within_a_quarter(stored: int, machine: int, buffers: int, cached: int) -> None:
    said = memory_settings(stored, machine)
    assert said == f"shared_buffers = {buffers}MB\neffective_cache_size = {cached}MB\n"


def test_a_container_has_no_more_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(engine_memory, "_CGROUP_LIMIT", limit)
    everything = machine_bytes()
    limit.write_text("max\n")
    assert machine_bytes() == everything
    limit.write_text(f"{64 << 20}\n")
    assert machine_bytes() == 64 << 20


def test_what_has_grown_gets_more_at_the_next_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_memory, "_LEAST_MB", 1)

    def megabytes(url: str) -> int:
        return int(ask(url, "select setting::integer / 128 from pg_settings where name = 'shared_buffers'"))

    with running(home, silent) as engine:
        before = megabytes(engine.admin_url)
        ask(
            engine.admin_url,
            "create table much as select repeat(md5(n::text), 30) as words from generate_series(1, 30000) n",
        )
    with running(home, silent) as engine:
        assert megabytes(engine.admin_url) >= before + 20

"""What growth is measured on, and the command at a small size: every answer as planned, and as many visits stored as were
loaded and granted.
"""

import os
import shutil
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from holdfast.cli import app
from holdfast.proof.bench import data as bench_data
from holdfast.proof.bench import growth as bench_growth
from holdfast.proof.bench import large as bench_large
from holdfast.proof.bench import run as bench
from holdfast.proof.bench.growth import GrowthError
from holdfast.proof.bench.report import Report
from holdfast.seed import bulk


def test_ten_million_are_stored_in_two_hundred_organizations() -> None:
    empty, small, large = bench_growth.clusters(10_000_000, 200, 3)
    assert [size.visits for size in empty.measured] == [0, 0, 0, 1_000]
    assert small.visits == 100_000
    assert large.visits == 10_000_000
    assert [size.visits for size in large.measured] == [1_000_000]
    assert len(large.beside) == 199
    assert {size.week_visits for size in (*small.measured, *large.measured)} == {
        5 * bench_data.CLINIC_ROOMS * bulk.VISITS_A_DAY
    }
    assert max(large.beside) - min(large.beside) <= 1


@pytest.mark.parametrize("visits", [20_000, 33_333, 300_000, 1_234_567])
def test_every_visit_asked_for_is_planned_and_weeks_are_whole(visits: int) -> None:
    _, small, large = bench_growth.clusters(visits, 7, 3)
    assert large.visits == visits
    for size in (*small.measured, *large.measured):
        assert size.weeks >= 2
        assert size.weeks % 2 == 0
        assert 0.7 < size.visits / (visits // 10) <= 1


def test_too_few_are_refused() -> None:
    for visits, organizations in ((19_999, 200), (20_000, 1)):
        with pytest.raises(GrowthError, match="20,000 visits and 2 organizations"):
            bench_growth.clusters(visits, organizations, 3)


def test_a_disk_that_is_too_small_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=30_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: free)
    bench_growth.refuse_without_space(tmp_path, 1_000_000)
    with pytest.raises(GrowthError, match=r"10,000,000 visits need 6\d GB in .*, where 30 GB are free"):
        bench_growth.refuse_without_space(tmp_path, 10_000_000)


def test_it_measures_all_or_nothing(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["bench", "--large", "--only", "S4", "--out", str(tmp_path)])
    assert said.exit_code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.performance
def test_the_command_at_a_small_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_large, "ROUNDS", 2)
    monkeypatch.setattr(bench_growth, "_CLINIC_VISITS", 1_000)
    # Figures need a cluster that has been in use; answers do not.
    monkeypatch.setattr(bench_data, "_LOG_SEGMENTS_WARMED", 1)
    file, said = tmp_path / "out.json", list[str]()
    bench_large.run(file, 0.2, 20_000, 3, bulk.fill, lambda _text: None, said.append)
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    assert not report.invalid
    assert {one.name for one in report.measures} == {
        "S4 empty", "S4 small", "S4 large", "S7 1k", "S7 large", "S8 1k", "S8 large",
    }  # fmt: skip
    assert all(len(one.rounds) == 2 for one in report.measures)
    assert {goal.name for goal in report.goals} >= {
        "S13 / small", "S13 / empty", "S7 large / 1k", "S8 large / 1k",
    }  # fmt: skip
    assert [(load.cluster, load.visits, load.organizations) for load in report.loads] == [
        ("large", 20_000, 3), ("small", 2_000, 1), ("empty", 1_000, 4),
    ]  # fmt: skip
    assert all(load.bytes_per_visit > 1_000 for load in report.loads)
    assert report.database is not None
    assert not report.database.not_durable
    assert report.database.settings["max_wal_size"] == "2048", "the log is as large as the engine sets it"
    assert "20,000 visits (organizations: 3) loaded in" in said[0]
    assert not list(bench.folder_on_disk().glob(f"holdfast-bench-{os.getpid()}-*"))

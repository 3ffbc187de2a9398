"""Verdicts are derived: a goal is met, missed, invalid or not applicable by what was measured, never by default."""

from datetime import UTC, datetime

import msgspec
import pytest

from holdfast.proof.bench import run as bench
from holdfast.proof.bench.live import Start
from holdfast.proof.bench.report import Database, Goal, Report, goals, table
from holdfast.proof.bench.rounds import Measured, Round
from holdfast.proof.bench.run import BenchError
from holdfast.proof.machine import Commit, Machine, Memory
from holdfast.proof.pgbench import YardstickFailed, parsed
from holdfast.proof.statistics import latency

PGBENCH = """pgbench (18.6)
transaction type: x.sql
query mode: prepared
number of transactions actually processed: 12000/12000
number of failed transactions: 3 (0.025%)
latency average = 6.912 ms
initial connection time = 81.5 ms
tps = 7236.123456 (without initial connection time)
"""


def measured(name: str, *rates: float, p95_ms: float = 10.0, invalid: str = "") -> Measured:
    samples = latency([p95_ms / 1000] * 1000)
    rounds = [Round(n=1000, per_second=rate, seconds=1.0, latency=samples, invalid=invalid) for rate in rates]
    return Measured(name=name, what="what", rounds=rounds)


def report(*measures: Measured) -> Report:
    machine = Machine(
        system="s", processor="p", processors=2, memory_mb=1, python="3", load_before=0.0, file_system="ext4",
        fdatasync_median_ms=0.1,
    )  # fmt: skip
    made = Report(
        at=datetime(2026, 1, 1, tzinfo=UTC), commit=Commit(version="1", commit="abc", is_changed=False),
        machine=machine, seed=1, clients=50, rounds=3, seconds=5.0, profile={"A": "b"}, measures=list(measures),
        database=Database(version="18.6", settings={"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}),
    )  # fmt: skip
    made.goals = goals(made)
    return made


def goal(of: Report, name: str) -> Goal:
    return next(one for one in of.goals if one.name == name)


def test_a_ratio_is_met_or_missed_round_by_round() -> None:
    assert goal(report(measured("S4", 40, 20, 20), measured("Y3", 100, 50, 50)), "S4 / Y3").verdict == "met"
    missed = goal(report(measured("S4", 39, 20, 39), measured("Y3", 100, 50, 100)), "S4 / Y3")
    assert (missed.verdict, missed.value) == ("missed", 0.39)


def test_one_invalid_round_makes_the_goal_invalid_and_is_told() -> None:
    one = report(measured("S4", 90, 90, 90, invalid="409 x"), measured("Y3", 100, 100, 100))
    assert goal(one, "S4 / Y3").verdict == "invalid"
    assert one.invalid
    assert "INVALID in round 2: 409 x" in table(one)


def test_what_was_not_measured_has_no_goal() -> None:
    assert not report(measured("Y3", 100, 100, 100)).goals


def test_without_its_yardstick_a_goal_is_not_applicable_and_says_why() -> None:
    one = report(measured("S7 100k", 5, 5, 5), measured("S7 1k", 5, 5, 5))
    one.not_applicable["Y4"] = "fastapi not installed"
    one.goals = goals(one)
    assert goal(one, "S7 / Y4").verdict == "not_applicable"
    assert goal(one, "S7 100k / 1k").verdict == "met"
    assert "not_applicable: fastapi not installed" in table(one)


def test_growth_is_held_against_less_and_nothing() -> None:
    one = report(
        measured("S4 large", 80, 90, 95), measured("S4 small", 100, 100, 100), measured("S4 empty", 130, 130, 130),
        measured("S8 large", 1, 1, p95_ms=15.1), measured("S8 1k", 1, 1, p95_ms=10.0),
    )  # fmt: skip
    assert (goal(one, "S13 / small").value, goal(one, "S13 / small").verdict) == (0.9, "met")
    assert goal(one, "S13 / empty").verdict == "missed"
    assert goal(one, "S8 large / 1k").verdict == "missed"
    assert "S7 large / 1k" not in {each.name for each in one.goals}


def test_memory_and_start_are_held_against_their_limits() -> None:
    one = report()
    one.memory = Memory(rss_mb=151.0, pss_mb=None)
    one.cold_start_seconds = Start(runs=[1.0, 2.0, 3.0], median_seconds=2.0)
    one.goals = goals(one)
    assert goal(one, "S12 memory").verdict == "missed"
    assert goal(one, "S12 start").verdict == "met"


def test_a_database_that_may_lose_what_it_acknowledged_is_named() -> None:
    assert Database(version="18", settings={"fsync": "off"}).not_durable == [
        "fsync is off", "synchronous_commit is None", "full_page_writes is None",
    ]  # fmt: skip
    assert report().database is not None
    assert not report().database.not_durable  # type: ignore[union-attr]


def test_a_report_is_read_back_as_it_was_stored() -> None:
    one = report(measured("S4", 40, 20, 20), measured("Y3", 100, 50, 50))
    assert msgspec.json.decode(msgspec.json.encode(one), type=Report) == one


def test_pgbench_is_read() -> None:
    found = parsed(PGBENCH)
    assert (found.n, found.per_second, found.mean_ms, found.failed) == (12000, 7236.123456, 6.912, 3)
    with pytest.raises(YardstickFailed):
        parsed("tps = nothing")


def test_asking_for_a_measure_brings_its_yardstick() -> None:
    assert bench._wanted("s4") == {"S4", "Y3"}
    assert bench._wanted("S12") == {"S12", "S4", "Y3"}
    assert bench._wanted("") == set(bench.NAMES)
    assert bench._wanted("S5") == {"S5", "S4", "Y3"}
    assert bench._wanted("S1") == {"S1", "Y1", "Y4"}
    assert bench._wanted("isolation") == {"ISOLATION"}
    with pytest.raises(BenchError, match="S99"):
        bench._wanted("S4,S99")

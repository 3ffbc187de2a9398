"""Scenarios in miniature over a real server and engine: what they find on a sound product, what makes them say nothing, and that
nothing is left over. Times are not judged here: the machine is busy with other tests.
"""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncpg
import msgspec
import psutil
import pytest

from holdfast.proof import serving
from holdfast.proof.bench.run import folder_on_disk
from holdfast.proof.prove import alternatives, run, stage
from holdfast.proof.prove.client import Client
from holdfast.proof.prove.place import LIFTS, Place, of_our_own
from holdfast.proof.prove.run import Wanted
from holdfast.proof.prove.scenarios import (
    calendar,
    combined,
    conflict,
    contention,
    faults,
    isolation,
    mixed,
    rules,
    saturation,
    soak,
    storm,
    throughput,
)
from holdfast.proof.prove.stage import Scale, Stage
from holdfast.proof.report import blanks, model, validity
from holdfast.proof.report.model import Figure, HistoryCheck
from holdfast.proof.report.promises import standing

pytestmark = pytest.mark.slow

SAMPLES = 200
"""So many are enough here: a p99 is then not told, and a p95 is."""


def quiet(_text: str) -> None:
    return


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less of everything that a figure would need."""
    for module in (stage, calendar, rules, isolation):
        monkeypatch.setattr(module, "P99_SAMPLES", SAMPLES)
    monkeypatch.setattr(contention, "_CURVE_CLIENTS", (1, 10))
    monkeypatch.setattr(contention, "_CURVE_REQUESTS", 50)
    monkeypatch.setattr(saturation, "STEPS", (1, 2))
    monkeypatch.setattr(saturation, "GOODPUT_PERCENT", 0)
    monkeypatch.setattr(saturation, "BENDS_AT_MS", 60_000)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with of_our_own(quiet) as made:
        yield made


MINIATURES = {
    storm: Scale(users=10, rate=200, seconds=1.5, ramp=0.5),
    conflict: Scale(users=10, rate=150, seconds=2),
    rules: Scale(users=10, rate=150, seconds=2),
    contention: Scale(users=10, rate=150, seconds=2),
    throughput: Scale(users=20, rate=200, seconds=1.5),
    mixed: Scale(users=20, rate=200, seconds=3),
    combined: Scale(users=10, rate=150, seconds=2),
    saturation: Scale(users=20, rate=400, seconds=1),
    isolation: Scale(users=5, seconds=0.1),
    soak: Scale(users=10, rate=250, seconds=6),
}


@pytest.mark.usefixtures("few")
def test_every_scenario_says_what_it_saw(place: Place) -> None:
    """One after the other on one server: nothing is wrong, nothing is blank, and everything is accounted for."""
    proving = Stage(place, 1, quiet)
    found = [module.run(proving, scale) for module, scale in MINIATURES.items()]
    found.append(calendar.run(proving, Scale(users=10, seconds=10), (("small", 10, 50),)))
    a_run = cast("model.Run", SimpleNamespace(invariants=run.queries()))
    for one in found:
        assert unsound(one) == [], one.name
        assert not one.crashes
        missing = [each for each in blanks._unfilled_in(a_run, one) if "span" not in each]
        assert missing == [], one.name
    assert organizations(place) == 0, "scratch organizations are left over"
    by_name = {one.name: one for one in found}
    assert values(by_name["contention"])["granted"] == contention.GRANTED
    assert values(by_name["conflict"])["alternatives_tried"] >= alternatives.REFUSALS_TRIED
    assert {len(table.rows) for table in by_name["isolation"].tables if table.name == "ways"} == {3}
    empty = calendar.run(proving, Scale(users=10, seconds=10), (("small", 10, 0),))
    assert any("window of data is empty" in each.sentence for each in validity_of(empty))


def test_nothing_acknowledged_is_lost_when_servers_and_database_are_killed() -> None:
    found = faults.run(_nowhere(), Scale(users=30, rate=100, seconds=9))
    history = found.history
    assert isinstance(history, HistoryCheck)
    assert not history.findings
    assert not isinstance(found.invariants, model.NotApplicable)
    assert not [each.name for each in found.invariants if each.rows]
    assert len(found.marks) == len(faults.KILLS)
    assert not found.crashes
    assert found.balance.unknown == history.unknown
    assert values(found)["lost"] == 0
    balance = found.balance
    assert isinstance(balance.granted, int)
    assert balance.granted > 0
    assert balance.unknown or balance.refused_by_overload, "nobody noticed that it was killed"  # fmt: skip


@pytest.mark.usefixtures("few")
def test_an_installation_elsewhere_is_proved_over_http_and_left_as_it_was(
    place: Place, tmp_path: Path
) -> None:
    said: list[str] = []
    wanted = Wanted(
        url=f"http://{place.address.host_header}", token=place.operator_token, only="contention", out=tmp_path
    )
    code = run.run(wanted, quiet, said.append)
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=model.Report)
    assert code == report.verdict.exit_status
    assert report.verdict.outcome in said[0]
    assert report.run.profile.is_http_only
    assert isinstance(report.run.database, model.NotApplicable)
    assert isinstance(report.run.scenarios[0].history, model.NotApplicable)
    assert values(report.run.scenarios[0])["granted"] == contention.GRANTED
    assert {file.name for file in tmp_path.iterdir() if file.is_file()} == {
        "report.json",
        "report.html",
        "report.md",
    }
    assert len(list(tmp_path.glob("*/*/report.html"))) == 1
    assert organizations(place) == 0  # fmt: skip


def test_a_limiter_that_was_left_on_makes_the_run_invalid(place: Place, tmp_path: Path) -> None:
    """100 requests in 15 minutes, as the described system has it: nothing passes, and nothing is called a pass."""
    limited = {"HOLDFAST_REQUESTS_PER_MINUTE_USER": "7", "HOLDFAST_OPERATOR_TOKEN": place.operator_token}
    with serving.holdfast(place.home, dict(LIFTS) | limited) as server:
        server.wait_until_answers("/health/ready")
        wanted = Wanted(
            url=f"http://{server.host_header}",
            token=place.operator_token,
            only="storm,contention",
            out=tmp_path,
        )
        assert run.run(wanted, quiet, quiet) == 2
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=model.Report)
    assert report.verdict.outcome == "invalid"
    assert sum("429" in each for each in report.verdict.invalid) >= 2
    assert organizations(place) == 0  # fmt: skip


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(folder_on_disk().glob("holdfast-bench-*"))
    log = tmp_path / "said"
    # who runs these tests behind a shell's back has told them, and what they begin, to ignore it
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = f"{heard}; from holdfast.cli import main; main()"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", command, "prove", "--only", "storm", "--out", str(tmp_path / "out")],
            stdout=said, stderr=said, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    with _ended(process):
        until = time.monotonic() + 90
        while "load" not in log.read_text() and time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, log.read_text()
        _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert set(folder_on_disk().glob(f"holdfast-bench-{process.pid}-*")) - before == set()
    assert not (tmp_path / "out").exists()


@contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _nowhere() -> Stage:
    """For a scenario that makes its own place."""
    unused: Place = None  # type: ignore[assignment]
    return Stage(unused, 1, quiet)


def unsound(one: model.Scenario) -> list[str]:
    """What is wrong beside times and too few samples."""
    assert not isinstance(one.invariants, model.NotApplicable)
    assert isinstance(one.history, HistoryCheck)
    found = [f"{each.name}: {each.rows} rows" for each in one.invariants if each.rows]
    found += [each.sentence for each in one.history.findings]
    found += [
        f"{each.name}: {each.measured}"
        for each in one.thresholds
        if each.is_law and standing(each) != "holds"
    ]
    return found + [each.sentence for each in validity_of(one)]


def validity_of(one: model.Scenario) -> list[validity.Fault]:
    """Why it says nothing, beside too few samples for a p99."""
    return [
        fault
        for fault in (validity.Fault(one.name, each) for check in validity._CHECKS for each in check(one))
        if "p99" not in fault.sentence
    ]


def values(one: model.Scenario) -> dict[str, float]:
    return {each.name: each.figure.value for each in one.figures if isinstance(each.figure, Figure)}


def organizations(place: Place) -> int:
    """How many there are."""

    async def count() -> int:
        connection = await asyncpg.connect(place.admin_url)
        try:
            return int(await connection.fetchval("select count(*) from organizations"))
        finally:
            await connection.close()

    return asyncio.run(count())


def test_the_operators_token_must_be_right(place: Place) -> None:
    with pytest.raises(Exception, match="401"), Client(place.address, "wrong" * 8) as nobody:
        nobody.made("/operator/organizations", name="x", admin_email="a@b.example", admin_password="x" * 20)

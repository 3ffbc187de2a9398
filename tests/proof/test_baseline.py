"""What is worse than an earlier run fails by its gate, and by no other; the archive tells how figures went."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from proof.fabricated import STARTED, N, run, scenario, with_scenario

from holdfast.proof.report import archive, baseline, made
from holdfast.proof.report.figures import figure
from holdfast.proof.report.model import Compared, Figure, NotApplicable, Run

replace = msgspec.structs.replace


def answering(*, p95: float = 30.0, p99: float = 60.0, mean: float = 15.0) -> Run:
    """A storm whose first latency is as given, milliseconds."""
    first, *rest = scenario("storm").timings
    of = replace(
        first.distribution, mean=figure(mean, "ms", N), p95=figure(p95, "ms", N), p99=figure(p99, "ms", N)
    )
    return with_scenario("storm", timings=(replace(first, distribution=of), *rest))


@pytest.mark.parametrize(
    ("now", "fails"),
    [
        (answering(), ""),
        (answering(p95=36), ""),
        (answering(p95=36.1), "p95"),
        (answering(p99=78), ""),
        (answering(p99=78.1), "p99"),
        (answering(mean=90), ""),
        (answering(p95=3, p99=6, mean=1), ""),
    ],
)
def test_what_has_grown_too_much_fails(now: Run, fails: str) -> None:
    found = baseline.compared(answering(), now)
    assert [each.name.rpartition(" ")[2] for each in found.changes if each.fails] == (
        [fails] if fails else []
    )
    assert len(found.failed) == (1 if fails else 0)
    said = made.report(now, made.report(answering())).verdict
    assert (said.outcome, said.exit_status) == (("NO-GO", 1) if fails else ("GO", 0))


@pytest.mark.parametrize(("p95", "fails"), [(100, False), (109, False), (110, False), (111, True)])
def test_a_limit_missed_by_over_a_tenth_fails(p95: float, fails: bool) -> None:
    thresholds = tuple(
        replace(each, comparison="at_most", measured=figure(p95, "ms", N)) if each.name == "p95" else each
        for each in scenario("storm").thresholds
    )
    found = baseline.compared(
        answering(),
        replace(answering(), scenarios=(replace(answering().scenarios[0], thresholds=thresholds),)),
    )
    assert [each.name for each in found.changes if each.fails] == (["Limit: p95"] if fails else [])


def test_change_is_a_share_of_what_was() -> None:
    found = baseline.compared(answering(p95=40), answering(p95=30))
    (change,) = (each for each in found.changes if each.name.endswith(", p95") and "due" in each.name)
    assert isinstance(change.change, Figure) and change.change.value == -25
    assert (change.before, change.after) == (figure(40, "ms", N), figure(30, "ms", N))


def test_a_figure_that_is_not_there_is_no_change() -> None:
    first, *rest = scenario("storm").timings
    none = NotApplicable(reason="Too few samples were taken.")
    now = with_scenario(
        "storm", timings=(replace(first, distribution=replace(first.distribution, p99=none)), *rest)
    )
    found = baseline.compared(answering(), now)
    (change,) = (each for each in found.changes if each.name.endswith("answer, p99"))
    assert isinstance(change.change, NotApplicable) and not change.fails


def test_what_makes_runs_hard_to_compare_is_told() -> None:
    other = replace(answering(), seed=2, machine=replace(answering().machine, processors=8))
    assert baseline.compared(other, answering()).differences == (
        "Seed: 2 before, 1 now.", "Processors: 8 before, 2 now.",
    )  # fmt: skip
    assert (
        "Not run now: rules."
        in baseline.compared(run(scenarios=(scenario("storm"), scenario("rules"))), answering()).differences
    )


def test_nothing_in_common_fails() -> None:
    bare = replace(
        with_scenario("rules"), database=NotApplicable(reason="From outside nothing is seen of it.")
    )
    assert baseline.compared(bare, answering()).failed == ("The two runs have no figure in common.",)


def test_a_baseline_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = made.report(answering())
    file, *_ = made.write(written, tmp_path / "one")
    assert baseline.read(file) == written
    said = made.report(answering(p95=40), baseline.read(file))
    assert isinstance(said.baseline, Compared) and said.baseline.failed
    assert "it fails if worse by over 20 %" in said.verdict.missed[0]


def test_a_file_that_is_no_baseline_is_told(tmp_path: Path) -> None:
    with pytest.raises(baseline.BaselineError, match="cannot be read"):
        baseline.read(tmp_path / "missing.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(baseline.BaselineError, match="no report of a proof"):
        baseline.read(tmp_path / "other.json")


def on_day(day: int, p95: float, profile: str = "full") -> Run:
    thresholds = tuple(
        replace(each, measured=figure(p95, "ms", N)) if each.name == "p95" else each
        for each in scenario("storm").thresholds
    )
    of = with_scenario("storm", thresholds=thresholds)
    started = STARTED + timedelta(days=day)
    return replace(
        of, started=started, ended=started + timedelta(minutes=9), profile=replace(of.profile, name=profile)
    )


def test_the_archive_draws_trends(tmp_path: Path) -> None:
    invalid = replace(on_day(3, 99), invalid=("The disk was full.",))
    for each in (on_day(1, 20), on_day(0, 10), on_day(2, 77, "smoke"), invalid, on_day(9, 88)):
        made.write(made.report(each), archive.folder(tmp_path, each))
    (tmp_path / "2026-03-02" / "broken").mkdir()
    (tmp_path / "2026-03-02" / "broken" / archive.REPORT).write_text('{"run": ')
    assert {each.name for each in tmp_path.iterdir()} == {f"2026-03-{day:02d}" for day in (2, 3, 4, 5, 11)}
    said = made.report(on_day(4, 30), archived=tmp_path)
    assert not isinstance(said.trends, NotApplicable)
    assert {each.name: [point.value for point in each.points] for each in said.trends}["p95"] == [10, 20, 30]
    assert not {"deadlocks", "duplicates"} & {each.name for each in said.trends}
    assert "storm: p95 since 2026-03-02" in made.page(said)


def test_a_first_run_has_no_trend(tmp_path: Path) -> None:
    said = made.report(on_day(0, 10), archived=tmp_path / "none")
    assert isinstance(said.trends, NotApplicable)

"""The verdict, cell by cell: each reason for NO-GO and each for invalid is seen, and nothing else of the run is moved."""

from typing import Any

import msgspec
import pytest
from proof import fabricated
from proof.fabricated import N, run, scenario, storm, with_scenario

from holdfast.proof.evidence import inside
from holdfast.proof.report import bottlenecks
from holdfast.proof.report.figures import count, distribution, figure
from holdfast.proof.report.model import (
    Answer,
    Balance,
    Compared,
    Comparison,
    Figure,
    Floor,
    HistoryCheck,
    HistoryFinding,
    InvariantRows,
    NotApplicable,
    Profile,
    Run,
    Scenario,
    Standing,
    Threshold,
    Timing,
    Unit,
    Verdict,
    Window,
)
from holdfast.proof.report.promises import margin, standing
from holdfast.proof.report.verdict import judged

NONE = NotApplicable(reason="No baseline was given.")
UNSEEN = NotApplicable(reason="From outside nothing is seen of it.")
OUTSIDE = Profile(name="smoke", what="Seconds of each", is_http_only=True)
replace = msgspec.structs.replace


def verdict(of: Run) -> Verdict:
    return judged(of, NONE)


def limited(name: str = "storm") -> dict[str, Any]:
    """Most requests were refused by a rate limiter."""
    of = scenario(name)
    return {
        "answers": (*of.answers, Answer(status=429, code="rate_limited", n=N)),
        "balance": Balance(offered=2 * N, granted=N - 400, refused_by_rule=400, refused_by_overload=N, failed=0),
    }  # fmt: skip


def held(of: Scenario, name: str, measured: Figure | NotApplicable) -> tuple[Threshold, ...]:
    """The thresholds, of which one was measured otherwise."""
    assert any(each.name == name for each in of.thresholds)
    return tuple(replace(each, measured=measured) if each.name == name else each for each in of.thresholds)


def p95(milliseconds: float) -> dict[str, Any]:
    return {"thresholds": held(scenario("storm"), "p95", figure(milliseconds, "ms", N))}


def test_everything_holds() -> None:
    said = verdict(run())
    assert (said.outcome, said.exit_status, said.readiness) == ("GO", 0, "ready"), said.reason
    assert not said.broken and not said.missed and not said.invalid
    assert {each.standing for each in said.promises} == {"holds"}
    assert said.reason.startswith(
        f"All {len(said.promises)} limits that were measured hold, in 12 of 12 scenarios"
    )
    assert [each.level for each in said.risks] == ["low", "low", "low"]


@pytest.mark.parametrize(
    ("comparison", "limit", "value", "left", "judgement"),
    [
        ("below", 100, 60, 40, "holds"),
        ("below", 100, 100, 0, "missed"),
        ("at_most", 100, 100, 0, "holds"),
        ("at_most", 100, 150, -50, "missed"),
        ("at_most", 100, 151, -51, "broken"),
        ("at_least", 20, 25, 25, "holds"),
        ("at_least", 20, 11, -45, "missed"),
        ("at_least", 20, 9, -55, "broken"),
        ("at_most", 0, 0, None, "holds"),
        ("at_most", 0, 1, None, "broken"),
        ("exactly", 5, 5, None, "holds"),
        ("exactly", 5, 4, None, "broken"),
    ],
)
def test_a_limit_is_judged_with_its_margin(
    comparison: Comparison, limit: float, value: float, left: float | None, judgement: Standing
) -> None:
    of = replace(
        fabricated.threshold("p95"), comparison=comparison, limit=limit, measured=figure(value, "ms", N)
    )
    there = margin(of)
    assert (there.value if isinstance(there, Figure) else None) == left
    assert standing(of) == judgement


def test_a_law_is_never_missed_by_a_little() -> None:
    of = replace(fabricated.threshold("throughput"), measured=figure(19.9, "per_second", N))
    assert standing(of) == "missed"
    assert standing(replace(of, is_law=True)) == "broken"


def test_a_limit_missed_by_a_little_is_no_go_and_needs_optimisation() -> None:
    said = verdict(with_scenario("storm", **p95(120)))
    assert (said.outcome, said.exit_status, said.readiness) == ("NO-GO", 1, "needs optimisation")
    assert said.missed == ("storm: p95 is 120 ms, and the limit is below 100 ms: missed by 20 %.",)
    assert said.risks[0].level == "high"
    assert any(each.startswith("Bring storm, p95, within its limit") for each in said.next_steps)


HARM: dict[str, dict[str, Any]] = {
    "missed by 51 %": p95(151),
    "a crash: the server ended": {"crashes": ("the server ended with signal 9.",)},
    "the invariant claims_overlap is broken by 2 rows": {
        "invariants": (InvariantRows(name="claims_overlap", rows=2, seconds=0.1), *scenario("storm").invariants[1:])  # type: ignore[index]
    },
    "the history cannot be: Visit 1 is lost.": {
        "history": HistoryCheck(
            operations=N, acknowledged=N, refused=0, unknown=0,
            findings=(HistoryFinding(kind="lost", sentence="Visit 1 is lost."),),
        )
    },
    "duplicates is 1, and the limit is at most 0": {
        "thresholds": held(scenario("storm"), "duplicates", count(1, N))
    },
}  # fmt: skip
"""By what the verdict says: what was broken in the storm."""


@pytest.mark.parametrize("sentence", HARM)
def test_what_is_broken_is_no_go(sentence: str) -> None:
    said = verdict(with_scenario("storm", **HARM[sentence]))
    assert (said.outcome, said.exit_status, said.readiness) == ("NO-GO", 1, "not ready")
    assert len(said.broken) == 1 and sentence in said.broken[0] and said.broken[0].startswith("storm: ")
    assert said.risks[2].level == ("medium" if "missed by" in sentence else "high")
    assert said.next_steps[0].startswith("Do not go live.")


@pytest.mark.parametrize("sentence", [each for each in HARM if "missed by" not in each])
def test_harm_is_no_go_in_an_invalid_run_too(sentence: str) -> None:
    said = verdict(with_scenario("storm", **(limited() | HARM[sentence])))
    assert said.invalid
    assert (said.outcome, said.exit_status) == ("NO-GO", 1)


def test_a_figure_of_an_invalid_scenario_breaks_nothing() -> None:
    """A limiter makes whatever it likes of latency and counts: that is no fault of what was measured."""
    few = {"thresholds": held(scenario("contention"), "granted", count(3, N))}
    assert verdict(with_scenario("contention", **few)).outcome == "NO-GO"
    assert verdict(with_scenario("contention", **(limited("contention") | few))).outcome == "invalid"
    many = {"thresholds": held(scenario("contention"), "granted", count(6, N))}
    assert verdict(with_scenario("contention", **(limited("contention") | many))).outcome == "NO-GO"
    assert verdict(with_scenario("storm", **(limited() | p95(500)))).outcome == "invalid"


def test_what_is_invalid_elsewhere_excuses_nothing() -> None:
    said = verdict(
        run(scenarios=(scenario("storm", **p95(151)), scenario("conflict", **limited("conflict"))))
    )
    assert (said.outcome, said.exit_status) == ("NO-GO", 1)


def balance(**changed: int | NotApplicable) -> dict[str, Any]:
    return {"balance": replace(scenario("storm").balance, **changed)}


def answers(*others: Answer) -> dict[str, Any]:
    first, *rest = scenario("storm").answers
    taken = sum(each.n for each in others)
    return {"answers": (replace(first, n=first.n - taken), *rest, *others)}


def timings(n: int) -> dict[str, Any]:
    first, *rest = scenario("storm").timings
    return {"timings": (replace(first, distribution=distribution([0.01] * n)), *rest)}


INVALID: dict[str, dict[str, Any]] = {
    "1 of 3,000 requests were answered 429": answers(Answer(status=429, code="rate_limited", n=1)),
    "2 of 3,000 requests were answered 401": answers(Answer(status=401, code="unauthenticated", n=2)),
    "3 of 3,000 requests were answered 403": answers(Answer(status=403, code="forbidden", n=3)),
    "Granted: 12, and it says nothing below 2,600": {"floors": (Floor(what="Granted", least=2600, reached=12),)},
    "The week: the window of data is empty": {"windows": (Window(what="The week", rows=0),)},
    "The balance has no term for failed": balance(failed=UNSEEN),
    "The balance has no term for refused by overload": balance(refused_by_overload=UNSEEN),
    "The balance has no term for offered": balance(offered=UNSEEN),
    "does not add up: 3,000 were offered, and 2,999 are": balance(refused_by_rule=399),
    "what became of 2,999 is listed": {"answers": (Answer(status=201, code="granted", n=N - 1),)},
    "has 999 samples, and a p99 needs 1,000": timings(999),
    "p95 was not measured": {"thresholds": held(scenario("storm"), "p95", UNSEEN)},
    "The history has 3,000 operations, and not all": {
        "history": HistoryCheck(operations=N, acknowledged=1, refused=1, unknown=1)
    },
    "The clock went backwards": {"invalid": ("The clock went backwards.",)},
    "figure duplicates is missing": {"figures": scenario("storm").figures[:-1]},
    "threshold duplicates is missing": {
        "thresholds": tuple(each for each in scenario("storm").thresholds if each.name != "duplicates")
    },
    "series p95 is missing": {"series": scenario("storm").series[:2]},
    "invariant audit_chain is missing": {"invariants": scenario("storm").invariants[:-1]},  # type: ignore[index]
    ".purpose says nothing": {"purpose": "[TBD]"},
    ".floors is empty": {"floors": ()},
}  # fmt: skip
"""By what the verdict says: what took the storm its worth."""


@pytest.mark.parametrize("sentence", INVALID)
def test_what_takes_a_run_its_worth_is_invalid(sentence: str) -> None:
    said = verdict(with_scenario("storm", **INVALID[sentence]))
    assert (said.outcome, said.exit_status, said.readiness) == ("invalid", 2, "not known"), said.broken
    assert any(sentence in each for each in said.invalid), said.invalid
    assert any(each.startswith("Make the run valid") for each in said.next_steps)


def test_a_percentile_of_too_few_samples_is_not_told() -> None:
    thin = distribution([0.01] * N)
    made = Timing(name="search", what="Search", distribution=replace(thin, p99=figure(10, "ms", 999)))
    said = verdict(with_scenario("storm", timings=(scenario("storm").timings[0], made)))
    assert said.invalid == ("storm: The p99 of search is made of too few samples.",)
    assert isinstance(distribution([0.01] * 999).p99, NotApplicable)


def test_what_a_scenario_provokes_is_its_own() -> None:
    provoked = answers(Answer(status=403, code="forbidden", n=3))
    assert verdict(with_scenario("storm", **provoked, intended=(403,))).outcome == "GO"


WHOLE: dict[str, dict[str, Any]] = {
    "The disk was full": {"invalid": ("The disk was full.",)},
    "No scenario was run": {"scenarios": ()},
    "Nothing was seen of the database": {"database": UNSEEN},
    "No invariant was asked for": {"invariants": UNSEEN},
    "environment storage is missing": {"environment": run().environment[:1]},
}


@pytest.mark.parametrize("sentence", WHOLE)
def test_what_takes_all_of_it_its_worth_is_invalid(sentence: str) -> None:
    said = verdict(storm(**WHOLE[sentence]))
    assert (said.outcome, said.exit_status) == ("invalid", 2)
    assert any(sentence in each for each in said.invalid), said.invalid


def test_from_outside_it_is_go_for_what_http_shows() -> None:
    one = scenario("storm", invariants=UNSEEN, thresholds=held(scenario("storm"), "deadlocks", UNSEEN))
    of = run(profile=OUTSIDE, database=UNSEEN, invariants=UNSEEN, scenarios=(one,))
    said = verdict(of)
    assert (said.outcome, said.exit_status) == ("GO", 0)
    assert "HTTP only" in said.reason
    assert [each.standing for each in said.promises].count("not_measured") == 1
    assert said.risks[2].level == "medium"
    late = replace(one, thresholds=held(one, "p95", UNSEEN))
    assert verdict(replace(of, scenarios=(late,))).outcome == "invalid"


def test_worse_than_the_baseline_is_no_go() -> None:
    of = storm()
    worse = Compared(started=of.started, commit="abc", changes=(), failed=("storm: p95 is worse by 25 %.",))
    said = judged(of, worse)
    assert (said.outcome, said.missed) == ("NO-GO", ("Against the baseline: storm: p95 is worse by 25 %.",))


def used(scenario_name: str, name: str, percent: float) -> Run:
    of = scenario(scenario_name)
    assert not isinstance(of.inside.usages, NotApplicable)
    unit: Unit = "%"
    busy = tuple(
        replace(each, average=figure(percent, unit, 60)) if each.name == name else each
        for each in of.inside.usages
    )
    return run(scenarios=(replace(of, inside=replace(of.inside, usages=busy)),))


def test_every_part_of_the_road_has_its_cause() -> None:
    assert set(bottlenecks._SPANS) == {*inside._SPANS, "rest"}


def test_bottlenecks_come_from_the_figures() -> None:
    (lane,) = verdict(storm()).bottlenecks
    assert lane.symptom.startswith("It waits in the lane: 58 %")
    assert any("begin with" in each for each in verdict(storm()).next_steps)
    found = verdict(used("storm", "generator_cpu", 97)).bottlenecks
    assert any("makes the load has used up a processor" in each.cause for each in found)
    assert not any(
        "makes the load" in each.cause for each in verdict(used("storm", "generator_cpu", 60)).bottlenecks
    )


def test_what_was_left_out_is_a_next_step_and_a_risk() -> None:
    said = verdict(with_scenario("storm"))
    assert "1 of 12 scenarios" in said.reason
    assert any("--profile soak" in each for each in said.next_steps)
    assert any(each.startswith("Run what was left out: conflict, rules,") for each in said.next_steps)
    assert [each.level for each in said.risks] == ["low", "medium", "medium"]

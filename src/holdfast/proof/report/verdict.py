"""GO, NO-GO or invalid, derived from what was measured. Pure.

NO-GO: something was actually broken, whatever else is wrong with the run; or the run is valid and a limit was missed. Invalid:
nothing was broken, but the run says nothing. GO: every limit holds. A limit missed by up to 50 % is a NO-GO that needs
optimisation; by more, or a law, means that the installation is not ready.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from holdfast.proof.report.advice import Known, next_steps, risks
from holdfast.proof.report.blanks import SCENARIOS
from holdfast.proof.report.bottlenecks import bottlenecks
from holdfast.proof.report.model import (
    Compared,
    Figure,
    HistoryCheck,
    NotApplicable,
    Outcome,
    Promise,
    Run,
    Scenario,
    Threshold,
    Verdict,
)
from holdfast.proof.report.promises import is_too_much, promises
from holdfast.proof.report.units import told, told_value
from holdfast.proof.report.validity import Fault, faults

EXIT: Final[Mapping[Outcome, int]] = MappingProxyType({"GO": 0, "NO-GO": 1, "invalid": 2})
"""What the command ends with."""
_FINDINGS_TOLD: Final = 3


def judged(run: Run, compared: Compared | NotApplicable) -> Verdict:
    """The verdict on a run, and on how it stands against an earlier one."""
    found, wrong = promises(run), faults(run)
    harm = [*_harm(run), *_far_off(found, wrong, is_law=True)]
    broken = [*harm, *_far_off(found, wrong, is_law=False)]
    missed = [f"{each.scenario}: {_missed(each)}" for each in found if each.standing == "missed"]
    if isinstance(compared, Compared):
        missed += [f"Against the baseline: {each}" for each in compared.failed]
    outcome = _outcome(broken, missed, wrong)
    known = Known(run, found, wrong, broken, harm, bottlenecks(run), compared)
    readiness, recommendation = _advised(outcome, broken)
    return Verdict(
        outcome=outcome, exit_status=EXIT[outcome], reason=_reason(known, outcome, missed), readiness=readiness,
        recommendation=recommendation, broken=tuple(broken), missed=tuple(missed), invalid=tuple(map(str, wrong)),
        promises=found, risks=risks(known), bottlenecks=tuple(known.bottlenecks), next_steps=next_steps(known),
    )  # fmt: skip


def _outcome(broken: list[str], missed: list[str], wrong: list[Fault]) -> Outcome:
    if broken:
        return "NO-GO"
    if wrong:
        return "invalid"
    return "NO-GO" if missed else "GO"


def _harm(run: Run) -> list[str]:
    """What is wrong in what is stored, in what clients were told, or with a process: it needs no limit to be wrong."""
    found = []
    for one in run.scenarios:
        found += [f"{one.name}: a crash: {each}" for each in one.crashes]
        if not isinstance(one.invariants, NotApplicable):
            found += [
                f"{one.name}: the invariant {each.name} is broken by {each.rows:,} rows."
                for each in one.invariants
                if each.rows
            ]
        if isinstance(one.history, HistoryCheck) and one.history.findings:
            more = len(one.history.findings) - _FINDINGS_TOLD
            found += [
                f"{one.name}: the history cannot be: {each.sentence}"
                for each in one.history.findings[:_FINDINGS_TOLD]
            ]
            if more > 0:
                found.append(f"{one.name}: the history has {more:,} more findings.")
        found += [f"{one.name}: {_measured(each)}" for each in one.thresholds if is_too_much(each)]
    return found


def _far_off(found: tuple[Promise, ...], wrong: list[Fault], *, is_law: bool) -> list[str]:
    """Limits, or laws, that are broken in scenarios that say something; in the others the fault may be the run's."""
    void = {each.scenario for each in wrong}
    return [
        f"{each.scenario}: {_missed(each)}"
        for each in found
        if each.standing == "broken"
        and each.threshold.is_law == is_law
        and each.scenario not in void
        and not is_too_much(each.threshold)
    ]


def _missed(promise: Promise) -> str:
    said = _measured(promise.threshold)
    if not isinstance(promise.margin, Figure):
        return said
    return f"{said[:-1]}: missed by {-promise.margin.value:.0f} %."


def _measured(threshold: Threshold) -> str:
    return f"{threshold.what} is {told(threshold.measured)}, and the limit is {limit(threshold)}."


def limit(threshold: Threshold) -> str:
    """The limit in words: "at most 100 ms"."""
    said = threshold.comparison.replace("_", " ")
    return f"{said} {told_value(threshold.limit, threshold.unit)}"


def _advised(outcome: Outcome, broken: list[str]) -> tuple[str, str]:
    match outcome:
        case "GO":
            return "ready", "Approve for production."
        case "invalid":
            return "not known", "Additional testing needed: this run decides nothing."
        case _:
            if broken:
                return "not ready", "Do not approve."
            return "needs optimisation", "Requires optimisation, then another run."


def _reason(known: Known, outcome: Outcome, missed: list[str]) -> str:
    scenarios = known.run.scenarios
    ran = f"{len(scenarios)} of {len(SCENARIOS)} scenarios"
    outside = " HTTP only: nothing was seen of the database." if known.run.profile.is_http_only else ""
    match outcome:
        case "invalid":
            first, count = str(known.faults[0]), len(known.faults)
        case "NO-GO":
            first, count = (known.broken or missed)[0], len(known.broken or missed)
        case _:
            held = sum(each.standing == "holds" for each in known.promises)
            return f"All {held} limits that were measured hold, in {ran}, {_checks(scenarios)}.{outside}"
    more = f" And {count - 1} more." if count > 1 else ""
    return f"{first}{more}{outside}"


def _checks(scenarios: tuple[Scenario, ...]) -> str:
    rows = [one.invariants for one in scenarios if not isinstance(one.invariants, NotApplicable)]
    histories = [one.history for one in scenarios if isinstance(one.history, HistoryCheck)]
    asked, operations = sum(len(each) for each in rows), sum(each.operations for each in histories)
    if not asked and not operations:
        return "seen from outside"
    return (
        f"with no broken row in {asked:,} invariants asked and no contradiction in {operations:,} operations"
    )

"""Thresholds judged: what is left of each limit, and whether it holds, is missed or is broken. Pure."""

from typing import Final

from holdfast.proof.report.figures import figure
from holdfast.proof.report.model import Cell, Figure, NotApplicable, Promise, Run, Standing, Threshold

FAR_PERCENT: Final = 50.0
"""A limit missed by more is no matter of tuning."""


def promises(run: Run) -> tuple[Promise, ...]:
    """Every threshold of every scenario, judged."""
    return tuple(
        Promise(scenario=one.name, threshold=each, margin=margin(each), standing=standing(each))
        for one in run.scenarios
        for each in one.thresholds
    )


def margin(threshold: Threshold) -> Cell:
    """Per cent of the limit that is left, or (below 0) that it is missed by. Where any miss is a whole one there is none."""
    measured, limit = threshold.measured, threshold.limit
    if isinstance(measured, NotApplicable):
        return measured
    if limit == 0:
        return NotApplicable(reason="The limit is zero: it holds or it does not.")
    if threshold.comparison == "exactly":
        return NotApplicable(reason="The figure is exact: it holds or it does not.")
    left = measured.value - limit if threshold.comparison == "at_least" else limit - measured.value
    return figure(100 * left / abs(limit), "%", measured.n)


def standing(threshold: Threshold) -> Standing:
    if isinstance(threshold.measured, NotApplicable):
        return "not_measured"
    if holds(threshold, threshold.measured.value):
        return "holds"
    left = margin(threshold)
    is_near = isinstance(left, Figure) and left.value >= -FAR_PERCENT
    return "missed" if is_near and not threshold.is_law else "broken"


def holds(threshold: Threshold, value: float) -> bool:
    match threshold.comparison:
        case "below":
            return value < threshold.limit
        case "at_most":
            return value <= threshold.limit
        case "at_least":
            return value >= threshold.limit
        case "exactly":
            return value == threshold.limit


def is_too_much(threshold: Threshold) -> bool:
    """Whether more was there than may be: a harm done, whatever else went wrong with the run. Too few may be the run's fault."""
    measured = threshold.measured
    return (
        threshold.is_law
        and isinstance(measured, Figure)
        and threshold.comparison != "at_least"
        and measured.value > threshold.limit
    )

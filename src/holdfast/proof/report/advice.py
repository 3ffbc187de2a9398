"""How much risk is left, and what to do next: both by tables of rules over the figures, so that nobody types them. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from holdfast.proof.report.blanks import SCENARIOS
from holdfast.proof.report.figures import value
from holdfast.proof.report.model import (
    Bottleneck,
    Compared,
    Figure,
    HistoryCheck,
    Level,
    NotApplicable,
    Promise,
    Risk,
    Run,
    Scenario,
)
from holdfast.proof.report.validity import Fault

COMFORT_PERCENT: Final = 30.0
"""With so much of every limit left, a busy day is no worry."""
SEEDS_PER_SECOND: Final = 20.0
"""Bookings a second that the seeds ask for: what the knee is held against."""
_IN_TIME: Final = ("ms", "us")
_TOLD_MAX: Final = 3
"""Of steps of one kind: after the first few another run says more."""


class Known(NamedTuple):
    """What advice is derived from. `broken`: why it is NO-GO, in sentences; `harm`: of these what is no matter of speed."""

    run: Run
    promises: Sequence[Promise]
    faults: Sequence[Fault]
    broken: Sequence[str]
    harm: Sequence[str]
    bottlenecks: Sequence[Bottleneck]
    compared: Compared | NotApplicable


def risks(known: Known) -> tuple[Risk, ...]:
    return (_performance(known), _scalability(known), _reliability(known))


def next_steps(known: Known) -> tuple[str, ...]:
    """The most urgent first; there is always one."""
    return tuple(step for rule in _STEPS for step in rule(known))


def _performance(known: Known) -> Risk:
    timed = [
        each for each in known.promises if each.threshold.unit in _IN_TIME and value(each.margin) is not None
    ]
    if not timed:
        return Risk(area="performance", level="high", why="No limit of time was measured.")
    least = min(timed, key=lambda each: value(each.margin) or 0.0)
    left = value(least.margin) or 0.0
    level: Level = "low" if left >= COMFORT_PERCENT else "medium" if left >= 0 else "high"
    told = f"{left:.0f} % of the limit is left" if left >= 0 else f"the limit is missed by {-left:.0f} %"
    why = f"Of {len(timed)} limits of time the closest is {least.scenario}, {least.threshold.what}: {told}."
    return Risk(area="performance", level=level, why=why)


def _scalability(known: Known) -> Risk:
    knee = next(
        (value(each.figure) for one in known.run.scenarios for each in one.figures if each.name == "knee"),
        None,
    )
    if knee is None:
        return Risk(
            area="scalability", level="medium", why="The knee is not known: saturation was not measured."
        )
    times = knee / SEEDS_PER_SECOND
    level: Level = "low" if times >= 5 else "medium" if times >= 2 else "high"
    why = f"The knee lies at {knee:,.0f} bookings a second, {times:,.1f} times the {SEEDS_PER_SECOND:.0f} asked for."
    return Risk(area="scalability", level=level, why=why)


def _reliability(known: Known) -> Risk:
    scenarios = known.run.scenarios
    if known.harm:
        return Risk(area="reliability", level="high", why=f"Broken: {known.harm[0]}")
    if isinstance(known.run.invariants, NotApplicable):
        return Risk(
            area="reliability", level="medium", why="The invariants were not asked for in the database."
        )
    operations = sum(each.history.operations for each in scenarios if isinstance(each.history, HistoryCheck))
    what = f"{len(known.run.invariants)} invariants hold, and {operations:,} operations are consistent with each other"
    if not any(each.name == "faults" for each in scenarios):
        return Risk(area="reliability", level="medium", why=f"{what}, but nothing was killed in this run.")
    if known.faults:
        return Risk(area="reliability", level="medium", why=f"{what}, but the run is invalid.")
    return Risk(area="reliability", level="low", why=f"{what}, with server and database killed meanwhile.")


def _mend(known: Known) -> Iterator[str]:
    for each in known.broken[:_TOLD_MAX]:
        yield f"Do not go live. Find out why, with the report's data: {each}"


def _make_valid(known: Known) -> Iterator[str]:
    if known.faults:
        yield f"Make the run valid and run it again. First: {known.faults[0]}"


def _not_faster(known: Known) -> Iterator[str]:
    missed = [each for each in known.promises if each.standing == "missed"]
    for each in missed[:_TOLD_MAX]:
        yield (
            f"Bring {each.scenario}, {each.threshold.what}, within its limit: {_cure(known, each.scenario)}"
            " Then run it again on a quiet machine."
        )


def _cure(known: Known, scenario: str) -> str:
    """The remedy of the largest bottleneck of the scenario, else of the largest there is."""
    there = [each for each in known.bottlenecks if each.scenario == scenario] or list(known.bottlenecks)
    return there[0].remedy if there else "look at its spans."


def _not_worse(known: Known) -> Iterator[str]:
    if isinstance(known.compared, Compared) and known.compared.failed:
        yield f"Find the change that made it worse than at {known.compared.commit[:10]}: {known.compared.failed[0]}"


def _close(known: Known) -> Iterator[str]:
    near = [
        each
        for each in known.promises
        if each.standing == "holds" and (left := value(each.margin)) is not None and left < 10
    ]
    for each in near[:2]:
        yield f"Watch {each.scenario}, {each.threshold.what}: less than a tenth of its limit is left."


def _widen(known: Known) -> Iterator[str]:
    ran = {each.name for each in known.run.scenarios}
    left_out = [name for name in SCENARIOS if name not in ran]
    if "soak" in left_out:
        left_out.remove("soak")
        yield "Run `holdfast prove --profile soak --hours 4` once: memory and latency must stay flat."
    if left_out:
        yield f"Run what was left out: {', '.join(left_out)}."
    if known.run.profile.name == "smoke":
        yield "Run `holdfast prove --profile full` on a quiet machine: this profile is short."


def _look_inside(known: Known) -> Iterator[str]:
    if known.run.profile.is_http_only:
        yield "Run it on the machine of the server as well: from outside nothing is seen of the database."


def _size(known: Known) -> Iterator[str]:
    for each in known.bottlenecks[:1]:
        yield f"For more load begin with {each.scenario}, where the most is to be won: {each.remedy}"


def _indexes(known: Known) -> Iterator[str]:
    database = known.run.database
    if isinstance(database, NotApplicable) or isinstance(database.indexes, NotApplicable):
        return
    for each in database.indexes:
        if isinstance(each.scans, Figure) and not each.scans.value:
            yield f"The index {each.name} was not used once: look whether {each.serves} still needs it."


def _keep(known: Known) -> Iterator[str]:
    if isinstance(known.compared, NotApplicable):
        yield "Keep this run, and give its JSON as `--baseline` to the next one."
    yield "Load the alarms and the dashboard of `monitoring/`: they watch the same limits."


def _unknowns(known: Known) -> Iterator[str]:
    worst = max(known.run.scenarios, key=_unknown, default=None)
    if worst is not None and _unknown(worst):
        yield (
            f"{worst.name}: {_unknown(worst):,} requests were told that their outcome is unknown. See that clients ask"
            " again with the same Idempotency-Key."
        )


def _unknown(scenario: Scenario) -> int:
    return scenario.balance.unknown


_STEPS: Final[tuple[Callable[[Known], Iterator[str]], ...]] = (
    _mend, _make_valid, _not_faster, _not_worse, _close, _widen, _look_inside, _size, _indexes, _unknowns, _keep,
)  # fmt: skip

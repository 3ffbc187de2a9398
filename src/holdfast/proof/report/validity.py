"""Why a run says nothing. Each reason is about one scenario, or about the run as a whole. Pure."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from holdfast.proof.report import blanks
from holdfast.proof.report.model import Cell, Figure, HistoryCheck, NotApplicable, Run, Scenario
from holdfast.proof.statistics import samples_needed

WHOLE: Final = "run"
P99_SAMPLES: Final = samples_needed(99)
_KNOWN_STATUSES: Final = (401, 403)


class Fault(NamedTuple):
    """`scenario`: its name, or `WHOLE`."""

    scenario: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence if self.scenario == WHOLE else f"{self.scenario}: {self.sentence}"


def faults(run: Run) -> list[Fault]:
    """Every reason why the run, or one of its scenarios, says nothing."""
    found = [Fault(WHOLE, each) for each in _of_whole(run)]
    for one in run.scenarios:
        found += [Fault(one.name, each) for check in _CHECKS for each in check(one)]
        found += [Fault(one.name, each) for each in _unmeasured(run, one)]
    return [*found, *(Fault(WHOLE, f"There is a blank: {each}.") for each in blanks.blanks(run))]


def _of_whole(run: Run) -> Iterator[str]:
    yield from run.invalid
    if not run.scenarios:
        yield "No scenario was run."
    if run.profile.is_http_only:
        return
    if isinstance(run.database, NotApplicable):
        yield f"Nothing was seen of the database: {run.database.reason}"
    if isinstance(run.invariants, NotApplicable):
        yield f"No invariant was asked for: {run.invariants.reason}"


def _unmeasured(run: Run, one: Scenario) -> Iterator[str]:
    """With `--url` alone what the database knows is not known, and that is told; anything else must have been measured."""
    for each in one.thresholds:
        is_excused = run.profile.is_http_only and each.evidence == "database"
        if isinstance(each.measured, NotApplicable) and not is_excused:
            yield f"{each.name} was not measured: {each.measured.reason}"


def _own(one: Scenario) -> Iterator[str]:
    yield from one.invalid


def _limited(one: Scenario) -> Iterator[str]:
    n = sum(each.n for each in one.answers if each.status == 429)
    if n:
        yield f"{n:,} of {_offered(one)} requests were answered 429: a rate limiter was in the way."


def _unauthorized(one: Scenario) -> Iterator[str]:
    for status in _KNOWN_STATUSES:
        n = sum(each.n for each in one.answers if each.status == status)
        if n and status not in one.intended:
            yield f"{n:,} of {_offered(one)} requests were answered {status}, which the scenario did not intend."


def _too_few(one: Scenario) -> Iterator[str]:
    for each in one.floors:
        if each.reached < each.least:
            yield f"{each.what}: {each.reached:,}, and it says nothing below {each.least:,}."


def _empty(one: Scenario) -> Iterator[str]:
    for each in one.windows:
        if each.rows < 1:
            yield f"{each.what}: the window of data is empty."


def _unbalanced(one: Scenario) -> Iterator[str]:
    of = one.balance
    terms = {
        "offered": of.offered, "granted": of.granted, "refused by rule": of.refused_by_rule,
        "refused by overload": of.refused_by_overload, "failed": of.failed,
    }  # fmt: skip
    for name, term in terms.items():
        if isinstance(term, NotApplicable):
            yield f"The balance has no term for {name}: {term.reason}"
        elif term < 0:
            yield f"The balance has {term:,} {name}."
    counts = [term for term in terms.values() if not isinstance(term, NotApplicable)]
    if len(counts) < len(terms):
        return
    offered, *parts = counts
    if offered != sum(parts):
        yield f"The balance does not add up: {offered:,} were offered, and {sum(parts):,} are accounted for."
    answered = sum(each.n for each in one.answers)
    if answered != offered:
        yield f"{offered:,} requests were offered, and what became of {answered:,} is listed."


def _thin(one: Scenario) -> Iterator[str]:
    """A p99 of few samples is one sample: it is not told, and the one that a scenario is about must be there."""
    for number, each in enumerate(one.timings):
        if number == 0 and each.distribution.n < P99_SAMPLES:
            yield f"{each.name} has {each.distribution.n:,} samples, and a p99 needs {P99_SAMPLES:,}."
        elif _is_thin(each.distribution.p99):
            yield f"The p99 of {each.name} is made of too few samples."
    if not isinstance(one.inside.spans, NotApplicable):
        for span in one.inside.spans:
            if _is_thin(span.distribution.p99):
                yield f"The p99 of the span {span.name} is made of too few samples."
    for threshold in one.thresholds:
        if threshold.name.startswith("p99") and _is_thin(threshold.measured):
            yield f"{threshold.name} is made of too few samples."


def _is_thin(p99: Cell) -> bool:
    return isinstance(p99, Figure) and p99.n < P99_SAMPLES


def _uncounted(one: Scenario) -> Iterator[str]:
    of = one.history
    if isinstance(of, HistoryCheck) and of.operations != of.acknowledged + of.refused + of.unknown:
        yield f"The history has {of.operations:,} operations, and not all are acknowledged, refused or unknown."


def _offered(one: Scenario) -> str:
    of = one.balance.offered
    return "an unknown number of" if isinstance(of, NotApplicable) else f"{of:,}"


_CHECKS: Final[tuple[Callable[[Scenario], Iterator[str]], ...]] = (
    _own, _limited, _unauthorized, _too_few, _empty, _unbalanced, _thin, _uncounted,
)  # fmt: skip

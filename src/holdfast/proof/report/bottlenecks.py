"""Where the time goes: what takes a large part of the road, or is used up, by a table of signs. Each is told with the figure
that it was found by. Pure.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from holdfast.proof.report.figures import value
from holdfast.proof.report.model import Bottleneck, Cell, NotApplicable, Run, Scenario

LARGE_SHARE: Final = 30.0
"""Per cent of the road's time from which a part of it is worth a word."""
FULL_PERCENT: Final = 90.0
"""Per cent of one processor from which a process has none to spare."""
_TOLD_MAX: Final = 6


class _Known(NamedTuple):
    cause: str
    remedy: str


_SPANS: Final[Mapping[str, _Known]] = MappingProxyType({
    "authenticate": _Known(
        "Tokens that this process has not seen yet are verified, and their sessions are looked up.",
        "Let clients keep their tokens until they expire; look whether many sign in at once.",
    ),
    "lane_wait": _Known(
        "A request waits until the batch before its own is committed.",
        "What shortens a batch shortens the wait: a faster flush, fewer rules. Organizations do not wait for each other.",
    ),
    "facts": _Known(
        "The database reads days, patients and authorizations that the process does not remember.",
        "Look at the plans and at how much of the database fits into its memory.",
    ),
    "decide": _Known(
        "The server decides each request of the batch, one after the other.",
        "A faster processor; organizations of different processes are decided at the same time.",
    ),
    "rules": _Known(
        "The policies in force are asked about each room.",
        "Look which rules of the policy never decide anything, and take rooms out that nobody books.",
    ),
    "ahead": _Known(
        "What is decided waits until the batch before it is written.",
        "What shortens a write shortens this wait too: see there.",
    ),
    "write": _Known(
        "The rows of the batch are written, and the law is asked for each claim.",
        "Processor time of the database; look at the size of the indexes on claims.",
    ),
    "committing": _Known(
        "The disk flushes what was written before anybody is told.",
        "A disk with a faster flush (the machine's is told at the top); never a weaker setting.",
    ),
    "explain": _Known(
        "A refusal looks for everything that is in the way, and for the nearest times that could be had instead.",
        "Nothing, while people ask; who only wants to know whether a time is free may ask for conflicts.",
    ),
    "rest": _Known(
        "HTTP, looking things up and encoding, and waiting for a processor that others use.",
        "Free processors: look at what else runs on the machine, the program that makes the load among it.",
    ),
})  # fmt: skip

_USED_UP: Final[Mapping[str, _Known]] = MappingProxyType({
    "server_cpu": _Known("The server has used up a processor.", "A faster processor, or another server process."),
    "database_cpu": _Known(
        "The database has used up a processor.", "Processors for the database, or less to read: see the plans."
    ),
    "generator_cpu": _Known(
        "The program that makes the load has used up a processor, so the figures may be its own.",
        "Run the load from another machine, or with more generators, and compare.",
    ),
})  # fmt: skip


def bottlenecks(run: Run) -> tuple[Bottleneck, ...]:
    """The largest first. Of a cause that shows in several scenarios, the one where it is largest."""
    largest: dict[str, Bottleneck] = {}
    for scenario in run.scenarios:
        for sign in _SIGNS:
            for each in sign(scenario):
                known = largest.get(each.cause)
                if known is None or _size(each) > _size(known):
                    largest[each.cause] = each
    return tuple(sorted(largest.values(), key=_size, reverse=True)[:_TOLD_MAX])


def _size(one: Bottleneck) -> float:
    return value(one.share) or 0.0


def _spans(scenario: Scenario) -> Iterator[Bottleneck]:
    if isinstance(scenario.inside.spans, NotApplicable):
        return
    for span in scenario.inside.spans:
        part, known = value(span.share), _SPANS.get(span.name)
        if part is None or part < LARGE_SHARE or known is None:
            continue
        yield _found(
            scenario, f"{span.what[:1].upper()}{span.what[1:]}: {part:.0f} % of the time of a request", known, span.share,
            f"{_told(span.distribution.mean)} on average; no more than this can be won here.",
        )  # fmt: skip


def _used_up(scenario: Scenario) -> Iterator[Bottleneck]:
    if isinstance(scenario.inside.usages, NotApplicable):
        return
    for usage in scenario.inside.usages:
        average, known = value(usage.average), _USED_UP.get(usage.name)
        if average is not None and average >= FULL_PERCENT and known is not None:
            yield _found(
                scenario, f"{usage.what}: {average:.0f} % of one processor on average", known, _no_share(),
                "More load than this is answered later, not more often.",
            )  # fmt: skip


def _waiting(scenario: Scenario) -> Iterator[Bottleneck]:
    if isinstance(scenario.inside.pool, NotApplicable):
        return
    for usage in scenario.inside.pool.usages:
        peak, average = value(usage.peak), value(usage.average)
        if usage.name == "waiting" and peak and average is not None and average >= 1:
            known = _Known(
                "All connections of the pool are in use.", "A larger pool, or shorter transactions."
            )
            impact = f"{average:.1f} requests waited for a connection on average, {peak:.0f} at most."
            yield _found(scenario, "Requests wait for a connection", known, _no_share(), impact)


def _locked(scenario: Scenario) -> Iterator[Bottleneck]:
    locks = scenario.inside.locks
    if isinstance(locks, NotApplicable) or not locks.waits:
        return
    seen = sum(each.n for each in locks.waits)
    if seen < locks.samples:
        return
    most = max(locks.waits, key=lambda each: each.n)
    known = _Known(
        f"Transactions wait for each other's locks, most of all {most.mode} on {most.relation}.",
        "Find who holds it: writers outside the organization's turn, or a long transaction.",
    )
    impact = f"{seen:,} waits were seen in {locks.samples:,} looks."
    yield _found(scenario, "Transactions wait for locks", known, _no_share(), impact)


def _found(scenario: Scenario, symptom: str, known: _Known, share: Cell, impact: str) -> Bottleneck:
    return Bottleneck(
        scenario=scenario.name, symptom=symptom, cause=known.cause, share=share, impact=impact, remedy=known.remedy
    )  # fmt: skip


def _no_share() -> NotApplicable:
    return NotApplicable(reason="This is seen from outside the road and has no part of it.")


def _told(cell: Cell) -> str:
    return cell.reason if isinstance(cell, NotApplicable) else f"{cell.value:.2f} ms"


_SIGNS: Final[tuple[Callable[[Scenario], Iterator[Bottleneck]], ...]] = (_spans, _used_up, _waiting, _locked)

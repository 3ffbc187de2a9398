"""What became of the load: every answer with its time, and the report's figures made of them. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple, Self

from holdfast.proof.driver import Plan, Result
from holdfast.proof.history.log import Operation, Visit
from holdfast.proof.prove.bookings import Asked
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, distribution, figure, p95_of_each_second, per_second, share
from holdfast.proof.report.model import Balance, Cell, Figure, Series, Unit

_OVERLOAD = frozenset({"overloaded", "not_ready", "rate_limited"})
_RULE = frozenset({409, 410, 412})
_CODES: Mapping[int, str] = {401: "unauthenticated", 429: "rate_limited"}


class Sample(NamedTuple):
    """An answer that was expected: when it was due and when it came, in seconds since the load began."""

    due: float
    end: float
    status: int

    @property
    def seconds(self) -> float:
        return self.end - self.due


@dataclass
class Seen:
    """Of one plan, or of several one after the other: the second begins in time where the first has ended."""

    samples: list[Sample] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    statuses: Counter[tuple[int, str]] = field(default_factory=Counter)
    offered: int = 0
    seconds: float = 0.0
    generator_seconds: float = 0.0
    rounds: int = 0
    planned: int = 0
    unknown: int = 0
    unexpected: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan, asked: Asked, result: Result, operations: Sequence[Operation]) -> Self:
        """What became of one plan."""
        times = zip(result.samples, result.ends, result.statuses_each, strict=True)
        return cls(
            samples=[Sample(end - latency, end, status) for latency, end, status in times],
            operations=list(operations), statuses=_counted(result, operations), offered=result.offered,
            planned=result.offered if plan.repeat else len(asked), seconds=result.seconds + plan.warm_up_seconds,
            generator_seconds=result.cpu_seconds, rounds=1, unexpected=result.unexpected,
            unknown=sum(each.outcome == "unknown" for each in operations),
        )  # fmt: skip

    def join(self, other: Self) -> None:
        """Adds what became of a load that ran afterwards."""
        began = self.seconds
        self.samples += [Sample(began + each.due, began + each.end, each.status) for each in other.samples]
        self.operations += other.operations
        self.statuses += other.statuses
        self.offered += other.offered
        self.planned += other.planned
        self.seconds += other.seconds
        self.generator_seconds += other.generator_seconds
        self.rounds += other.rounds
        self.unknown += other.unknown
        self.unexpected += other.unexpected

    def totals(self) -> Self:
        """The counts without the single answers: of hours there are too many to keep."""
        return replace(self, samples=[], operations=[])

    def latencies(self, *statuses: int) -> list[float]:
        """Seconds of each expected answer, or of those with one of the statuses."""
        return [each.seconds for each in self.samples if not statuses or each.status in statuses]

    @property
    def granted(self) -> int:
        return sum(n for (status, _), n in self.statuses.items() if 200 <= status < 300)

    @property
    def refused(self) -> int:
        """By a rule."""
        return sum(n for (status, _), n in self.statuses.items() if status in _RULE)

    @property
    def granted_share(self) -> Cell:
        """Per cent of what was planned."""
        return share(self.granted, self.planned)

    @property
    def per_second(self) -> float:
        """Granted answers a second."""
        return self.granted / self.seconds if self.seconds else 0.0

    @property
    def generator_cpu(self) -> Cell:
        """Share of one processor."""
        return figure(
            100 * self.generator_seconds / self.seconds if self.seconds else 0.0, "%", max(1, self.rounds)
        )

    def balance(self) -> Balance:
        by_rule = self.refused
        overload = sum(n for (_, code), n in self.statuses.items() if code in _OVERLOAD)
        return Balance(
            offered=self.offered, granted=self.granted, refused_by_rule=by_rule, refused_by_overload=overload,
            failed=self.offered - self.granted - by_rule - overload,
            unknown=self.unknown,
        )  # fmt: skip

    def answers(self) -> tuple[model.Answer, ...]:
        missing = self.offered - self.statuses.total()
        counted = self.statuses + Counter({(0, "unanswered"): missing})
        return tuple(
            model.Answer(status=status, code=code, n=n) for (status, code), n in sorted(counted.items())
        )

    def error_rate(self) -> Cell:
        """Per cent of what was offered that was neither granted nor refused by a rule."""
        return share(self.offered - self.granted - self.refused, self.offered)

    def series(self) -> tuple[Series, ...]:
        """Offered and granted of each second, and the p95 of those that were due in it."""
        return (
            per_second("offered", (each.due for each in self.samples)),
            per_second("granted", (each.end for each in self.samples if 200 <= each.status < 300)),
            p95_of_each_second("p95", ((each.due, each.seconds) for each in self.samples)),
        )


def _counted(result: Result, operations: Sequence[Operation]) -> Counter[tuple[int, str]]:
    """Answers by status and code. Without a log of what was said, the code is that of the status."""
    if not operations:
        return Counter({
            (status, "granted" if 200 <= status < 300 else _CODES.get(status, "refused")): n
            for status, n in result.statuses.items()
        })  # fmt: skip
    return Counter((each.status, _code(each)) for each in operations if each.status)


def _code(operation: Operation) -> str:
    if operation.outcome == "ok":
        return "granted"
    code = operation.refusal.code if operation.refusal is not None else ""
    return code or _CODES.get(operation.status, "unnamed")


def timing(name: str, what: str, seconds: Iterable[float]) -> model.Timing:
    return model.Timing(name=name, what=what, distribution=distribution(seconds))


def threshold(
    name: str, what: str, comparison: model.Comparison, limit: float, unit: Unit, measured: Cell, reference: str,
    *, source: model.Source = "seed", is_law: bool = False, evidence: model.Evidence = "http",
) -> model.Threshold:  # fmt: skip
    return model.Threshold(
        name=name, what=what, comparison=comparison, limit=limit, unit=unit, measured=measured, source=source,
        reference=reference, is_law=is_law, evidence=evidence,
    )  # fmt: skip


def named(name: str, what: str, cell: Cell) -> model.Named:
    return model.Named(name=name, what=what, figure=cell)


def double_bookings(operations: Iterable[Operation]) -> Figure:
    """Pairs of acknowledged visits in one room at overlapping times, where nobody moved or cancelled any."""
    visits = [each.visit for each in operations if each.wish.kind == "book" and each.visit is not None]
    by_room: dict[str, list[Visit]] = {}
    for visit in {each.id: each for each in visits}.values():
        by_room.setdefault(visit.room_id or "", []).append(visit)
    found = 0
    for room, there in by_room.items():
        ordered = sorted(there, key=lambda visit: visit.start)
        found += sum(one.end > other.start for one, other in pairwise(ordered)) if room else 0
    return count(found, max(1, len(visits)))

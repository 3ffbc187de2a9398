"""What a run of the bench says: its figures, the goals they are held against, and a table. Measures nothing; every
verdict is derived.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from holdfast.proof.bench.cache import CacheEffect
from holdfast.proof.bench.growth import Load
from holdfast.proof.bench.live import ChangeSeen, Start
from holdfast.proof.bench.rounds import Measured, Round
from holdfast.proof.bench.rules import RulesAlone
from holdfast.proof.isolation import Isolation
from holdfast.proof.machine import Commit, Machine, Memory
from holdfast.proof.statistics import Latency, median, median_ratio

_DURABLE: Final[Mapping[str, str]] = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_RULES_US_MAX = 100.0
_SEARCH_MS_MAX = 30.0
_SEEN_MS_MAX = 50.0
_MEMORY_MB_MAX = 150.0
_UNITS_MS_MAX = 25.0
_START_SECONDS_MAX = 2.0


class Database(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    settings: dict[str, str]

    @property
    def not_durable(self) -> list[str]:
        """Settings under which what is acknowledged may be lost."""
        return [
            f"{name} is {self.settings.get(name)}"
            for name, wanted in _DURABLE.items()
            if self.settings.get(name) != wanted
        ]


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is None when a part of it was not measured."""

    name: str
    what: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None
    verdict: Literal["met", "missed", "invalid", "not_applicable"]


class Report(msgspec.Struct, kw_only=True):
    """Everything of one run, as it is stored."""

    format: int = 1
    at: datetime
    commit: Commit
    machine: Machine
    seed: int
    clients: int
    rounds: int
    seconds: float
    profile: dict[str, str]
    estimator: str = "nearest rank; medians of rounds; a ratio is the median of the rounds' ratios"
    database: Database | None = None
    measures: list[Measured] = []
    rules_alone: list[RulesAlone] = []
    isolations: list[Isolation] = []
    cache: CacheEffect | None = None
    change_seen: ChangeSeen | None = None
    memory: Memory | None = None
    start_seconds: Start | None = None
    cold_start_seconds: Start | None = None
    loads: list[Load] = []
    goals: list[Goal] = []
    not_applicable: dict[str, str] = {}
    faults: list[str] = []
    """What is wrong with the run as a whole."""

    @property
    def invalid(self) -> list[str]:
        """Every reason why a figure says nothing."""
        found = [f"{one.name}: {r.invalid}" for one in self.measures for r in one.rounds if r.invalid]
        found += self.faults
        if self.change_seen is not None and self.change_seen.invalid:
            found.append(f"S11: {self.change_seen.invalid}")
        return found

    def rates(self, name: str) -> list[float | None]:
        return [one.per_second for one in self._rounds(name)]

    def p50s(self, name: str) -> list[float | None]:
        return [one.latency.p50_ms for one in self._rounds(name)]

    def p95s(self, name: str) -> list[float | None]:
        return [one.latency.p95_ms for one in self._rounds(name)]

    def p99s(self, name: str) -> list[float | None]:
        return [one.latency.p99_ms for one in self._rounds(name)]

    def costs(self, name: str) -> list[float | None]:
        """Processor time of the server and the database together, microseconds an answer."""
        return [
            None if one.server_us is None or one.database_us is None else one.server_us + one.database_us
            for one in self._rounds(name)
        ]

    def _rounds(self, name: str) -> list[Round]:
        return next((one.rounds for one in self.measures if one.name == name), [])

    def is_invalid(self, name: str) -> bool:
        return any(one.invalid for one in self._rounds(name))


def goals(report: Report) -> list[Goal]:
    """Every goal of which something was measured, with its verdict."""
    rates, p95s = report.rates, report.p95s
    found = [
        _ratio(report, "S1 / Y1", "reservations a second, one row", "S1", "Y1", rates, at_least=8.0),
        _ratio(report, "S1 / Y4", "reservations a second", "S1", "Y4 unit", rates, at_least=0.5),
        _ratio(report, "S2 / Y2", "reservations a second, spread", "S2", "Y2", rates, at_least=0.8),
        _ratio(report, "S3 / Y2", "units by hand a second, mixed", "S3", "Y2", rates, at_least=0.8),
        _ratio(report, "S4 / Y3", "bookings a second", "S4", "Y3", rates, at_least=0.4),
        _ratio(report, "S5 / S4", "p95, races for the last rooms", "S5", "S4", p95s, at_most=2.0),
        _ratio(
            report,
            "S10",
            "of one booking's processor time, 36 visits",
            "S10",
            "S10 one",
            report.costs,
            at_most=5.0,
        ),
        _ratio(report, "S10 p50", "of one booking's, 36 visits", "S10", "S10 one", report.p50s, at_most=5.0),
        _ratio(report, "S7 / Y4", "checks a second, 100k", "S7 100k", "Y4", rates, at_least=0.5),
        _ratio(report, "S7 100k / 1k", "p95", "S7 100k", "S7 1k", p95s, at_most=1.5),
        _ratio(report, "S8 / Y4", "week views a second, 100k", "S8 100k", "Y4", rates, at_least=0.4),
        _ratio(report, "S8 100k / 1k", "p95", "S8 100k", "S8 1k", p95s, at_most=1.5),
        _ratio(
            report, "S13 / small", "bookings a second, large", "S4 large", "S4 small", rates, at_least=0.9
        ),
        _ratio(
            report, "S13 / empty", "bookings a second, large", "S4 large", "S4 empty", rates, at_least=0.75
        ),
        _ratio(report, "S7 large / 1k", "p95", "S7 large", "S7 1k", p95s, at_most=1.5),
        _ratio(report, "S8 large / 1k", "p95", "S8 large", "S8 1k", p95s, at_most=1.5),
    ]
    for one in report.rules_alone[:1]:
        found.append(_limit("S6", f"µs a slot, {one.rooms} rooms, median", one.median_us, _RULES_US_MAX))
        found.append(_limit("S6 a room", "µs, median", one.median_us_per_room, _RULES_US_MAX / 10))
    if p95s("S1"):
        fault = "S1" if report.is_invalid("S1") else ""
        p99 = median(report.p99s("S1"))
        found.append(_limit("S1 p99", "ms, reserve from one authorization", p99, _UNITS_MS_MAX, fault))
    if p95s("S9"):
        fault = "S9" if report.is_invalid("S9") else ""
        found.append(_limit("S9", "p95 ms, next 20 free slots", median(p95s("S9")), _SEARCH_MS_MAX, fault))
    if report.change_seen is not None:
        # From sending: the commit lies after it, so this can only be too long.
        value = report.change_seen.from_sending.p95_ms
        found.append(
            _limit("S11", "p95 ms, sending to seen", value, _SEEN_MS_MAX, report.change_seen.invalid)
        )
    if report.memory is not None:
        found.append(_limit("S12 memory", "MB per worker, resident", report.memory.rss_mb, _MEMORY_MB_MAX))
    if report.cold_start_seconds is not None:
        value = report.cold_start_seconds.median_seconds
        found.append(_limit("S12 start", "s to the first booking, database too", value, _START_SECONDS_MAX))
    return [goal for goal in found if goal is not None]


def _ratio(
    report: Report, name: str, what: str, measured: str, yardstick: str,
    figures: Callable[[str], list[float | None]], at_least: float | None = None, at_most: float | None = None,
) -> Goal | None:  # fmt: skip
    """One measure by another, round by round; None if the measure was not taken at all."""
    if not figures(measured):
        return None
    value = median_ratio(figures(measured), figures(yardstick))
    verdict: Literal["met", "missed", "invalid", "not_applicable"]
    if yardstick.split(maxsplit=1)[0] in report.not_applicable:
        verdict = "not_applicable"
    elif value is None or report.is_invalid(measured) or report.is_invalid(yardstick):
        verdict = "invalid"
    else:
        is_met = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
        verdict = "met" if is_met else "missed"
    return Goal(name=name, what=what, value=value, at_least=at_least, at_most=at_most, verdict=verdict)


def _limit(name: str, what: str, value: float | None, at_most: float, fault: str = "") -> Goal:
    verdict: Literal["met", "missed", "invalid"] = "invalid"
    if value is not None and not fault:
        verdict = "met" if value <= at_most else "missed"
    return Goal(name=name, what=what, value=value, at_most=at_most, verdict=verdict)


def table(report: Report) -> str:
    """The report for a terminal, 110 columns."""
    return "\n".join([*_heading(report), "", *_measures(report), "", *_single(report), *_goals(report), ""])


def _heading(report: Report) -> Iterator[str]:
    one, database = report.machine, report.database
    changed = ", changed since" if report.commit.is_changed else ""
    yield f"Holdfast {report.commit.version} ({report.commit.commit[:12]}{changed}), {report.at:%Y-%m-%d %H:%M} UTC"
    yield (
        f"{one.processors} x {one.processor}, {one.memory_mb} MB, {one.system}, {one.python}, load {one.load_before}"
    )
    if database is not None:
        durable = ", ".join(f"{name}={database.settings.get(name)}" for name in _DURABLE)
        yield (
            f"PostgreSQL {database.version}, {durable}; {one.file_system}, fdatasync {one.fdatasync_median_ms} ms"
        )
    yield (
        f"{report.clients} clients, {report.rounds} rounds of {report.seconds:g} s (medians; {report.estimator.split(';')[0]}), "
        f"seed {report.seed}"
    )
    lifted = ", ".join(f"{name}={value}" for name, value in report.profile.items())
    yield f"Profile of the server: {lifted}"


def _measures(report: Report) -> Iterator[str]:
    if not report.measures:
        return
    heads = ("per s", "n", "p50 ms", "p95 ms", "p99 ms", "server µs", "db µs", "driver µs")
    yield f"{'':<49}" + "".join(f"{head:>10}" for head in heads)
    for one in report.measures:
        rounds = one.rounds
        cells = [
            median(r.per_second for r in rounds), sum(r.n for r in rounds),
            median(r.latency.p50_ms for r in rounds), median(r.latency.p95_ms for r in rounds),
            median(r.latency.p99_ms for r in rounds), median(r.server_us for r in rounds),
            median(r.database_us for r in rounds), median(r.driver_us for r in rounds),
        ]  # fmt: skip
        yield f"{one.name:<9}{one.what:<40}" + "".join(f"{_number(cell):>10}" for cell in cells)
        for number, each in enumerate(rounds, 1):
            if each.invalid:
                yield f"        INVALID in round {number}: {each.invalid}"
    for name, why in report.not_applicable.items():
        yield f"{name:<8}not_applicable: {why}"
    for fault in report.faults:
        yield f"INVALID {fault}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.2f}"


def _single(report: Report) -> Iterator[str]:
    for rules in report.rules_alone:
        yield (
            f"S6      rules alone, {rules.hard} hard and {rules.soft} soft over {rules.rooms} rooms: median {rules.median_us:g} µs a "
            f"slot ({rules.median_us_per_room:g} a room), p95 {rules.p95_us:g} µs, n={rules.slots}"
        )
    for load in report.loads:
        yield (
            f"S13     {load.cluster}: {load.visits:,} visits (organizations: {load.organizations}) loaded in {load.seconds:,.0f} s "
            f"({load.per_second:,.0f}/s), settled in {load.settling_seconds:,.0f} s; {load.bytes / 1e9:.2f} GB, "
            f"{load.bytes_per_visit:,.0f} bytes a visit"
        )
    for each in report.isolations:
        exact = "exact" if each.is_exact else "NOT EXACT"
        yield (
            f"        one authorization, {each.name:<22}{each.per_second:>8,.0f} granted/s, p95 {_number(each.latency.p95_ms)} ms, "
            f"{each.retries:,} retries, client {each.client_us:,.0f} µs, db {each.database_us:,.0f} µs: {each.granted:,} of "
            f"{each.grantable:,} granted, {exact}"
        )
    if report.cache is not None:
        cache = report.cache
        yield (
            f"S4      policies and rooms from memory {cache.hits:,} times, read {cache.misses:,} times (hit rate "
            f"{cache.hit_rate:.2%}); such a query takes {cache.query_ms:g} ms, {cache.query_bytes:,} bytes"
        )
    seen = report.change_seen
    if seen is not None:
        yield (
            f"S11     change seen on {seen.listeners} open calendars, {seen.bookings} bookings at "
            f"{seen.per_second:g}/s, n={seen.from_answer.n}"
        )
        yield f"        {_latency('from the answer', seen.from_answer)}; {_latency('from sending', seen.from_sending)}"
        if seen.invalid:
            yield f"        INVALID: {seen.invalid}"
    if report.memory is not None:
        pss = "-" if report.memory.pss_mb is None else f"{report.memory.pss_mb:g} MB"
        yield f"S12     memory of the worker at {report.clients} clients: {report.memory.rss_mb:g} MB resident, {pss} shared out"
    for start, what in (
        (report.start_seconds, "the database runs"), (report.cold_start_seconds, "the database is started too"),
    ):  # fmt: skip
        if start is not None:
            runs = ", ".join(f"{seconds:g}" for seconds in start.runs)
            yield f"S12     start to first booking, {what}: {start.median_seconds:g} s (of {runs})"


def _latency(name: str, one: Latency) -> str:
    return f"{name} p50 {_number(one.p50_ms)}, p95 {_number(one.p95_ms)}, p99 {_number(one.p99_ms)} ms"


def _goals(report: Report) -> Iterator[str]:
    if report.goals:
        yield ""
    for goal in report.goals:
        limit = f">= {goal.at_least:g}" if goal.at_least is not None else f"<= {goal.at_most:g}"
        value = "-" if goal.value is None else f"{goal.value:.2f}"
        yield f"{goal.verdict.upper():<15}{goal.name:<16}{value:>8}  (goal {limit:<7}) {goal.what}"

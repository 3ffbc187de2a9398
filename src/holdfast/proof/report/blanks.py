"""What is missing in a report: empty words, figures that are none, and whatever the seeds ask for and nobody filled in. Pure."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any, Final

import msgspec

from holdfast.proof.report.model import Figure, NotApplicable, Report, Run, Scenario

SCENARIOS: Final = (
    "storm", "conflict", "rules", "contention", "throughput", "mixed", "combined", "calendar", "saturation", "isolation",
    "faults", "soak",
)  # fmt: skip

FIGURES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "storm": ("throughput", "room_assignment_mean", "room_assignment_p95", "deadlocks", "duplicates"),
    "conflict": (
        "conflicts_detected", "alternative_rooms_assigned", "detection_mean", "detection_p95", "double_bookings",
        "visits_without_rooms", "error_rate",
    ),
    "rules": (
        "evaluations", "cache_hit_rate", "rules_per_evaluation", "evaluation_mean", "evaluation_p95", "hard_evaluated",
        "soft_evaluated", "rooms_filtered_out", "score_delta", "queries_without_cache", "queries_with_cache",
        "query_time_reduction",
    ),
    "contention": ("throughput", "error_rate", "overbooked"),
    "throughput": ("throughput", "error_rate", "overbooked"),
    "mixed": ("throughput", "refused_share", "overbooked"),
    "combined": ("throughput", "error_rate", "deadlocks", "double_bookings", "overbooked"),
    "calendar": ("throughput", "error_rate"),
    "saturation": ("knee",),
    "isolation": ("overbooked",),
    "faults": ("server_kills", "database_kills", "lost", "overbooked"),
    "soak": ("throughput", "memory_growth", "latency_growth", "overbooked"),
})  # fmt: skip
"""Figures that a scenario must have, by name; beside its balance, which every one has."""

THRESHOLDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "storm": ("granted", "p95", "deadlocks", "duplicates", "throughput"),
    "conflict": ("double_bookings", "detection_p95", "alternatives_bookable", "failed"),
    "rules": ("evaluation_p95", "cache_hit_rate", "hard_filters", "soft_order"),
    "contention": ("granted", "p95", "p99", "overbooked"),
    "throughput": ("p95", "p99", "error_rate", "throughput"),
    "mixed": ("p95", "overbooked"),
    "combined": ("p95", "deadlocks", "double_bookings", "overbooked"),
    "calendar": ("mean", "p95", "p99"),
    "saturation": ("knee",),
    "isolation": ("overbooked",),
    "faults": ("lost", "overbooked"),
    "soak": ("memory_growth", "latency_growth", "overbooked"),
})  # fmt: skip
"""Thresholds that a scenario must be held against. `name`, or several that begin with it and an underscore (p95_small)."""

SERIES: Final = ("offered", "granted", "p95")
USAGES: Final = (
    "server_cpu", "database_cpu", "generator_cpu", "server_memory", "database_memory", "disk_reads", "disk_writes",
)  # fmt: skip
POOL_USAGES: Final = ("active", "idle", "waiting")
HOT_PATHS: Final = ("availability", "rules", "database", "calendar_push")
SPANS: Final = ("authenticate", "lane_wait", "facts", "rules", "write", "committing")
PLANS: Final = ("room_availability", "available_rooms", "daily_room_schedule", "room_type_filter")
ENVIRONMENT: Final = (
    "database_instance", "storage", "connection_pooling", "platform", "runtime", "workers", "memory", "network_latency",
    "network_bandwidth", "operating_system", "database_schema",
)  # fmt: skip
SIZING: Final = ("measured", "per_second_100", "per_second_500")

_FILLERS: Final = frozenset({"tbd", "nan", "inf", "infinity", "null", "undefined", "none"})
"""Of which words consist that stand for a value nobody has; "none" in small letters is a word of its own."""
_UNITS: Final = frozenset({"ms", "us", "µs", "s", "b", "kb", "mb", "gb", "mbit", "points", "times"})
_CELLS: Final = frozenset(
    {"td", "th", "dd", "dt", "summary", "h1", "h2", "h3", "h4", "figcaption", "caption", "li"}
)
_PROMISED: Final = re.compile(r"\W*(to be \w+|n/?a\W*$)", re.IGNORECASE)
_SIGNS: Final = frozenset("✓✗●○=→")
_AS_THEY_ARE: Final = frozenset({"unit", "settings", "lifts"})
"""Fields whose values are others' words: a setting may be empty."""


def blanks(report: Report | Run) -> list[str]:
    """Every place that should say something and does not, by its path."""
    run = report.run if isinstance(report, Report) else report
    return [*_hollow("report" if run is not report else "run", report), *_unfilled(run)]


def is_hollow(words: str) -> bool:
    """Whether words say nothing: empty, a unit alone, or what stands for a value that nobody has."""
    found = re.findall(r"\w+", words)
    said = {each.lower() for each in found} - _UNITS
    return said <= _FILLERS - ({"none"} & set(found)) or bool(_PROMISED.match(words))


def _hollow(path: str, value: Any) -> Iterator[str]:
    match value:
        case None:
            yield f"{path} is nothing"
        case str() if is_hollow(value):
            yield f"{path} says nothing: {value!r}"
        case float() if not math.isfinite(value):
            yield f"{path} is no number"
        case NotApplicable() if len(value.reason.split()) < 3:
            yield f"{path} is not applicable without a reason"
        case msgspec.Struct():
            if isinstance(value, Figure) and value.n < 1:
                yield f"{path} has no case behind it"
            for field in msgspec.structs.fields(value):
                inner = getattr(value, field.name)
                if field.name in _AS_THEY_ARE or (not field.required and not inner):
                    # What may be empty says so by its default.
                    continue
                if isinstance(inner, tuple | dict) and not inner:
                    yield f"{path}.{field.name} is empty"
                yield from _hollow(f"{path}.{field.name}", inner)
        case dict():
            for key, inner in value.items():
                yield from _hollow(f"{path}[{key}]", inner)
        case tuple() | list():
            for number, inner in enumerate(value):
                yield from _hollow(f"{path}[{getattr(inner, 'name', number)}]", inner)


def _unfilled(run: Run) -> Iterator[str]:
    yield from _absent("environment", ENVIRONMENT, run.environment)
    if not isinstance(run.sizing, NotApplicable):
        yield from _absent("sizing", SIZING, run.sizing)
    if not isinstance(run.database, NotApplicable):
        if not isinstance(run.database.hot_paths, NotApplicable):
            yield from _absent("hot path", HOT_PATHS, run.database.hot_paths)
        if not isinstance(run.database.plans, NotApplicable):
            yield from _absent("plan", PLANS, run.database.plans)
    for one in run.scenarios:
        for absence in _unfilled_in(run, one):
            yield f"{one.name}: {absence}"


def _unfilled_in(run: Run, scenario: Scenario) -> Iterator[str]:
    if scenario.name not in SCENARIOS:
        yield "no scenario of this name is known"
    if scenario.timings and not scenario.timings[0].distribution.bins:
        yield f"the distribution of {scenario.timings[0].name} is missing"
    yield from _absent("figure", FIGURES.get(scenario.name, ()), scenario.figures)
    yield from _absent("series", SERIES, scenario.series)
    thresholds = {one.name for one in scenario.thresholds}
    for name in THRESHOLDS.get(scenario.name, ()):
        if not any(each == name or each.startswith(f"{name}_") for each in thresholds):
            yield f"threshold {name} is missing"
    inside = scenario.inside
    if not isinstance(inside.usages, NotApplicable):
        yield from _absent("usage", USAGES, inside.usages)
    if not isinstance(inside.spans, NotApplicable):
        yield from _absent("span", SPANS, inside.spans)
    if not isinstance(inside.pool, NotApplicable):
        yield from _absent("pool", POOL_USAGES, inside.pool.usages)
    if not isinstance(run.invariants, NotApplicable) and not isinstance(scenario.invariants, NotApplicable):
        yield from _absent("invariant", [one.name for one in run.invariants], scenario.invariants)


def _absent(what: str, names: Iterable[str], there: Sequence[Any]) -> Iterator[str]:
    found = {one.name for one in there}
    for name in names:
        if name not in found:
            yield f"{what} {name} is missing"


def html_blanks(page: str) -> list[str]:
    """Cells of a page's tables and definitions that say nothing, each with the row that it stands in."""
    reader = _Cells()
    reader.feed(page)
    return reader.found


class _Cells(HTMLParser):
    """What stands in each cell, without the notes beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._row: list[str] = []
        self._cell: list[str] | None = None
        self._is_note = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._row = []
        if tag in _CELLS:
            self._cell = []
        self._is_note = tag == "span" and (dict(attrs).get("class") or "").startswith("note")

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._is_note:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._is_note = False
        if tag in _CELLS and self._cell is not None:
            said = "".join(self._cell).strip()
            if _says_nothing(said):
                self.found.append(f"an empty {tag} after {self._row[-3:]} (line {self.getpos()[0]})")
            self._row.append(said)
            self._cell = None


def markdown_blanks(text: str) -> list[str]:
    """Cells of a text's tables that say nothing, each with its line."""
    found, is_code = [], False
    for number, line in enumerate(text.splitlines(), 1):
        is_code = is_code != line.startswith("```")
        if is_code or not line.startswith("|") or re.fullmatch(r"[|:\- ]+", line):
            continue
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        found += [
            f"an empty cell in line {number}: {line[:80]}" for cell in cells if _says_nothing(cell.strip())
        ]
    return found


def _says_nothing(cell: str) -> bool:
    return is_hollow(cell) and cell not in _SIGNS

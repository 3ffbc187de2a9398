"""The alarms and the dashboard ask for what /metrics serves, hold it against the promised limits, and can be read.

`tests/api/test_metrics.py` sees that what is served here is what is served over HTTP.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

import promql_parser as promql
import pytest
import yaml
from monitoring.served import samples

from holdfast.app import routes
from holdfast.commands import metrics
from holdfast.errors import OverloadCause

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "monitoring" / "alerts.yml"
DASHBOARD = ROOT / "monitoring" / "dashboard.json"
DAYS = ROOT / "tests" / "monitoring" / "alerts.test.yml"
GUIDE = ROOT / "docs" / "watching.md"

# Given by whoever scrapes, to each sample.
SCRAPED = frozenset({"job", "instance"})


class Limit(NamedTuple):
    above: float
    severity: str
    quantile: float | None = None


# The limits of the promises; whoever changes one changes it here.
LIMITS: Mapping[str, Limit] = MappingProxyType({
    "HoldfastRequestsSlow": Limit(0.1, "warning", 0.95),
    "HoldfastRequestsVerySlow": Limit(0.15, "critical", 0.95),
    "HoldfastSlowestRequests": Limit(0.2, "warning", 0.99),
    "HoldfastBookingsVerySlow": Limit(0.15, "critical", 0.95),
    "HoldfastErrors": Limit(0.01, "warning"),
    "HoldfastInternalErrors": Limit(0, "warning"),
    "HoldfastOutcomesUnknown": Limit(0, "critical"),
    "HoldfastOverloaded": Limit(0, "warning"),
    "HoldfastLaneWaiting": Limit(200, "warning"),
    "HoldfastDecidedAgain": Limit(0.1, "warning"),
    "HoldfastDeadlocks": Limit(0, "critical"),
    "HoldfastPoolWaiting": Limit(0, "warning"),
    "HoldfastLockWaiting": Limit(5, "warning"),
    "HoldfastRuleFaults": Limit(0, "warning"),
    "HoldfastMemory": Limit(150e6, "warning"),
})  # fmt: skip
# What is there or is not.
STATES = frozenset({"HoldfastDown", "HoldfastDatabaseDown"})

RULES = [
    rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
ALARMS: Mapping[str, dict[str, Any]] = MappingProxyType({r["alert"]: r for r in RULES if "alert" in r})
RECORDED = frozenset(rule["record"] for rule in RULES if "record" in rule)
BOARD: Mapping[str, Any] = MappingProxyType(json.loads(DASHBOARD.read_text(encoding="utf-8")))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    for panel in PANELS:
        for target in panel["targets"]:
            text = re.sub(r"\$__(rate_interval|range)", "5m", target["expr"])
            yield re.sub(r"\$(job|instance)\b", "any", text)
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield (
                variable["query"]["query"]
                .removeprefix("label_values(")
                .rpartition(",")[0]
                .replace("$job", "any")
            )


def selectors(expression: str) -> list[promql.VectorSelector]:
    """Every series that the expression asks for. Raises ValueError if it is not PromQL."""
    found = []

    def visit(part: promql.Expr) -> bool:
        if isinstance(part, promql.MatrixSelector):
            found.append(part.vector_selector)
        elif isinstance(part, promql.VectorSelector):
            found.append(part)
        return True

    promql.walk(promql.parse(expression), visit)
    return found


def missing(expressions: Iterable[str], served: Sequence[tuple[str, Mapping[str, str]]]) -> list[str]:
    """What is asked for and not there: a metric, a label of it, or a label's value."""
    faults = []
    for expression in expressions:
        for selector in selectors(expression):
            name = selector.name or ""
            labels = [each for given, each in served if given == name]
            is_of_linux = name.startswith("process_") and sys.platform != "linux"
            if name in RECORDED or name == "up" or is_of_linux:
                continue
            if not labels:
                faults.append(f"{name} is not served: {expression}")
            for matcher in selector.matchers.matchers:
                known = {each[matcher.name] for each in labels if matcher.name in each}
                if matcher.name in SCRAPED or (known and matcher.name in {"route", "method", "status"}):
                    continue
                if matcher.value not in known:
                    faults.append(f"{name} has no {matcher.name}={matcher.value}: {expression}")
    return faults


def test_what_is_asked_for_is_served() -> None:
    assert missing(expressions(), samples()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "rate(holdfast_requests[5m]) > 0",
        'holdfast_lane_waiting{lane="bookings"} > 0',
        'holdfast_lane_waiting{code="x"} > 0',
        "sum(holdfast_renamed_total) / holdfast_database_up",
    ],
)
def test_what_is_not_served_is_seen(planted: str) -> None:
    assert missing([planted], samples())


def test_what_is_no_promql_is_seen() -> None:
    with pytest.raises(ValueError):
        selectors("sum by (x) rate(")


def test_what_is_recorded_is_asked_for() -> None:
    asked = {selector.name for rule in ALARMS.values() for selector in selectors(rule["expr"])}
    assert asked >= RECORDED


def test_routes_that_are_left_out_are_there() -> None:
    """Each alternative of a pattern names a call of the product; "" is a path that is none."""
    paths = {route.path for route in routes()} | {""}
    told = [
        matcher
        for expression in expressions()
        for selector in selectors(expression)
        for matcher in selector.matchers.matchers
        if matcher.name == "route"
    ]
    assert told
    for matcher in told:
        for alternative in matcher.value.split("|"):
            assert any(re.fullmatch(alternative, path) for path in paths), alternative


def test_every_alarm_is_in_the_table() -> None:
    assert set(ALARMS) == {*LIMITS, *STATES}


@pytest.mark.parametrize("name", LIMITS)
def test_an_alarm_holds_its_limit(name: str) -> None:
    rule, limit = ALARMS[name], LIMITS[name]
    compared = promql.parse(rule["expr"])
    assert isinstance(compared, promql.BinaryExpr)
    assert str(compared.op) == ">"
    assert isinstance(compared.rhs, promql.NumberLiteral)
    assert (compared.rhs.val, rule["labels"]["severity"]) == (limit.above, limit.severity)
    if limit.quantile is not None:
        assert isinstance(compared.lhs, promql.Call)
        assert isinstance(compared.lhs.args[0], promql.NumberLiteral)
        assert (compared.lhs.func.name, compared.lhs.args[0].val) == ("histogram_quantile", limit.quantile)
        assert limit.above in metrics._BUCKETS, "a limit between two bounds is a guess"


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_to_do(name: str) -> None:
    rule = ALARMS[name]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    said = rule["annotations"]
    assert said["summary"].endswith(".")
    assert len(said["description"]) > len(said["summary"])
    assert f"### {name}\n" in GUIDE.read_text(encoding="utf-8")


def test_the_guide_explains_no_alarm_that_is_none() -> None:
    assert set(re.findall(r"^### (Holdfast\w+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)) == set(
        ALARMS
    )


@pytest.mark.parametrize("cause", [*get_args(OverloadCause), *get_args(metrics.AgainCause)])
def test_the_guide_explains_every_cause(cause: str) -> None:
    assert f"`{cause}`" in GUIDE.read_text(encoding="utf-8")


def test_the_dashboard_can_be_laid_out() -> None:
    """Nothing lies over anything, every panel is known by its number and says what it shows."""
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    rows = [panel["title"] for panel in BOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Requests", "Lanes", "Database", "Live", "Process"]
    for panel in PANELS:
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_every_alarm_has_its_bad_day() -> None:
    good, bad = yaml.safe_load(DAYS.read_text(encoding="utf-8"))["tests"]
    firing = bad["promql_expr_test"][0]["exp_samples"]
    assert {re.sub(r".*\"(.+)\".*", r"\1", each["labels"]) for each in firing} == set(ALARMS)
    silent = {each["alertname"] for each in good["alert_rule_test"]}
    assert silent == set(ALARMS)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus' own tool is not installed")
@pytest.mark.parametrize("arguments", [("check", "rules", ALERTS), ("test", "rules", DAYS)])
def test_promtool_reads_the_rules_and_hears_the_alarms(arguments: tuple[str, str, Path]) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

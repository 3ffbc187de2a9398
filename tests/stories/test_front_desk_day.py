"""The page docs/front-desk-day.md, run step by step against a real server on a fresh database: what it shows is what
is answered, and at its end every invariant holds and the events tell what the calendar shows."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from laws.servers import outside, processes
from laws.world import broken_invariants, deadlocks
from stories import filters
from stories.story import Runner, Step, StoryError, differences, steps_of

from holdfast.launch import worker_environment
from holdfast.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "front-desk-day.md"


@pytest.fixture
def runner(settings: Settings, tmp_path: Path) -> Iterator[Runner]:
    with processes(settings, 1, tmp_path) as (server,):
        asyncio.run(server.answering())
        now = datetime.now(UTC)
        told = Runner(f"http://127.0.0.1:{server.port}", outside() | worker_environment(settings), now)
        told.names["ZONE"] = zone(now)
        yield told


def zone(now: datetime) -> str:
    """Where it is between five and six in the afternoon, as the page has it: the sign of these zones is reversed."""
    return f"Etc/GMT{(now.hour + 21) % 24 - 14:+d}"


@pytest.mark.slow
def test_the_day_goes_as_told(runner: Runner, settings: Settings) -> None:
    different = differences(PAGE.read_text(encoding="utf-8"), runner)
    assert not different, different
    _check_events(runner)
    assert not asyncio.run(broken_invariants(settings))
    assert asyncio.run(deadlocks(settings)) == 0


def _check_events(runner: Runner) -> None:
    """Whoever heard every event of the day knows what the calendar shows, up to the same sequence."""
    query = "clinic_id=$CLINIC&start_date=$(on today)&end_date=$(on tomorrow)"
    runner.run(Step("", 0, f'ask GET "/calendar?{query}"', "", ""))
    shown = {each["id"]: each for each in runner.answer["appointments"]}
    events = runner.heard(0)
    told: dict[str, Any] = {body["id"]: body for _, kind, body in events if kind.startswith("appointment.")}
    assert len(shown) >= 15
    last = max(each["start"] for each in shown.values())
    assert {each: body for each, body in told.items() if body["start"] <= last} == shown
    assert events[-1][0] == runner.answer["as_of_seq"]


def tell(page: str, answer: Any = None) -> str:
    """What differs when a page of no calls is run."""
    return differences(
        page, Runner("", {}, datetime(2026, 3, 2, 23, tzinfo=UTC), {"ZONE": "America/Phoenix"}, answer)
    )


def console(*lines: str) -> str:
    return "## Noon\n\n```console\n" + "".join(f"{line}\n" for line in lines) + "```\n"


def test_what_differs_is_named() -> None:
    page = console("$ show .status", "confirmed", "$ show .start", "{tomorrow 09:00}")
    assert not tell(page, {"status": "confirmed", "start": "2026-03-03T16:00:00Z"})
    different = tell(page, {"status": "confirmed", "start": "2026-03-03T16:15:00Z"})
    for part in (
        "as told: line 4, Noon: show .status", "DIFFERS: line 6, Noon: show .start", "-2026-03-03T16:00:00Z",
        "+2026-03-03T16:15:00Z",
    ):  # fmt: skip
        assert part in different


@pytest.mark.parametrize(
    "line", ["$ rm -r x", "$ show .a .b", "$ show $NOBODY", "$ show .a +", "$ send POST /x"]
)
def test_what_is_not_understood_is_no_success(line: str) -> None:
    assert "DIFFERS" in tell(console(line), {"a": 1})


def test_a_line_that_is_no_command_is_seen() -> None:
    with pytest.raises(StoryError, match="line 4"):
        steps_of(console("ask GET /clinics"))


def test_the_page_is_all_commands_and_what_they_print() -> None:
    """Each call shows its status, and every section is tried."""
    page = PAGE.read_text(encoding="utf-8")
    steps = steps_of(page)
    calls = [step for step in steps if step.command.startswith(("ask ", "send "))]
    assert len(calls) > 80
    assert all(step.shown in {"200", "201", "409", "422"} for step in calls)
    sections = {line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")}
    assert sections - {step.heading for step in steps} == {"To try it"}


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (".", [{"a": [{"b": 1, "c": "x"}, {"b": 2}]}]), (".a[1].b", [2]), (".a[] | {b, c}", [{"b": 1, "c": "x"}, {"b": 2, "c": None}]),
        ("{n: .a | length, all: [.a[].b]}", [{"n": 2, "all": [1, 2]}]), (".z.y", [None]),
    ],
)  # fmt: skip
def test_filters_are_those_of_jq(text: str, printed: list[Any]) -> None:
    assert filters.applied(text, {"a": [{"b": 1, "c": "x"}, {"b": 2}]}) == printed


@pytest.mark.parametrize("text", ["{end}", "{a", "a", ".a | keys", ".a + 1", ".a, .b"])
def test_other_filters_are_refused(text: str) -> None:
    """`{end}` too, which not every jq takes."""
    with pytest.raises(ValueError):
        filters.applied(text, {"a": 1})


@pytest.mark.parametrize("hour", range(24))
def test_it_is_afternoon_at_the_clinic(hour: int) -> None:
    now = datetime(2026, 3, 2, hour, 59, tzinfo=UTC)
    assert now.astimezone(ZoneInfo(zone(now))).hour == 17

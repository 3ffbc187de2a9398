"""A blank is found wherever it stands: in the figures, in the cells of the page, in those of the Markdown."""

from collections.abc import Callable

import msgspec
import pytest
from proof.fabricated import run, scenario, storm, with_scenario

from holdfast.proof.report.blanks import SCENARIOS, blanks, html_blanks, is_hollow, markdown_blanks
from holdfast.proof.report.figures import distribution, figure
from holdfast.proof.report.made import page, report, text
from holdfast.proof.report.model import Database, Fact, Named, NotApplicable, Run

replace = msgspec.structs.replace


def test_a_whole_run_has_none() -> None:
    assert blanks(run()) == []
    made = report(run())
    assert blanks(made) == []
    assert html_blanks(page(made)) == []
    assert markdown_blanks(text(made)) == []


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "-",
        "[TBD]",
        "[TBD]%",
        "[To be filled after test execution]",
        "TBD ms",
        "n/a",
        "None",
        "nan",
        "?",
    ],
)
def test_words_that_say_nothing(words: str) -> None:
    assert is_hollow(words)


@pytest.mark.parametrize(
    "words", ["0", "0 %", "no_room", "not applicable", "none was seen", "none", "12.5 ms", "nandrolone"]
)
def test_words_that_say_something(words: str) -> None:
    assert not is_hollow(words)


def _first_figure(**changed: object) -> Run:
    first, *rest = scenario("storm").figures
    return with_scenario("storm", figures=(replace(first, **changed), *rest))


def _without_plans() -> Run:
    of = storm()
    assert isinstance(of.database, Database) and not isinstance(of.database.plans, NotApplicable)
    return storm(database=replace(of.database, plans=of.database.plans[:-1]))


PLANTED: dict[str, Callable[[], Run]] = {
    "run.commit.commit says nothing": lambda: storm(commit=replace(storm().commit, commit="")),
    "run.versions[PostgreSQL] says nothing": lambda: storm(versions={"PostgreSQL": "[TBD]"}),
    "run.versions is empty": lambda: storm(versions={}),
    "run.environment[storage].value says nothing": lambda: storm(
        environment=tuple(
            Fact(name=each.name, value="TBD") if each.name == "storage" else each
            for each in storm().environment
        )
    ),
    "environment memory is missing": lambda: storm(
        environment=tuple(each for each in storm().environment if each.name != "memory")
    ),
    "run.sizing is not applicable without a reason": lambda: storm(sizing=NotApplicable(reason="")),
    "sizing per_second_500 is missing": lambda: storm(sizing=storm().sizing[:2]),  # type: ignore[index]
    "plan room_type_filter is missing": _without_plans,
    "run.scenarios[storm].figures[throughput].figure.value is no number": lambda: _first_figure(
        figure=figure(float("nan"), "per_second", 3)
    ),
    "run.scenarios[storm].figures[throughput].figure has no case behind it": lambda: _first_figure(
        figure=figure(1, "per_second", 0)
    ),
    "run.scenarios[storm].figures[throughput].figure is nothing": lambda: _first_figure(figure=None),
    "run.scenarios[storm].figures[throughput].what says nothing": lambda: _first_figure(what=" "),
    "storm: figure throughput is missing": lambda: _first_figure(name="speed"),
    "run.scenarios[storm].data is empty": lambda: with_scenario("storm", data=()),
    "storm: the distribution of answer is missing": lambda: with_scenario(
        "storm", timings=(replace(scenario("storm").timings[0], distribution=distribution([])),)
    ),
    "storm: usage disk_writes is missing": lambda: with_scenario(
        "storm",
        inside=replace(scenario("storm").inside, usages=scenario("storm").inside.usages[:-1]),  # type: ignore[index]
    ),
    "storm: span committing is missing": lambda: with_scenario(
        "storm",
        inside=replace(scenario("storm").inside, spans=scenario("storm").inside.spans[:-1]),  # type: ignore[index]
    ),
    "typhoon: no scenario of this name is known": lambda: storm(
        scenarios=(replace(scenario("storm"), name="typhoon"),)
    ),
}
"""By what is said of it: a run in which one thing is blank."""


@pytest.mark.parametrize("sentence", PLANTED)
def test_a_planted_blank_is_found(sentence: str) -> None:
    assert any(each.startswith(sentence) for each in blanks(PLANTED[sentence]()))


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_figure_that_a_seed_asks_for_is_missed(name: str) -> None:
    of = scenario(name)
    for each in of.figures:
        kept: tuple[Named, ...] = tuple(other for other in of.figures if other is not each)
        assert f"{name}: figure {each.name} is missing" in blanks(with_scenario(name, figures=kept))


def test_blank_cells_of_a_page_are_found() -> None:
    whole = page(report(with_scenario("storm")))
    head = '<th scope="row" class="plain">Deadlocks</th><td class="plain number">'
    for cell in ("", "[TBD]", "nan ms", "None"):
        planted = whole.replace(f"{head}0 ", f"{head}{cell} ", 1)
        assert planted != whole
        (found,) = html_blanks(planted)
        assert "Deadlocks" in found


def test_blank_cells_of_a_text_are_found() -> None:
    whole = text(report(with_scenario("storm")))
    for cell in ("", "[TBD]", "nan"):
        planted = whole.replace("| Deadlocks | 0 (n = 3,000) |", f"| Deadlocks | {cell} |", 1)
        assert planted != whole
        (found,) = markdown_blanks(planted)
        assert "Deadlocks" in found

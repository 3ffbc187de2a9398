"""The page of a proof: it says everything, fetches nothing, can be read by machines that read to people, and is written even of
a run that went wrong.
"""

import itertools
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import msgspec
import pytest
from proof.fabricated import run, scenario, with_scenario

from holdfast.proof.report.charts import histogram, lines, ticks
from holdfast.proof.report.figures import distribution
from holdfast.proof.report.made import page, report, text
from holdfast.proof.report.model import (
    Balance,
    HistoryCheck,
    HistoryFinding,
    InvariantRows,
    Load,
    NotApplicable,
    Run,
    Scenario,
    Series,
)

replace = msgspec.structs.replace
UNSEEN = NotApplicable(reason="From outside nothing is seen of it.")
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Tree(HTMLParser):
    """What is on the page, and whether every tag is closed in its turn."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def whole() -> str:
    return page(report(run()))


def test_it_is_one_page_that_needs_nothing(whole: str) -> None:
    tree = Tree(whole)
    assert not tree.open
    assert not {"script", "link", "img", "iframe", "object", "embed"} & {tag for tag, _ in tree.tags}
    for tag, attributes in tree.tags:
        assert not any(name.startswith("on") for name in attributes)
        if "href" in attributes:
            assert str(attributes["href"]).startswith("#"), tag
    assert "@import" not in whole and "url(" not in whole
    assert len(whole) < 1_000_000


def test_it_can_be_read_aloud(whole: str) -> None:
    tree = Tree(whole)
    assert [attributes for tag, attributes in tree.tags if tag == "html"] == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in tree.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(attributes.get("scope") for tag, attributes in tree.tags if tag == "th")
    pictures = re.findall(r"<svg[^>]*>(.{0,7})", whole)
    assert pictures and set(pictures) == {"<title>"}
    assert whole.count("<svg") == whole.count('role="img"')
    assert whole.count("<table>") == whole.count("<caption>")
    targets = {attributes["id"] for _, attributes in tree.tags if "id" in attributes}
    assert {str(attributes["href"])[1:] for _, attributes in tree.tags if "href" in attributes} <= targets


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_its_colours_can_be_told_apart(whole: str) -> None:
    """4.5 for what is read, 3 for what is drawn, as the guidelines for accessibility ask."""
    themes = [
        dict(re.findall(r"--([\w-]+): (#\w{6})", each))
        for each in re.findall(r":root \{(.*?)\}", whole, re.DOTALL)
    ]
    light, dark = themes[0], themes[1]
    for theme in (light, dark):
        for words in ("ink", "soft", "link", "good", "warn", "bad"):
            for paper in ("paper", "card"):
                assert contrast(theme[words], theme[paper]) >= 4.5, (words, paper)
        for tone in ("good", "warn", "bad"):
            assert contrast(theme[tone], theme[f"{tone}-paper"]) >= 4.5
            assert contrast(theme["soft"], theme[f"{tone}-paper"]) >= 4.5
        for line in ("c0", "c1", "c2", "c3", "c4", "c5"):
            assert contrast(theme[line], theme["card"]) >= 3, line


def test_every_drawing_is_sound(whole: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", whole, re.DOTALL)
    assert len(drawings) > 80
    for each in drawings:
        root = ET.fromstring(each)  # noqa: S314, our own
        assert not re.search(r"\b(nan|inf)\b", each)
        width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
        for text_of in root.iter("{http://www.w3.org/2000/svg}text"):
            assert -1 <= float(text_of.attrib["x"]) <= width + 1 and 0 <= float(text_of.attrib["y"]) <= height


def test_page_and_text_say_the_same() -> None:
    made = report(with_scenario("storm"))
    pages, texts = " ".join(Tree(page(made)).words), text(made).replace("\\", "")
    for threshold in made.run.scenarios[0].thresholds:
        assert threshold.what in pages and threshold.what in texts
    for each in made.run.scenarios[0].figures:
        assert each.what in pages and each.what in texts
    for step in made.verdict.next_steps:
        plain = step.split("`")[0]
        assert plain in pages and plain in texts
    assert made.verdict.reason in pages and made.verdict.reason in texts


@pytest.mark.parametrize("outcome", ["NO-GO", "invalid"])
def test_what_is_wrong_stands_at_the_top(outcome: str) -> None:
    wrong = {
        "NO-GO": with_scenario("storm", crashes=("the server ended with signal 9 <&>.",)),
        "invalid": with_scenario("storm", invalid=("The clock went backwards <&>.",)),
    }[outcome]
    made = report(wrong)
    assert made.verdict.outcome == outcome
    top = page(made).split('id="promises"')[0]
    assert f'<p class="outcome">{outcome}</p>' in top
    assert "&lt;&amp;&gt;" in top and "<&>" not in top


def hollow(of: Scenario) -> Scenario:
    """A scenario that ended before anything was measured."""
    none = distribution([])
    return replace(
        of, timings=tuple(replace(each, distribution=none) for each in of.timings), answers=(), floors=(), figures=(), windows=(),
        thresholds=tuple(replace(each, measured=UNSEEN) for each in of.thresholds),
        balance=Balance(offered=UNSEEN, granted=0, refused_by_rule=UNSEEN, refused_by_overload=0, failed=0),
        series=(Series(name="p95", unit="ms", points=()),), invariants=UNSEEN, history=UNSEEN, curves=(), tables=(),
        inside=replace(of.inside, spans=UNSEEN, lanes=UNSEEN, usages=UNSEEN, pool=UNSEEN, locks=UNSEEN),
    )  # fmt: skip


def test_a_run_that_went_wrong_is_told_whole() -> None:
    of = run(
        scenarios=(hollow(scenario("storm")),), database=UNSEEN, invariants=UNSEEN, sizing=UNSEEN,
        profile=replace(run().profile, lifts={}),
    )  # fmt: skip
    made = report(of)
    assert made.verdict.outcome == "invalid"
    assert not Tree(page(made)).open
    assert "From outside nothing is seen of it." in page(made)
    assert "invalid" in text(made)
    assert report(run(scenarios=())).verdict.exit_status == 2


def test_findings_and_broken_rows_are_told() -> None:
    broken: Run = with_scenario(
        "storm",
        invariants=tuple(
            InvariantRows(name=each.name, rows=1, seconds=0.1, sample=("visit=7, room=3",)) for each in scenario("storm").invariants  # type: ignore[union-attr]
        ),
        history=HistoryCheck(
            operations=1, acknowledged=1, refused=0, unknown=0, findings=(HistoryFinding(kind="lost", sentence="Visit 7 is lost."),)
        ),
    )  # fmt: skip
    told = page(report(broken))
    assert "storm, claims_overlap: visit=7, room=3" in told
    assert "storm, lost: Visit 7 is lost." in told


@pytest.mark.parametrize(
    ("peak", "last"),
    [(0, 1), (0.003, 0.003), (1, 1), (9, 10), (25, 30), (40, 40), (41, 60), (2150, 3000), (1e6, 1e6)],
)
def test_scales_end_where_a_person_would(peak: float, last: float) -> None:
    steps = ticks(peak)
    assert steps[-1] == pytest.approx(last)
    assert 2 <= len(steps) <= 6


def test_a_long_line_is_thinned_and_keeps_its_worst() -> None:
    points = tuple((float(at), 900.0 if at == 5000 else 10.0) for at in range(14_400))
    drawn = lines("Long", [Series(name="p95", unit="ms", points=points)], "seconds").svg
    assert len(drawn) < 10_000
    ys = [
        float(each.split(",")[1])
        for each in re.findall(r'class="line c0 d0" points="([^"]+)"', drawn)[0].split()
    ]
    assert max(ys) - min(ys) > 80


def test_samples_that_are_all_alike_are_drawn() -> None:
    assert "<rect" in histogram("Alike", distribution([0.01] * 1000).bins, []).svg
    assert "<rect" in histogram("Nothing", distribution([0.0] * 1000).bins, []).svg


def test_who_makes_the_load_is_told() -> None:
    load: Load = replace(scenario("storm").load, generator="locust")
    assert ">locust<" in page(report(with_scenario("storm", load=load)))

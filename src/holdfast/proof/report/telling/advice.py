"""What follows: risks, bottlenecks, next steps, and which size is enough for which load. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from holdfast.proof.report.blocks import (
    Block,
    Column,
    Grid,
    Heading,
    Paragraph,
    Points,
    Said,
    Tone,
    said,
    words,
)
from holdfast.proof.report.bottlenecks import LARGE_SHARE
from holdfast.proof.report.model import Level, NotApplicable, Report, Risk

_TONES: Final[Mapping[Level, Tone]] = {"low": "good", "medium": "warn", "high": "bad"}
_SIZES: Final[Mapping[str, str]] = {
    "measured": "This machine, as measured", "per_second_100": "100 bookings a second",
    "per_second_500": "500 bookings a second",
}  # fmt: skip


def told(report: Report) -> Iterator[Block]:
    verdict = report.verdict
    yield Heading(2, "What follows", anchor="follows")
    yield Heading(3, "Risks")
    yield Grid(
        "How much risk is left",
        (Column("Risk"), Column("Level"), Column("Why")),
        tuple(map(_risk, verdict.risks)),
    )
    yield Heading(3, "Bottlenecks")
    if verdict.bottlenecks:
        yield _bottlenecks(report)
    else:
        yield Paragraph(
            f"No part of the road takes {LARGE_SHARE:.0f} % of a request's time or more, as far as it was seen, and"
            " nothing was used up."
        )
    yield Heading(3, "Next steps")
    yield Points(verdict.next_steps, is_ordered=True)
    yield Heading(3, "Which size for which load")
    sizing = report.run.sizing
    if isinstance(sizing, NotApplicable):
        yield Paragraph(f"Not applicable: {sizing.reason}", "muted")
    else:
        yield Grid(
            "Sizes derived from the knee of this run",
            (Column("Load"), Column("Size")),
            tuple((Said(_SIZES.get(each.name, each.name)), words(each.value)) for each in sizing),
        )


def _risk(risk: Risk) -> tuple[Said, ...]:
    return (Said(risk.area.capitalize()), Said(f"● {risk.level}", _TONES[risk.level]), Said(risk.why))


def _bottlenecks(report: Report) -> Grid:
    columns = (
        Column("Symptom"), Column("Where"), Column("Share", is_number=True), Column("Cause"), Column("Impact"), Column("Remedy")
    )  # fmt: skip
    return Grid(
        "What takes the time, by the spans and the resources", columns,
        tuple(
            (
                Said(each.symptom), Said(each.scenario, link=f"scenario-{each.scenario}"), said(each.share),
                Said(each.cause), Said(each.impact), Said(each.remedy),
            )
            for each in report.verdict.bottlenecks
        ),
    )  # fmt: skip

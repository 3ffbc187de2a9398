"""Integrity: each invariant with its query and the rows that break it, and what the histories say. Pure."""

from collections.abc import Iterator, Sequence

from holdfast.proof.report.blocks import Block, Code, Column, Grid, Heading, Paragraph, Points, Said, numbers
from holdfast.proof.report.model import HistoryCheck, InvariantQuery, NotApplicable, Report, Scenario


def told(report: Report) -> Iterator[Block]:
    run = report.run
    yield Heading(2, "Integrity", anchor="integrity")
    yield Heading(3, "Invariants")
    if isinstance(run.invariants, NotApplicable):
        yield Paragraph(f"Not applicable: {run.invariants.reason}", "muted")
    else:
        yield Paragraph(
            "After each scenario each of these was asked of what is stored. A row is something broken."
        )
        yield _invariants(run.invariants, run.scenarios)
        for each in run.invariants:
            yield Code(f"{each.name}: what is asked", each.query)
    yield from _without(run.scenarios)
    yield from _samples(run.scenarios)
    yield Heading(3, "Histories")
    yield Paragraph(
        "What every client sent and was told is compared with itself and with what is stored: whether it could have happened"
        " one after the other, whether everything acknowledged is there, and nothing else."
    )
    yield _histories(run.scenarios)
    findings = [
        f"{one.name}, {each.kind}: {each.sentence}"
        for one in run.scenarios
        if isinstance(one.history, HistoryCheck)
        for each in one.history.findings
    ]
    if findings:
        yield Points(tuple(findings), tone="bad")


def _invariants(invariants: Sequence[InvariantQuery], scenarios: Sequence[Scenario]) -> Grid:
    rows = []
    for each in invariants:
        found = [
            row
            for one in scenarios
            if not isinstance(one.invariants, NotApplicable)
            for row in one.invariants
            if row.name == each.name
        ]
        broken = sum(row.rows for row in found)
        rows.append((
            Said(each.name), Said(each.means), Said(f"{len(found):,}"), Said(f"{broken:,}", "bad" if broken else "good"),
            Said(f"{sum(row.seconds for row in found):.2f} s"),
        ))  # fmt: skip
    titles = (
        Column("Invariant"), Column("What must hold"), Column("Asked", is_number=True), Column("Rows", is_number=True),
        Column("Took", is_number=True),
    )  # fmt: skip
    return Grid("Each invariant, over all scenarios", titles, tuple(rows))


def _without(scenarios: Sequence[Scenario]) -> Iterator[Block]:
    for one in scenarios:
        if isinstance(one.invariants, NotApplicable):
            yield Paragraph(f"{one.name}: the invariants were not asked. {one.invariants.reason}", "muted")


def _samples(scenarios: Sequence[Scenario]) -> Iterator[Block]:
    found = tuple(
        f"{one.name}, {row.name}: {sample}"
        for one in scenarios
        if not isinstance(one.invariants, NotApplicable)
        for row in one.invariants
        for sample in row.sample
    )
    if found:
        yield Heading(4, "Broken rows")
        yield Points(found, tone="bad")


def _histories(scenarios: Sequence[Scenario]) -> Grid:
    rows: list[tuple[Said, ...]] = []
    for one in scenarios:
        of = one.history
        if isinstance(of, NotApplicable):
            none = Said("not applicable", "muted")
            rows.append((Said(one.name), Said("not applicable", "muted", of.reason), none, none, none, none))
            continue
        counts = (of.operations, of.acknowledged, of.refused, of.unknown)
        findings = Said(f"{len(of.findings):,}", "bad" if of.findings else "good")
        rows.append((Said(one.name), *(Said(f"{each:,}") for each in counts), findings))
    titles = numbers("Scenario", "Operations", "Acknowledged", "Refused", "Unknown", "Findings")
    return Grid("Histories checked", titles, tuple(rows))

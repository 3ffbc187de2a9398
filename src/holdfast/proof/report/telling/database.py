"""The database: its settings, plans with and without their index, what the indexes were used for, hot paths. Pure."""

from collections.abc import Iterator, Sequence

from holdfast.proof.report.blocks import Block, Code, Column, Grid, Heading, Paragraph, Said, numbers, said
from holdfast.proof.report.figures import value
from holdfast.proof.report.model import Cell, IndexUse, NotApplicable, Plan, PlanPair, Report


def told(report: Report) -> Iterator[Block]:
    of = report.run.database
    yield Heading(2, "The database", anchor="database")
    if isinstance(of, NotApplicable):
        yield Paragraph(f"Not applicable: {of.reason}", "muted")
        return
    yield Grid(
        f"PostgreSQL {of.version}: settings",
        (Column("Setting"), Column("Value")),
        tuple((Said(name), Said(setting or "not set")) for name, setting in sorted(of.settings.items())),
    )
    yield Heading(3, "Plans with and without their index")
    if isinstance(of.plans, NotApplicable):
        yield Paragraph(f"Not applicable: {of.plans.reason}", "muted")
    else:
        yield _plans(of.plans)
        for each in of.plans:
            yield Code(f"{each.what}: the query and both plans", _text(each))
    yield Heading(3, "What the indexes were used for")
    if isinstance(of.indexes, NotApplicable):
        yield Paragraph(f"Not applicable: {of.indexes.reason}", "muted")
    else:
        yield _indexes(of.indexes)
    yield Heading(3, "Hot paths")
    if isinstance(of.hot_paths, NotApplicable):
        yield Paragraph(f"Not applicable: {of.hot_paths.reason}", "muted")
    else:
        rows = tuple((Said(each.what), said(each.figure)) for each in of.hot_paths)
        yield Grid("What the paths cost on average", numbers("Path", "Mean"), rows)


def _plans(plans: Sequence[PlanPair]) -> Grid:
    titles = (
        Column("Query"), Column("Index"), Column("Rows of the table", is_number=True), Column("Without", is_number=True),
        Column("With", is_number=True), Column("So many times as fast", is_number=True),
    )  # fmt: skip
    rows = tuple(
        (
            Said(each.what), Said(each.index), Said(f"{each.rows:,}"), *_times(each),
            said(each.ratio, with_n=False),
        )
        for each in plans
    )  # fmt: skip
    return Grid("The same data in a scratch database, without the index and with it", titles, rows)


def _times(pair: PlanPair) -> Iterator[Said]:
    """Each with a bar against the longer of the two."""
    cells: list[Cell] = [each.time if isinstance(each, Plan) else each for each in (pair.before, pair.after)]
    longest = max((value(each) or 0.0 for each in cells), default=0.0)
    for each in cells:
        plain, took = said(each), value(each)
        yield Said(plain.words, plain.tone, plain.note, bar=took / longest if took and longest else 0.0)


def _text(pair: PlanPair) -> str:
    def plan(title: str, one: Plan | NotApplicable) -> str:
        return f"-- {title}\n{one.reason if isinstance(one, NotApplicable) else one.text}"

    without = plan(f"without {pair.index}", pair.before)
    return f"{pair.query}\n\n{without}\n\n{plan(f'with {pair.index}', pair.after)}"


def _indexes(indexes: Sequence[IndexUse]) -> Grid:
    titles = (
        Column("Index"), Column("Table"), Column("Serves"), Column("Scans", is_number=True), Column("Rows read", is_number=True),
        Column("Rows fetched", is_number=True), Column("Size", is_number=True), Column("Of the table's scans", is_number=True),
    )  # fmt: skip
    rows = tuple(
        (
            Said(each.name), Said(each.table), Said(each.serves),
            *(said(cell, with_n=False) for cell in (each.scans, each.tuples_read, each.tuples_fetched, each.size, each.share)),
        )
        for each in indexes
    )  # fmt: skip
    return Grid("Use of each index that serves those queries", titles, rows)

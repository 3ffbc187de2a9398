"""The whole report, from the verdict to the glossary. Pure."""

from collections.abc import Iterator

from holdfast.proof.report.blocks import Block
from holdfast.proof.report.model import Report
from holdfast.proof.report.telling import advice, compared, database, integrity, method, overview, scenarios


def told(report: Report) -> Iterator[Block]:
    """All of it, in reading order."""
    yield from overview.told(report)
    yield from advice.told(report)
    yield from scenarios.told(report)
    yield from database.told(report)
    yield from integrity.told(report)
    yield from compared.told(report)
    yield from method.told(report)

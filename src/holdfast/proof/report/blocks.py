"""What a report consists of when it is told: headings, tables, charts. `telling` makes these of a report, `html.py` and
`markdown.py` write them down, so that both say the same. Pure.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from holdfast.proof.report.model import Cell, NotApplicable, Outcome
from holdfast.proof.report.units import told

Tone = Literal["plain", "good", "warn", "bad", "muted"]


class Said(msgspec.Struct, frozen=True):
    """One cell of a table. `note`: smaller, beside it. `bar`: from 0 to 1, how much of its column's largest. `drawing`: an SVG
    that shows what the words say. `link`: an anchor of the page."""

    words: str
    tone: Tone = "plain"
    note: str = ""
    bar: float = 0.0
    drawing: str = ""
    link: str = ""


class Column(msgspec.Struct, frozen=True):
    title: str
    is_number: bool = False


class Heading(msgspec.Struct, frozen=True):
    level: Literal[2, 3, 4]
    words: str
    anchor: str = ""


class Paragraph(msgspec.Struct, frozen=True):
    words: str
    tone: Tone = "plain"


class Hero(msgspec.Struct, frozen=True):
    """What is read first: the verdict and its reason."""

    outcome: Outcome
    reason: str
    recommendation: str
    facts: tuple[tuple[str, str], ...]


class Tile(msgspec.Struct, frozen=True):
    """A figure of the first look."""

    words: str
    value: str
    note: str
    tone: Tone
    link: str


class Tiles(msgspec.Struct, frozen=True):
    tiles: tuple[Tile, ...]


class Grid(msgspec.Struct, frozen=True):
    """A table. `caption`: what it is of."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Said, ...], ...]


class Points(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[str, ...]
    is_ordered: bool = False
    tone: Tone = "plain"


class Chart(msgspec.Struct, frozen=True):
    """`svg` for the page; `summary` is its title for those who do not see it; `lines` draw it in letters."""

    caption: str
    svg: str
    summary: str
    lines: tuple[str, ...] = ()
    is_wide: bool = False


class Charts(msgspec.Struct, frozen=True):
    charts: tuple[Chart, ...]


class Code(msgspec.Struct, frozen=True):
    """A longer text as it is, behind its title."""

    title: str
    text: str


Block = Heading | Paragraph | Hero | Tiles | Grid | Points | Charts | Code


def said(cell: Cell, tone: Tone = "plain", *, with_n: bool = True) -> Said:
    """A figure with its n, or that there is none and why."""
    if isinstance(cell, NotApplicable):
        return Said("not applicable", "muted", cell.reason)
    return Said(told(cell), tone, f"n = {cell.n:,}" if with_n else "")


def row_of(cells: Iterable[Cell]) -> tuple[Said, ...]:
    """Figures whose n stands elsewhere in their row; a reason is told once."""
    told_already: set[str] = set()
    row = []
    for each in cells:
        one = said(each, with_n=False)
        row.append(Said(one.words, one.tone) if one.note in told_already else one)
        told_already.add(one.note)
    return tuple(row)


def words(value: str | NotApplicable) -> Said:
    """Words, or that there are none and why."""
    if isinstance(value, NotApplicable):
        return Said("not applicable", "muted", value.reason)
    return Said(value)


def numbers(*titles: str) -> tuple[Column, ...]:
    """The first column of words, the others of numbers."""
    first, *others = titles
    return (Column(first), *(Column(title, is_number=True) for title in others))

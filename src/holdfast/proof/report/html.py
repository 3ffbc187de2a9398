"""The report as one page of HTML: nothing is fetched, nothing runs. Writes blocks down, and knows nothing of reports. Pure."""

import itertools
import re
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from typing import Final, NamedTuple

from holdfast.proof.report.blocks import (
    Block,
    Chart,
    Charts,
    Code,
    Column,
    Grid,
    Heading,
    Hero,
    Paragraph,
    Points,
    Said,
    Tile,
    Tiles,
)

_NARROW_COLUMNS: Final = 3
_NARROW_WORDS: Final = 60


class _Contents(NamedTuple):
    headings: tuple[Heading, ...]


class _Pairs(NamedTuple):
    grids: tuple[Grid, ...]


def page(title: str, blocks: Sequence[Block]) -> str:
    """The whole page. Contents are made of the headings that can be pointed at."""
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    written = "\n".join(_written(each) for each in _ordered(blocks))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n{written}\n</main>\n</body>\n</html>\n"
    )


def _ordered(blocks: Sequence[Block]) -> Iterator[Block | _Contents | _Pairs]:
    """The contents stand after what is read first, and narrow tables that follow each other side by side."""
    headings = tuple(each for each in blocks if isinstance(each, Heading) and each.anchor)
    first = next((n for n, each in enumerate(blocks) if isinstance(each, Heading)), len(blocks))
    yield from blocks[:first]
    yield _Contents(headings)
    for is_narrow, group in itertools.groupby(blocks[first:], key=_is_narrow):
        if is_narrow:
            yield _Pairs(tuple(each for each in group if isinstance(each, Grid)))
        else:
            yield from group


def _is_narrow(block: Block) -> bool:
    return (
        isinstance(block, Grid)
        and len(block.columns) <= _NARROW_COLUMNS
        and not any(len(cell.words) > _NARROW_WORDS for row in block.rows for cell in row)
    )


def _written(block: Block | _Contents | _Pairs) -> str:
    match block:
        case _Contents():
            return _contents(block.headings)
        case _Pairs():
            return f'<div class="pairs">{"".join(map(_grid, block.grids))}</div>'
        case Hero():
            return _hero(block)
        case Tiles():
            return f'<div class="tiles">{"".join(map(_tile, block.tiles))}</div>'
        case Heading():
            anchor = f' id="{escape(block.anchor)}"' if block.anchor else ""
            return f"<h{block.level}{anchor}>{escape(block.words)}</h{block.level}>"
        case Paragraph():
            return f'<p class="{block.tone}">{_prose(block.words)}</p>'
        case Points():
            return _points(block)
        case Grid():
            return _grid(block)
        case Charts():
            return f'<div class="charts">{"".join(map(_chart, block.charts))}</div>'
        case Code():
            return (
                f"<details><summary>{escape(block.title)}</summary><pre>{escape(block.text)}</pre></details>"
            )


def _prose(words: str) -> str:
    """Sentences, in which backticks mean code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(words))


def _contents(headings: Sequence[Heading]) -> str:
    items = "".join(
        f'<li class="level-{each.level}"><a href="#{escape(each.anchor)}">'
        f"{escape(each.words if each.level == 2 else each.words.partition(':')[0])}</a></li>"
        for each in headings
    )
    return f'<nav aria-label="Contents"><ul>{items}</ul></nav>'


def _hero(hero: Hero) -> str:
    kind = {"GO": "good", "NO-GO": "bad", "invalid": "warn"}[hero.outcome]
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in hero.facts
    )
    return (
        f'<section class="hero {kind}" aria-label="Verdict"><p class="outcome">{escape(hero.outcome)}</p>'
        f'<div><p class="reason">{escape(hero.reason)}</p><p class="recommendation">{escape(hero.recommendation)}</p></div>'
        f"<dl>{facts}</dl></section>"
    )


def _tile(tile: Tile) -> str:
    return (
        f'<a class="tile {tile.tone}" href="#{escape(tile.link)}"><span class="words">{escape(tile.words)}</span>'
        f'<span class="value">{escape(tile.value)}</span><span class="note">{escape(tile.note)}</span></a>'
    )


def _points(points: Points) -> str:
    tag = "ol" if points.is_ordered else "ul"
    items = "".join(f"<li>{_prose(each)}</li>" for each in points.items)
    return f'<{tag} class="points {points.tone}">{items}</{tag}>'


def _grid(grid: Grid) -> str:
    head = "".join(
        f'<th scope="col"{" class=number" if each.is_number else ""}>{escape(each.title)}</th>'
        for each in grid.columns
    )
    rows = "\n".join(
        f"<tr>{''.join(_cell(each, column, is_first=not n) for n, (each, column) in enumerate(zip(row, grid.columns, strict=True)))}</tr>"
        for row in grid.rows
    )
    return (
        f'<div class="grid" tabindex="0" role="region" aria-label="{escape(grid.caption)}"><table>'
        f"<caption>{escape(grid.caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _cell(cell: Said, column: Column, *, is_first: bool) -> str:
    tag, scope = ("th", ' scope="row"') if is_first else ("td", "")
    kind = cell.tone + (" number" if column.is_number else "") + (" drawn" if cell.drawing else "")
    words = _prose(cell.words)
    if cell.link:
        words = f'<a href="#{escape(cell.link)}">{words}</a>'
    if cell.drawing:
        words = f'{cell.drawing}<span class="beside">{words}</span>'
    note = (
        f' <span class="note{" n" if cell.note.startswith("n = ") else ""}">{escape(cell.note)}</span>'
        if cell.note
        else ""
    )
    bar = f'<span class="share" style="--share:{100 * cell.bar:.1f}%"></span>' if cell.bar else ""
    return f'<{tag}{scope} class="{kind}">{words}{note}{bar}</{tag}>'


def _chart(chart: Chart) -> str:
    wide = ' class="wide"' if chart.is_wide else ""
    return f"<figure{wide}><figcaption>{escape(chart.caption)}</figcaption>{chart.svg}</figure>"

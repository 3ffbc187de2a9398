"""The report as Markdown: the same blocks as the page, its charts drawn in letters. Pure."""

from collections.abc import Iterator, Sequence

from holdfast.proof.report.blocks import (
    Block,
    Chart,
    Charts,
    Code,
    Grid,
    Heading,
    Hero,
    Paragraph,
    Points,
    Said,
    Tiles,
)


def text(title: str, blocks: Sequence[Block]) -> str:
    """The whole text."""
    return "\n\n".join([f"# {title}", *("\n".join(_written(each)) for each in blocks)]) + "\n"


def _written(block: Block) -> Iterator[str]:
    match block:
        case Hero():
            yield f"**{block.outcome}.** {_plain(block.reason)}"
            yield ""
            yield f"{_plain(block.recommendation)}"
            yield ""
            yield from (f"- {name}: {_plain(value)}" for name, value in block.facts)
        case Tiles():
            yield from (f"- {_plain(each.words)}: **{each.value}** ({each.note})" for each in block.tiles)
        case Heading():
            yield f"{'#' * block.level} {_plain(block.words)}"
        case Paragraph():
            yield _plain(block.words)
        case Points():
            signs = (f"{n}." if block.is_ordered else "-" for n in range(1, len(block.items) + 1))
            yield from (f"{sign} {_plain(each)}" for sign, each in zip(signs, block.items, strict=True))
        case Grid():
            yield from _grid(block)
        case Charts():
            for each in block.charts:
                yield from _chart(each)
        case Code():
            yield f"{_plain(block.title)}:"
            yield ""
            yield from ("```", block.text, "```")


def _grid(grid: Grid) -> Iterator[str]:
    yield f"*{_plain(grid.caption)}*"
    yield ""
    yield _row([each.title for each in grid.columns])
    yield _row(["---:" if each.is_number else "---" for each in grid.columns], is_plain=True)
    yield from (_row([_cell(each) for each in row]) for row in grid.rows)


def _row(cells: Sequence[str], *, is_plain: bool = False) -> str:
    return (
        f"| {' | '.join(each if is_plain else _plain(each).replace('|', chr(92) + '|') for each in cells)} |"
    )


def _cell(cell: Said) -> str:
    return f"{cell.words} ({cell.note})" if cell.note else cell.words


def _chart(chart: Chart) -> Iterator[str]:
    yield f"{_plain(chart.caption)}:"
    yield ""
    yield from (f"- {_plain(line)}" for line in chart.lines)
    yield ""


def _plain(words: str) -> str:
    """On one line, and nothing in it that Markdown would read as its own."""
    one = " ".join(words.split())
    for sign in ("*", "<", "["):
        one = one.replace(sign, f"\\{sign}")
    return one

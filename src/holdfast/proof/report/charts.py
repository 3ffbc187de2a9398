"""Drawings in SVG, made of numbers: no script, no image, no font from anywhere. Colours are classes that the page gives
values for light and for dark. Each says in its title what it shows. Pure.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from holdfast.proof.report.blocks import Chart
from holdfast.proof.report.model import Bin, Mark, Series
from holdfast.proof.report.units import number, told_value, unit_name

_WIDTH: Final = 480.0
_LEFT, _RIGHT, _BOTTOM = 46.0, 12.0, 22.0
_PANEL: Final = 118.0
_HEAD: Final = 22.0
"""Over each panel, for the names of its lines."""
_DRAWN_MAX: Final = 240
_COLOURS: Final = 4
_SPARKS: Final = "▁▂▃▄▅▆▇█"
_SPARKS_MAX: Final = 40


class Part(NamedTuple):
    """A part of a whole, by its name. `tone`: its class of colour."""

    name: str
    value: float
    told: str
    tone: str


class _Frame(NamedTuple):
    """Where values lie on the drawing."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    peak: float

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * (value - self.low) / ((self.high - self.low) or 1.0)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * min(value, self.peak) / (self.peak or 1.0)


def lines(
    caption: str, series: Sequence[Series], x_label: str, marks: Sequence[Mark] = (), *, is_wide: bool = False
) -> Chart:
    """Lines over one x axis, a panel for each unit, so that no two scales share a panel."""
    panels: dict[str, list[tuple[int, Series]]] = {}
    for colour, one in enumerate(series):
        panels.setdefault(one.unit, []).append((colour % _COLOURS, one))
    xs = [x for one in series for x, _ in one.points]
    width, height = 2 * _WIDTH if is_wide else _WIDTH, len(panels) * (_PANEL + _HEAD) + _BOTTOM
    drawn = []
    for index, group in enumerate(panels.values()):
        top = _HEAD + index * (_PANEL + _HEAD)
        peak = ticks(max(y for _, one in group for _, y in one.points))[-1]
        frame = _Frame(_LEFT, width - _RIGHT, top, top + _PANEL - 8, min(xs), max(xs), peak)
        drawn += [*_scale(frame), *_marked(frame, marks, has_words=index == 0)]
        drawn += [
            _line(frame, one, f"c{colour} d{number_of}") for number_of, (colour, one) in enumerate(group)
        ]
        drawn += _legend(frame, group)
    axis = _Frame(_LEFT, width - _RIGHT, 0, height - _BOTTOM - 8, min(xs), max(xs), 1)
    drawn += _x_axis(axis, x_label)
    summary = f"{caption}. " + " ".join(f"{_range_of(one)}." for one in series)
    told = tuple(_sparks(one) for one in series)
    return Chart(caption, _svg(height, summary, drawn, width), summary, told, is_wide=is_wide)


def histogram(caption: str, bins: Sequence[Bin], marks: Sequence[Mark]) -> Chart:
    """How latencies are distributed, on a scale on which equal steps are equal factors. `marks`: percentiles and limits."""
    first = bins[0].upto or 1e-3
    factor = bins[1].upto / first if len(bins) > 1 and bins[1].upto > first else 1.12
    edges = [first / factor, *(max(each.upto, first) for each in bins)]
    shown = [mark for mark in marks if mark.at <= 30 * edges[-1]]
    low, high = edges[0], max([edges[-1] * factor, *(mark.at * 1.15 for mark in shown)])
    top, bottom = 66.0, 168.0
    peak = max(each.n for each in bins)
    frame = _Frame(_LEFT, _WIDTH - _RIGHT, top, bottom, math.log(low), math.log(high), peak)
    drawn = [_path("axis", [(frame.left, bottom), (frame.right, bottom)])]
    for before, each in zip(edges, bins, strict=False):
        x, wide = (
            frame.x(math.log(before)),
            frame.x(math.log(max(each.upto, first))) - frame.x(math.log(before)),
        )
        if each.n:
            y = min(frame.y(each.n), bottom - 1)
            drawn.append(_rect("bar c0", x, y, max(1.0, wide - 1), bottom - y))
    drawn += [_text(frame.x(math.log(at)), bottom + 15, number(at), "middle") for at in _decades(low, high)]
    drawn += [_text(_LEFT - 6, top + 4, f"{peak:,}", "end"), _text(_LEFT - 6, bottom, "0", "end")]
    for row, mark in enumerate(sorted(shown, key=lambda each: each.at)):
        drawn += _flag(frame, math.log(max(mark.at, low)), mark.label, 12 + 13 * (row % 4))
    total = sum(each.n for each in bins)
    summary = f"{caption}: {total:,} samples, in ms. " + " ".join(f"{mark.label}." for mark in marks)
    sparks = f"{_spark([float(each.n) for each in bins])} from {number(low)} to {number(edges[-1])} ms"
    told = tuple(mark.label for mark in marks)
    return Chart(
        caption, _svg(bottom + 24, summary, drawn), summary, (sparks, ", ".join(told) if told else "no marks")
    )


def columns(caption: str, bins: Sequence[Bin], x_label: str) -> Chart:
    """How often each size was seen, a column for each bin up to the last that has any."""
    last = max((n for n, each in enumerate(bins) if each.n), default=0)
    shown = bins[: last + 1]
    names = [
        _sizes(before, each.upto)
        for before, each in zip([0.0, *(one.upto for one in shown)], shown, strict=False)
    ]
    peak = ticks(max(each.n for each in shown))[-1]
    frame = _Frame(_LEFT, _WIDTH - _RIGHT, 14, 154, 0, len(shown), peak)
    drawn = [*_scale(frame)]
    every = math.ceil(sum(len(name) + 2 for name in names) * 5.5 / (frame.right - frame.left - 60))
    for index, (each, name) in enumerate(zip(shown, names, strict=True)):
        x, wide = frame.x(index), frame.x(index + 1) - frame.x(index)
        if each.n:
            y = min(frame.y(each.n), frame.bottom - 1)
            drawn.append(_rect("bar c1", x + 1, y, max(1.0, min(wide, 56.0) - 2), frame.bottom - y))
        if index % every == 0:
            drawn.append(_text(x + min(wide, 56.0) / 2, frame.bottom + 15, name, "middle"))
    drawn.append(_text(frame.right, frame.top - 4, x_label, "end", "label"))
    most = names[max(range(len(shown)), key=lambda index: shown[index].n)]
    summary = f"{caption}: most often {most}, at most {names[-1]} {x_label}."
    told = tuple(f"{name} {x_label}: {each.n:,}" for name, each in zip(names, shown, strict=True) if each.n)
    return Chart(caption, _svg(180, summary, drawn), summary, told)


def _sizes(above: float, upto: float) -> str:
    return number(upto) if upto - above <= 1 else f"{number(above + 1)}-{number(upto)}"


def parts(caption: str, wholes: Sequence[Part]) -> Chart:
    """What a whole consists of, as one bar with its names below."""
    total = sum(part.value for part in wholes) or 1.0
    drawn, x, width = [], 0.0, 2 * _WIDTH
    for part in wholes:
        wide = width * part.value / total
        if wide > 0:
            drawn.append(_rect(f"bar {part.tone}", x, 4, max(1.0, wide - 1.5), 20, round_by=2))
        x += wide
    at, row = 0.0, 0
    for part in wholes:
        wide = 30 + 6.4 * len(f"{part.name} {part.told}")
        if at and at + wide > width:
            at, row = 0.0, row + 1
        y = 40 + 18 * row
        drawn += [_rect(f"bar {part.tone}", at, y - 8, 10, 10, round_by=2)]
        drawn += [_text(at + 15, y + 1, f"{part.name} {part.told}", "start", "label")]
        at += wide
    summary = f"{caption}: " + ", ".join(f"{part.name} {part.told}" for part in wholes) + "."
    told = tuple(f"{part.name}: {part.told}" for part in wholes)
    return Chart(caption, _svg(48 + 18 * row, summary, drawn, width), summary, told, is_wide=True)


def margin_bar(part: float, tone: str, summary: str) -> str:
    """How much of a limit is used, 1 being all of it: what is beyond lies beyond the tick."""
    width, at = 120.0, 90.0
    wide = min(width, at * part)
    drawn = [_rect("track", 0, 4, at, 8, round_by=4)]
    if wide > 0:
        drawn.append(_rect(f"bar {tone}", 0, 4, max(3.0, wide), 8, round_by=4))
    drawn.append(_path("tick", [(at, 0), (at, 16)]))
    return _svg(16, summary, drawn, width, "margin")


def ticks(peak: float) -> list[float]:
    """Even steps from 0 that a person would choose, the last at or above the peak."""
    if peak <= 0:
        return [0.0, 1.0]
    rough = peak / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough * 0.999)
    return [index * step for index in range(math.ceil(peak / step - 1e-9) + 1)]


def _decades(low: float, high: float) -> Iterator[float]:
    """Of a scale of factors: 1, 2, 5, 10 and so on; the tens alone where there are many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= 4 else (1,)
    for power in range(first, last + 1):
        for step in steps:
            if low <= step * 10.0**power <= high:
                yield step * 10.0**power


def _scale(frame: _Frame) -> Iterator[str]:
    for each in ticks(frame.peak):
        y = frame.y(each)
        yield _path("axis" if each == 0 else "rule", [(frame.left, y), (frame.right, y)])
        yield _text(frame.left - 6, y + 3.5, number(each), "end")


def _x_axis(frame: _Frame, label: str) -> Iterator[str]:
    y = frame.bottom + 15
    for each in ticks(frame.high):
        if frame.low <= each <= frame.high and frame.x(each) < frame.right - 8 * len(label) + 40:
            yield _text(frame.x(each), y, number(each), "middle")
    yield _text(frame.right, y, label, "end", "label")


def _line(frame: _Frame, one: Series, kind: str) -> str:
    thin = _thinned(one)
    if len(thin) == 1:
        ((x, y),) = thin
        return f'<circle class="dot {kind}" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="3"/>'
    return _path(f"line {kind}", [(frame.x(x), frame.y(y)) for x, y in thin])


def _thinned(one: Series) -> list[tuple[float, float]]:
    """No more points than can be told apart: of latencies the worst of each stretch, of anything else the mean."""
    points = list(one.points)
    step = math.ceil(len(points) / _DRAWN_MAX)
    if step <= 1:
        return points
    groups = [points[at : at + step] for at in range(0, len(points), step)]
    is_worst = one.unit in {"ms", "us", "s"}
    return [
        (group[0][0], max(y for _, y in group) if is_worst else math.fsum(y for _, y in group) / len(group))
        for group in groups
    ]


def _marked(frame: _Frame, marks: Sequence[Mark], *, has_words: bool) -> Iterator[str]:
    for row, mark in enumerate(marks):
        if has_words:
            yield from _flag(frame, mark.at, mark.label, frame.top + 9 + 12 * (row % 3))
        else:
            yield _path("mark", [(frame.x(mark.at), frame.top), (frame.x(mark.at), frame.bottom)])


def _flag(frame: _Frame, at: float, label: str, y: float) -> Iterator[str]:
    x = frame.x(at)
    yield _path("mark", [(x, y - 8), (x, frame.bottom)])
    is_left = x > (frame.left + frame.right) / 2
    yield _text(x - 4 if is_left else x + 4, y, label, "end" if is_left else "start", "label")


def _legend(frame: _Frame, group: Sequence[tuple[int, Series]]) -> Iterator[str]:
    x, y = frame.left, frame.top - 10
    for index, (colour, one) in enumerate(group):
        yield _path(f"line c{colour} d{index}", [(x, y - 4), (x + 14, y - 4)])
        words = f"{one.name}, {unit_name(one.unit)}" if index == len(group) - 1 else one.name
        yield _text(x + 19, y, words, "start", "label")
        x += 34 + 5.6 * len(words)


def _range_of(one: Series) -> str:
    values = [y for _, y in one.points]
    low, high = told_value(min(values), one.unit), told_value(max(values), one.unit)
    return f"{one.name}: {low}" if low == high else f"{one.name}: from {low} to {high}"


def _sparks(one: Series) -> str:
    return f"{_spark([y for _, y in one.points])} {_range_of(one)}"


def _spark(values: Sequence[float]) -> str:
    step = math.ceil(len(values) / _SPARKS_MAX)
    means = [
        math.fsum(values[at : at + step]) / len(values[at : at + step]) for at in range(0, len(values), step)
    ]
    peak = max(means) or 1.0
    return "".join(_SPARKS[min(len(_SPARKS) - 1, int(each / peak * len(_SPARKS)))] for each in means)


def _svg(
    height: float, summary: str, drawn: Iterable[str], width: float = _WIDTH, kind: str = "chart"
) -> str:
    return (
        f'<svg class="{kind}" role="img" viewBox="0 0 {width:g} {height:g}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(summary)}</title>{''.join(drawn)}</svg>"
    )


def _path(kind: str, points: Sequence[tuple[float, float]]) -> str:
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _rect(kind: str, x: float, y: float, width: float, height: float, round_by: float = 1) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{round_by:g}"/>'


def _text(x: float, y: float, words: str, anchor: str, kind: str = "tick-label") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'

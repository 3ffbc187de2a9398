"""From minutes that were given to units that count, as payers round. Pure arithmetic over a list of lines: what one line
counts depends on the others.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Rounding = Literal["cpt_midpoint", "cms_8_minute", "full_units", "ceil"]
Scope = Literal["session", "day"]


class Given(NamedTuple):
    """A line as it was given. `start` in epoch seconds; `unit_minutes` is how long a unit of its service is."""

    visit_id: str
    line_no: int
    start: int
    code: str
    basis: str
    unit_minutes: int
    minutes: int


def rounded(lines: Sequence[Given], rounding: Rounding, scope: Scope) -> list[int]:
    """The units of each line, in their order. `lines`: all that one payer pays for of a patient's local day.

    By time, minutes are counted together before they are rounded: those of one code in one visit (`session`) or in the
    whole day (`day`); `cms_8_minute` counts those of all codes together. What the rounded sum is more than each line's
    full units goes to the lines with the most minutes left over, one each. By visit, a code counts once in a visit; by
    day, once in the day, whatever the scope: it is the first line's that was given at all.
    """
    pools: dict[tuple[str, ...], list[int]] = {}
    for n, line in enumerate(lines):
        pools.setdefault(_pool(line, rounding, scope), []).append(n)
    units = [0] * len(lines)
    for pool in pools.values():
        if lines[pool[0]].basis == "time":
            _share_time(lines, pool, rounding, units)
        else:
            given = [n for n in pool if lines[n].minutes > 0]
            if given:
                units[min(given, key=lambda n: _first(lines[n]))] = 1
    return units


def units_of_minutes(minutes: int, unit_minutes: int, rounding: Rounding) -> int:
    """Units of a sum of minutes.

    `cpt_midpoint`: a unit is attained when its midpoint is passed (AMA, CPT, Time: 31 minutes of an hour, 8 of 15).
    `cms_8_minute`: the same of all timed minutes together (CMS, Medicare Claims Processing Manual 100-04, chapter 5,
    20.2: 8 to 22 minutes 1 unit, 23 to 37 minutes 2 units). `full_units`: only whole units. `ceil`: every unit begun.
    """
    if rounding == "full_units":
        return minutes // unit_minutes
    if rounding == "ceil":
        return -(-minutes // unit_minutes)
    return (minutes + (unit_minutes - 1) // 2) // unit_minutes


def _pool(line: Given, rounding: Rounding, scope: Scope) -> tuple[str, ...]:
    """Lines of one pool are counted together. Units of different lengths never are."""
    if line.basis == "time":
        visit = line.visit_id if scope == "session" else ""
        code = "" if rounding == "cms_8_minute" else line.code
        return "time", visit, code, str(line.unit_minutes)
    return line.basis, line.visit_id if line.basis == "visit" else "", line.code


def _share_time(lines: Sequence[Given], pool: list[int], rounding: Rounding, units: list[int]) -> None:
    """Never more lines are owed a unit than there are: what is left over of each is less than a unit."""
    length = lines[pool[0]].unit_minutes
    for n in pool:
        units[n] = lines[n].minutes // length
    total = units_of_minutes(sum(lines[n].minutes for n in pool), length, rounding)
    most_left = sorted(
        pool, key=lambda n: (-(lines[n].minutes % length), -lines[n].minutes, _first(lines[n]))
    )
    for n in most_left[: total - sum(units[n] for n in pool)]:
        units[n] += 1


def _first(line: Given) -> tuple[int, str, int]:
    return line.start, line.visit_id, line.line_no

"""Minutes to units, by the examples of payers and against a definition that deals out one unit after the other."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.rules.rounding import Given, Rounding, Scope, rounded, units_of_minutes
from holdfast.slot import units_to_reserve

ROUNDINGS: tuple[Rounding, ...] = ("cpt_midpoint", "cms_8_minute", "full_units", "ceil")
SCOPES: tuple[Scope, ...] = ("session", "day")


def line(
    minutes: int, code: str = "97110", n: int = 1, visit: str = "v", basis: str = "time", length: int = 15
) -> Given:
    return Given(visit, n, n, code, basis, length, minutes)


def together(rounding: Rounding, *minutes: int) -> list[int]:
    """Units of lines of different codes in one visit."""
    lines = [line(each, f"code {n}", n) for n, each in enumerate(minutes)]
    return rounded(lines, rounding, "session")


@pytest.mark.parametrize(
    ("minutes", "units"),
    [(0, 0), (7, 0), (8, 1), (15, 1), (22, 1), (23, 2), (37, 2), (38, 3), (60, 4), (61, 4), (67, 4), (68, 5)],
)
def test_a_unit_is_attained_when_its_midpoint_is_passed(minutes: int, units: int) -> None:
    """8 minutes are 1 unit and 23 are 2: of one line CMS counts as CPT does."""
    assert together("cpt_midpoint", minutes) == together("cms_8_minute", minutes) == [units]


def test_sixty_one_minutes_reserve_five_and_consume_four() -> None:
    assert units_to_reserve(61, "time", 15) == 5
    assert together("cpt_midpoint", 61) == [4]
    assert (together("full_units", 61), together("ceil", 61)) == ([4], [5])


def test_the_midpoint_itself_is_not_passed() -> None:
    assert [units_of_minutes(minutes, 60, "cpt_midpoint") for minutes in (30, 31, 90, 91)] == [0, 1, 1, 2]
    assert [units_of_minutes(minutes, 30, "cpt_midpoint") for minutes in (15, 16)] == [0, 1]
    assert [units_of_minutes(minutes, 1, "cpt_midpoint") for minutes in (0, 1, 2)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("minutes", "units"),
    [
        ((24, 23), [2, 1]), ((20, 20), [2, 1]), ((33, 7), [2, 1]), ((18, 13, 10, 8), [1, 1, 1, 0]),
        ((7, 7, 7), [1, 0, 0]),
    ],
)  # fmt: skip
def test_the_examples_of_the_medicare_manual(minutes: tuple[int, ...], units: list[int]) -> None:
    """CMS, Medicare Claims Processing Manual 100-04, chapter 5, 20.2, C: examples 1 to 5."""
    assert together("cms_8_minute", *minutes) == units


def test_by_day_minutes_of_several_visits_are_counted_together() -> None:
    lines = [line(7, visit="morning", n=1), line(8, visit="evening", n=2)]
    assert rounded(lines, "cpt_midpoint", "session") == [0, 1]
    assert rounded(lines, "cpt_midpoint", "day") == [0, 1]
    assert rounded([line(7, n=1), line(7, n=2, visit="w")], "cpt_midpoint", "day") == [1, 0]
    assert rounded([line(33, "a"), line(7, "b", 2, "w")], "cms_8_minute", "day") == [2, 1]
    assert rounded([line(33, "a"), line(7, "b", 2, "w")], "cms_8_minute", "session") == [2, 0]


def test_codes_are_rounded_apart_and_lines_of_one_code_together() -> None:
    assert rounded([line(7, "a"), line(7, "b", 2)], "cpt_midpoint", "session") == [0, 0]
    assert rounded([line(7, "a"), line(7, "a", 2)], "cpt_midpoint", "session") == [1, 0]
    assert rounded([line(20), line(25, n=2)], "full_units", "session") == [1, 2]
    assert rounded([line(16), line(16, n=2, length=30)], "cms_8_minute", "session") == [1, 1]


def test_a_visit_counts_once_in_a_visit_and_a_day_once_in_a_day() -> None:
    for rounding in ROUNDINGS:
        for scope in SCOPES:
            visits = [line(45, n=1, basis="visit"), line(10, n=2, basis="visit")]
            visits.append(line(5, n=3, visit="w", basis="visit"))
            assert rounded(visits, rounding, scope) == [1, 0, 1]
            days = [
                line(0, n=1, basis="day"),
                line(45, n=2, basis="day"),
                line(5, n=3, visit="w", basis="day"),
            ]
            assert rounded([*days, line(5, "other", 4, basis="day")], rounding, scope) == [0, 1, 0, 1]


LINES = st.lists(
    st.builds(
        line, st.integers(0, 100), st.sampled_from("ab"), st.integers(1, 20), st.sampled_from("vw"),
        st.sampled_from(("time", "time", "visit", "day")), st.sampled_from((1, 8, 15, 30)),
    ),
    max_size=6, unique_by=lambda each: (each.visit_id, each.line_no),
)  # fmt: skip


def attained(minutes: int, length: int, rounding: Rounding) -> int:
    """Minute by minute, for each unit whether it counts."""
    reached = 0
    while minutes > reached * length:
        left = minutes - reached * length
        counts = {"full_units": left >= length, "ceil": True}.get(rounding, left * 2 > length)
        if not counts:
            break
        reached += 1
    return reached


def dealt(lines: list[Given], rounding: Rounding, scope: Scope) -> list[int]:
    """Of every pool, by hand: the units are dealt out one at a time, each to the line that has most minutes unpaid."""
    units = [0] * len(lines)

    def alike(one: Given, other: Given) -> bool:
        same_code = one.code == other.code
        if one.basis != other.basis:
            return False
        if one.basis == "time":
            return (
                one.unit_minutes == other.unit_minutes
                and (rounding == "cms_8_minute" or same_code)
                and (scope == "day" or one.visit_id == other.visit_id)
            )
        return same_code and (one.basis == "day" or one.visit_id == other.visit_id)

    left = list(range(len(lines)))
    while left:
        pool = [n for n in left if alike(lines[left[0]], lines[n])]
        left = [n for n in left if n not in pool]
        if lines[pool[0]].basis != "time":
            first = sorted((lines[n].start, lines[n].visit_id, n) for n in pool if lines[n].minutes)
            if first:
                units[first[0][2]] = 1
            continue
        length = lines[pool[0]].unit_minutes
        for _ in range(attained(sum(lines[n].minutes for n in pool), length, rounding)):

            def unpaid(n: int, length: int = length) -> tuple[int, int, int, int, str]:
                over = lines[n].minutes - units[n] * length
                return (
                    min(over, length),
                    over if over < length else 0,
                    lines[n].minutes if over < length else 0,
                    -lines[n].start,
                    "z" if lines[n].visit_id == "v" else "a",
                )

            units[max(pool, key=unpaid)] += 1
    return units


@given(LINES, st.sampled_from(ROUNDINGS), st.sampled_from(SCOPES))
def test_units_are_as_if_they_were_dealt_out_one_by_one(
    lines: list[Given], rounding: Rounding, scope: Scope
) -> None:
    assert rounded(lines, rounding, scope) == dealt(lines, rounding, scope)


@given(LINES, st.sampled_from(ROUNDINGS), st.sampled_from(SCOPES))
def test_a_line_never_counts_more_than_it_reserved(
    lines: list[Given], rounding: Rounding, scope: Scope
) -> None:
    """So a visit that is given as it was planned is always funded."""
    for each, units in zip(lines, rounded(lines, rounding, scope), strict=True):
        assert 0 <= units <= units_to_reserve(each.minutes, each.basis, each.unit_minutes)


@given(LINES.filter(lambda lines: len(lines) <= 4), st.sampled_from(ROUNDINGS), st.sampled_from(SCOPES))
def test_the_order_in_which_lines_are_named_does_not_matter(
    lines: list[Given], rounding: Rounding, scope: Scope
) -> None:
    units = dict(zip(lines, rounded(lines, rounding, scope), strict=True))
    for order in permutations(lines):
        assert dict(zip(order, rounded(order, rounding, scope), strict=True)) == units

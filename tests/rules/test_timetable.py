"""A timetable answers like a plain list of claims, and what it has not read is an error and not an empty answer."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.rules.facts import StoredClaim
from holdfast.rules.timetable import Claim, Timetable, spans_of
from holdfast.slot import DAY, MINUTE

HOUR = 60 * MINUTE
RESOURCES = ("a", "b")
DAYS = range(4)
CELLS = {(resource, day) for resource in RESOURCES for day in DAYS}
START, END = 0, len(DAYS) * DAY

starts = st.integers(0, 4 * 24 * 4 - 1).map(lambda n: n * 15 * MINUTE)
lengths = st.integers(1, 26 * 4).map(lambda n: n * 15 * MINUTE)


@st.composite
def claims(draw: Any) -> list[tuple[str, Claim]]:
    """Claims as storage can hold them: none overlaps another on its seat."""
    found: list[tuple[str, Claim]] = []
    for number in range(draw(st.integers(0, 12))):
        resource, seat, start = draw(st.sampled_from(RESOURCES)), draw(st.integers(0, 2)), draw(starts)
        end = min(start + draw(lengths), END)
        kind = draw(st.sampled_from(("visit", "group", "turnover", "closure")))
        claim = Claim(start, end, seat, kind, f"owner {number % 3}")
        if not any(r == resource and c.seat == seat and c.start < end and start < c.end for r, c in found):
            found.append((resource, claim))
    return found


def stored(held: list[tuple[str, Claim]]) -> list[StoredClaim]:
    return [StoredClaim(resource, c.seat, c.start, c.end, c.kind, c.owner) for resource, c in held]


def agrees(timetable: Timetable, held: list[tuple[str, Claim]], resource: str, start: int, end: int) -> None:
    mine = sorted(c for r, c in held if r == resource and c.start < end and start < c.end)
    assert timetable.overlapping(resource, start, end) == mine
    for seats in (1, 2, 3):
        taken = {c.seat for c in mine}
        if seats > 1 or taken <= {0}:
            free = next((seat for seat in range(seats) if seat not in taken), None)
            assert timetable.free_seat(resource, start, end, seats) == free
    # asked of rooms with one seat; by the side of others, each with an end of its own
    others = [(each, start + 1) for each in RESOURCES if each != resource]
    in_use = timetable.in_use([*others, (resource, end)], start)
    assert (resource in in_use) == bool(mine)
    for owner in ("owner 0", "owner 1"):
        assert timetable.owned(resource, start, end, owner) == [c for c in mine if c.owner == owner]
    begun = [c for r, c in held if r == resource and start <= c.start < end and c.kind in ("visit", "group")]
    assert timetable.visits_beginning(start, end)[resource] == len(begun)


@given(claims(), st.sampled_from(RESOURCES), starts, lengths)
def test_a_timetable_answers_like_a_list(
    held: list[tuple[str, Claim]], resource: str, start: int, length: int
) -> None:
    timetable = Timetable(7)
    timetable.fill(CELLS, stored(held))
    agrees(timetable, held, resource, start, min(start + length, END))


@given(claims(), st.data())
def test_what_is_granted_and_released_is_answered_at_once(
    held: list[tuple[str, Claim]], data: st.DataObject
) -> None:
    timetable = Timetable(7)
    read = data.draw(st.integers(0, len(held)))
    timetable.fill(CELLS, stored(held[:read]))
    now = held[:read]
    for resource, claim in held[read:]:
        timetable.add(resource, claim)
        now.append((resource, claim))
        if data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(now))
            timetable.remove(*gone)
            now.remove(gone)
        for each in RESOURCES:
            agrees(timetable, now, each, START, END)
            agrees(timetable, now, each, claim.start, claim.end)


@given(claims(), st.sets(st.sampled_from(sorted(CELLS))))
def test_reading_in_parts_is_reading_at_once(
    held: list[tuple[str, Claim]], first: set[tuple[str, int]]
) -> None:
    timetable = Timetable(7)
    timetable.fill(first, [s for s in stored(held) if _touches(s, first)])
    spans = [(resource, START, END) for resource in RESOURCES]
    missing = timetable.missing(spans)
    assert missing == CELLS - first
    # What is read for spans of whole days touches exactly their cells.
    asked = spans_of(missing)
    found = [
        s for s in stored(held) if any(s.resource_id == r and s.start < e and b < s.end for r, b, e in asked)
    ]
    timetable.fill(missing, found)
    assert timetable.missing(spans) == set()
    assert len(timetable) == len(CELLS)
    for resource in RESOURCES:
        agrees(timetable, held, resource, START, END)


@given(claims(), claims(), st.sets(st.sampled_from(sorted(CELLS))))
def test_what_was_not_asked_for_is_forgotten_and_read_anew(
    held: list[tuple[str, Claim]], more: list[tuple[str, Claim]], asked: set[tuple[str, int]]
) -> None:
    """Also of what is not stored yet nothing is lost."""
    timetable = Timetable(7)
    timetable.fill(CELLS, stored(held))
    everywhere = [(resource, START, END) for resource in RESOURCES]
    assert timetable.missing(everywhere) == set()
    now = list(held)
    for resource, claim in more:
        if not any(
            r == resource and c.seat == claim.seat and c.start < claim.end and claim.start < c.end
            for r, c in now
        ):
            timetable.add(resource, claim)
            now.append((resource, claim))
    timetable.begin_asking()
    assert timetable.missing(spans_of(asked)) == timetable.missing(everywhere, is_asked=False) == set()
    timetable.forget_unasked()
    taken = {
        cell
        for r, c in now
        for cell in CELLS
        if cell[0] == r and c.start < (cell[1] + 1) * DAY and cell[1] * DAY < c.end
    }
    missing = timetable.missing(everywhere)
    assert missing == taken - asked
    assert timetable.held == sum(
        len(timetable.overlapping(r, d * DAY, (d + 1) * DAY)) for r, d in CELLS - missing
    )
    timetable.fill(missing, [s for s in stored(held) if _touches(s, missing)])
    for resource in RESOURCES:
        agrees(timetable, now, resource, START, END)


def _touches(claim: StoredClaim, cells: set[tuple[str, int]]) -> bool:
    return any(
        (claim.resource_id, day) in cells for day in range(claim.start // DAY, (claim.end - 1) // DAY + 1)
    )


@given(st.sets(st.sampled_from(sorted(CELLS))))
def test_cells_as_spans_are_the_same_cells(cells: set[tuple[str, int]]) -> None:
    spans = spans_of(cells)
    assert {(r, day) for r, start, end in spans for day in range(start // DAY, end // DAY)} == cells
    assert all(a[0] != b[0] or a[2] < b[1] for a, b in itertools.pairwise(spans))


@pytest.mark.parametrize("span", [(DAY - HOUR, DAY + HOUR), (DAY, DAY + 1), (3 * DAY, 4 * DAY), (-HOUR, 0)])
def test_time_that_was_not_read_is_an_error(span: tuple[int, int]) -> None:
    timetable = Timetable(0)
    timetable.fill({("a", 0)}, [])
    for ask in (
        lambda: timetable.overlapping("a", *span),
        lambda: timetable.free_seat("a", *span, 1),
        lambda: timetable.in_use([("a", span[1])], span[0]),
        lambda: timetable.visits_beginning(*span)["a"],
        lambda: timetable.owned("a", *span, "x"),
        lambda: timetable.overlapping("b", 0, HOUR),
    ):
        with pytest.raises(KeyError):
            ask()


def test_a_claim_over_midnight_is_one_claim_seen_from_both_days() -> None:
    timetable = Timetable(0)
    timetable.fill({("a", 0), ("a", 1)}, [])
    claim = Claim(DAY - HOUR, DAY + HOUR, 0, "visit", "v")
    timetable.add("a", claim)
    assert timetable.overlapping("a", DAY - 1, DAY) == timetable.overlapping("a", DAY, DAY + 1) == [claim]
    assert timetable.overlapping("a", 0, 2 * DAY) == [claim]
    assert timetable.visits_beginning(0, 2 * DAY)["a"] == 1
    assert timetable.free_seat("a", DAY + HOUR, 2 * DAY, 1) == 0
    timetable.remove("a", claim)
    assert timetable.overlapping("a", 0, 2 * DAY) == []


def test_a_claim_on_days_that_were_not_read_is_let_pass() -> None:
    timetable = Timetable(0)
    timetable.add("a", Claim(0, HOUR, 0, "visit", "v"))
    timetable.remove("a", Claim(0, HOUR, 0, "visit", "v"))
    assert len(timetable) == 0

"""N seats hold whatever never takes more than N at once, in whatever order it comes; and nothing more."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.rules.facts import StoredClaim
from holdfast.rules.seats import CLAIMS_MAX, seating
from holdfast.rules.timetable import Claim, Timetable
from holdfast.slot import DAY, MINUTE

GYM = "gym"
QUARTER = 15 * MINUTE
Wanted = tuple[int, int, int]
"""Start, end, and from when on it is turnover."""


@st.composite
def wishes(draw: st.DrawFn) -> list[Wanted]:
    """Visits of some quarters of an hour within three days, most of them close together, with turnover or without."""
    found = []
    for _ in range(draw(st.integers(1, 25))):
        start = draw(st.integers(80, 140)) * QUARTER
        end = start + draw(st.integers(1, 12)) * QUARTER
        found.append(
            (start, end, end - draw(st.sampled_from((0, 0, QUARTER))) if end - start > QUARTER else end)
        )
    return found


def depth(held: list[Claim], start: int, end: int) -> int:
    """The most claims at one moment of [start, end); it can only grow where one begins."""
    moments = [start, *(claim.start for claim in held if start < claim.start < end)]
    return max(sum(claim.start <= moment < claim.end for claim in held) for moment in moments)


def claims_of(wanted: Wanted, seat: int, owner: str) -> list[Claim]:
    start, end, turnover = wanted
    visit = Claim(start, turnover, seat, "visit", owner)
    return [visit, Claim(turnover, end, seat, "turnover", owner)] if turnover < end else [visit]


def holds_the_law(held: list[Claim], seats: int) -> bool:
    return all(claim.seat in range(seats) for claim in held) and not any(
        a.seat == b.seat and a.start < b.end and b.start < a.end
        for number, a in enumerate(held)
        for b in held[:number]
    )


@given(wishes(), st.integers(1, 4))
def test_a_seat_is_found_exactly_when_not_all_are_taken_at_once(wishes: list[Wanted], seats: int) -> None:
    timetable = Timetable(0)
    timetable.fill({(GYM, day) for day in range(4)}, [])
    held: list[Claim] = []
    for number, wanted in enumerate(wishes):
        start, end, _ = wanted
        found = seating(timetable, GYM, start, end, seats)
        assert (found is None) == (depth(held, start, end) >= seats)
        if found is None:
            continue
        for claim, seat in found.moved:
            timetable.remove(GYM, claim)
            timetable.add(GYM, claim._replace(seat=seat))
            held[held.index(claim)] = claim._replace(seat=seat)
        for claim in claims_of(wanted, found.seat, f"visit {number}"):
            timetable.add(GYM, claim)
            held.append(claim)
        assert holds_the_law(held, seats)
        assert sorted(held) == timetable.overlapping(GYM, 0, 4 * DAY)
        for owner in {claim.owner for claim in held}:
            assert len({claim.seat for claim in held if claim.owner == owner}) == 1, "a visit keeps one seat"


def read(held: list[Claim], days: set[int]) -> Timetable:
    timetable = Timetable(0)
    timetable.fill(
        {(GYM, day) for day in days},
        [StoredClaim(GYM, c.seat, c.start, c.end, c.kind, c.owner) for c in held],
    )
    return timetable


def test_who_need_not_move_stays() -> None:
    early, late = Claim(0, 2 * QUARTER, 0, "visit", "a"), Claim(2 * QUARTER, 4 * QUARTER, 1, "visit", "b")
    found = seating(read([early, late], {0, 1}), GYM, QUARTER, 3 * QUARTER, 2)
    assert found is not None
    assert found.moved == ((late, 0),)
    assert found.seat == 1


def test_what_reaches_into_time_that_was_not_read_does_not_move() -> None:
    night = Claim(DAY - QUARTER, DAY + 2 * QUARTER, 0, "visit", "a")
    morning = Claim(DAY + 2 * QUARTER, DAY + 4 * QUARTER, 1, "visit", "b")
    span = (DAY + QUARTER, DAY + 3 * QUARTER)
    assert seating(read([night, morning], {1}), GYM, *span, 2) is None
    assert seating(read([night, morning], {0, 1}), GYM, *span, 2) is not None


def test_a_group_has_a_bound() -> None:
    """A chain of visits on two seats by turns, each overlapping the next; the third seat is taken for a minute."""

    def chain(length: int) -> Timetable:
        links = [Claim(n * 2 * MINUTE, (n * 2 + 3) * MINUTE, n % 2, "visit", f"v{n}") for n in range(length)]
        return read([*links, Claim(11 * MINUTE, 12 * MINUTE, 2, "visit", "x")], {0})

    span = (11 * MINUTE, 20 * MINUTE)
    assert seating(chain(CLAIMS_MAX - 1), GYM, *span, 3) is not None
    assert seating(chain(CLAIMS_MAX), GYM, *span, 3) is None

"""Where an authorization leads: by example, and against going day by day."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from holdfast.rules.utilization import Counters, Outlook, outlook

START = date(2026, 1, 5)


def of(total: int, used: int, scheduled: int, weeks: int = 10, booked: int | None = None) -> Counters:
    """From START for so many weeks; `booked`: days from START to the last booked visit."""
    return Counters(
        total=total, used=used, scheduled=scheduled, start_date=START, end_date=START + timedelta(weeks=weeks, days=-1),
        booked_through=None if booked is None else START + timedelta(days=booked),
    )  # fmt: skip


def on(day: int, counters: Counters) -> Outlook:
    return outlook(counters, START + timedelta(days=day))


def test_what_goes_evenly_has_a_pace_of_one_and_no_flag() -> None:
    seen = on(34, of(100, 50, 0))
    assert (seen.elapsed_percent, seen.used_percent, seen.committed_percent, seen.pace) == (50, 50, 50, 1)
    assert (seen.units_per_week, seen.unused_units) == (10, 0)
    assert seen.run_out_date == START + timedelta(days=69)
    assert not (seen.expiring or seen.over_80_percent or seen.will_run_out or seen.will_go_unused)


def test_what_goes_twice_as_fast_runs_out_halfway_through_the_rest() -> None:
    seen = on(27, of(100, 80, 0))
    assert (seen.pace, seen.units_per_week, seen.run_out_date) == (2, 20, START + timedelta(days=34))
    assert seen.will_run_out
    assert not seen.over_80_percent


def test_what_goes_half_as_fast_leaves_half() -> None:
    seen = on(34, of(100, 25, 0))
    assert (seen.pace, seen.run_out_date, seen.unused_units) == (0.5, None, 50)
    assert seen.will_go_unused


def test_units_of_visits_to_come_are_spread_until_the_last_of_them() -> None:
    """A series that was booked to the end on its first day is no rush."""
    seen = on(0, of(100, 0, 100, booked=67))
    assert (seen.units_per_week, seen.unused_units) == (round(700 / 68, 1), 0)
    assert seen.run_out_date == START + timedelta(days=67)
    assert not (seen.will_run_out or seen.will_go_unused)
    assert on(0, of(100, 0, 100, booked=20)).will_run_out


def test_the_first_week_says_nothing_without_units() -> None:
    assert on(5, of(100, 0, 0)).unused_units is None
    assert not on(5, of(100, 0, 0)).will_go_unused
    assert on(6, of(100, 0, 0)).unused_units == 100
    assert on(-20, of(100, 0, 0)).pace is None
    assert on(-20, of(100, 0, 0)).unused_units is None


def test_expiring_is_within_thirty_days_the_last_included() -> None:
    whole = of(100, 50, 0)
    assert [on(day, whole).expiring for day in (38, 39, 69, 70)] == [False, True, True, False]


def test_over_eighty_is_over_eighty() -> None:
    assert [on(20, of(100, used, 0)).over_80_percent for used in (80, 81)] == [False, True]


def test_nothing_left_has_run_out_already() -> None:
    seen = on(20, of(100, 100, 0))
    assert (seen.run_out_date, seen.will_run_out, seen.unused_units) == (START + timedelta(days=20), True, 0)
    assert on(69, of(100, 100, 0)).will_run_out is False


counters = st.builds(
    lambda total, shares, days, booked: Counters(
        total=total, used=total * shares[0] // 100, scheduled=total * (100 - shares[0]) * shares[1] // 10_000,
        start_date=START, end_date=START + timedelta(days=days),
        booked_through=None if booked is None else START + timedelta(days=booked),
    ),
    st.integers(1, 2_000), st.tuples(st.integers(0, 100), st.integers(0, 100)), st.integers(0, 400),
    st.none() | st.integers(0, 400),
)  # fmt: skip


@given(counters, st.integers(-30, 430))
def test_it_is_what_going_day_by_day_comes_to(known: Counters, day: int) -> None:
    seen = on(day, known)
    if seen.unused_units is None:
        assert known.used + known.scheduled == 0
        return
    through = max(START + timedelta(days=max(day, 6)), known.booked_through or START)
    through = min(through, known.end_date)
    committed = known.used + known.scheduled
    a_day = Fraction(committed, (through - START).days + 1)
    left, at, ran_out = Fraction(known.total - committed), through, None
    while True:
        if left <= 0:
            ran_out = ran_out or at
            left = Fraction(0)
        if at == known.end_date:
            break
        at += timedelta(days=1)
        left -= a_day
    assert seen.run_out_date == ran_out
    assert seen.unused_units == -(-left.numerator // left.denominator)


@given(counters, st.integers(-30, 430))
def test_it_never_both_runs_out_and_goes_unused(known: Counters, day: int) -> None:
    seen = on(day, known)
    assert not (seen.will_run_out and seen.will_go_unused)
    assert seen.unused_units is None or 0 <= seen.unused_units <= known.total
    assert seen.run_out_date is None or seen.run_out_date <= known.end_date

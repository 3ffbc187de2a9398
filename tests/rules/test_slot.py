"""Spans behave like sets of minutes; wall-clock times behave like the clock on the wall, whatever the zone does."""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast import slot
from holdfast.slot import DAY, MINUTE, Span

ZONES = ("America/Denver", "America/Phoenix", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
# Clocks change, or a whole day is left out.
CHANGES = (
    date(2026, 3, 8), date(2026, 11, 1), date(2026, 4, 5), date(2026, 10, 4), date(2011, 12, 30), date(2010, 9, 26),
)  # fmt: skip

zones = st.sampled_from(ZONES)
dates = st.sampled_from(CHANGES).flatmap(
    lambda on: st.integers(-1, 1).map(lambda n: on + timedelta(days=n))
) | st.dates(date(1975, 1, 1), date(2100, 1, 1))
instants = st.integers(slot.instant("1971-01-01T00:00:00Z"), slot.instant("9000-12-31T23:59:59Z"))
short = st.tuples(st.integers(0, 60), st.integers(0, 60))
some = st.lists(short, max_size=6)


def held(spans: Iterable[Span]) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}


def is_tidy(spans: list[Span]) -> bool:
    """In order, none empty, none touching the next."""
    return all(start < end for start, end in spans) and all(
        before[1] < after[0] for before, after in itertools.pairwise(spans)
    )


@given(some)
def test_a_union_is_the_same_time_tidied(spans: list[Span]) -> None:
    assert held(slot.union(spans)) == held(spans)
    assert is_tidy(slot.union(spans))
    assert slot.union(reversed(spans)) == slot.union(spans)


@given(some, some)
def test_what_is_cut_out_is_what_is_not_left(spans: list[Span], taken: list[Span]) -> None:
    left = slot.subtract(spans, taken)
    assert held(left) == held(spans) - held(taken)
    assert is_tidy(left)


@given(some, some)
def test_an_intersection_is_the_time_in_both(a: list[Span], b: list[Span]) -> None:
    both = slot.intersect(a, b)
    assert held(both) == held(a) & held(b)
    assert is_tidy(both)
    assert slot.intersect(b, a) == both


@given(some, short.filter(lambda span: span[0] < span[1]))
def test_a_span_is_contained_when_all_of_it_is(spans: list[Span], inner: Span) -> None:
    assert slot.contains(slot.union(spans), inner) == (held([inner]) <= held(spans))


@given(*(short.filter(lambda span: span[0] < span[1]) for _ in range(2)))
def test_spans_overlap_when_they_share_time(a: Span, b: Span) -> None:
    assert slot.overlaps(a, b) == slot.overlaps(b, a) == bool(held([a]) & held([b]))


@given(instants, st.integers(1, 5 * DAY))
def test_pieces_are_the_whole_and_stay_within_a_utc_day(start: int, seconds: int) -> None:
    span = (start, start + seconds)
    cut = slot.pieces(span)
    assert [cut[0][0], cut[-1][1]] == list(span)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(cut))
    for a, b in cut:
        assert 0 < b - a <= slot.CLAIM_SECONDS_MAX
        assert a // DAY == (b - 1) // DAY


def naive(seconds: int, zone: str) -> datetime:
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).replace(tzinfo=None)


def by_looking(on: date, minutes: int, zone: str, *, ends: bool) -> int:
    """The instant found by walking along the wall clock, minute by minute."""
    target = datetime.combine(on, datetime.min.time()) + timedelta(minutes=minutes)
    noon = int(datetime.combine(on, datetime.min.time(), UTC).timestamp())
    walk = range(noon - 2 * DAY, noon + 4 * DAY, MINUTE)
    shown = [at for at in walk if naive(at, zone) == target]
    if shown:
        return shown[-1] if ends else shown[0]
    after = next(at for at in walk if naive(at - MINUTE, zone) < target < naive(at, zone))
    gap_began = naive(after - MINUTE, zone) + timedelta(minutes=1)
    return after + int((target - gap_began).total_seconds())


@given(dates, st.integers(0, 1440), zones, st.booleans())
@example(date(2026, 3, 8), 150, "America/Denver", False)
@example(date(2026, 11, 1), 90, "America/Denver", False)
@example(date(2026, 11, 1), 90, "America/Denver", True)
@example(date(2026, 10, 4), 135, "Australia/Lord_Howe", False)
@example(date(2026, 4, 5), 105, "Australia/Lord_Howe", True)
@example(date(2011, 12, 30), 600, "Pacific/Apia", False)
def test_a_wall_time_is_what_the_clock_on_the_wall_shows(
    on: date, minutes: int, zone: str, ends: bool
) -> None:
    assert slot.wall(on, minutes, zone, ends=ends) == by_looking(on, minutes, zone, ends=ends)


@given(dates, zones)
def test_days_follow_one_another_without_a_gap(on: date, zone: str) -> None:
    start, end = slot.day_span(on, zone)
    assert slot.day_span(on + timedelta(days=1), zone)[0] == end
    if (zone, on) == ("Pacific/Apia", date(2011, 12, 30)):
        assert start == end
        return
    assert slot.local_date(start, zone) == slot.local_date(end - 1, zone) == on
    assert slot.local_date(start - 1, zone) < on < slot.local_date(end, zone)


@pytest.mark.parametrize(("zone", "on", "hours"), [
    ("America/Denver", date(2026, 3, 8), 23), ("America/Denver", date(2026, 11, 1), 25),
    ("America/Denver", date(2026, 3, 9), 24), ("America/Phoenix", date(2026, 3, 8), 24),
    ("Asia/Kolkata", date(2026, 3, 8), 24), ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ("Australia/Lord_Howe", date(2026, 4, 5), 24.5), ("Pacific/Apia", date(2011, 12, 30), 0),
])  # fmt: skip
def test_a_day_is_as_long_as_its_zone_says(zone: str, on: date, hours: float) -> None:
    start, end = slot.day_span(on, zone)
    assert end - start == hours * 3600


@given(dates, st.integers(0, DAY), st.integers(1, 3 * DAY), zones)
def test_dates_touched_are_those_whose_day_overlaps(on: date, offset: int, seconds: int, zone: str) -> None:
    start = slot.day_span(on, zone)[0] + offset
    span = (start, start + seconds)
    touched = slot.dates_touched(span, zone)
    around = [on + timedelta(days=n) for n in range(-2, 8)]
    overlapping = [each for each in around if slot.overlaps(slot.day_span(each, zone), span)]
    there = [each for each in touched if slot.day_span(each, zone)[0] < slot.day_span(each, zone)[1]]
    assert there == overlapping
    assert touched == sorted(touched)


@given(instants, st.integers(-23 * 60, 23 * 60))
def test_an_instant_survives_being_written(seconds: int, offset: int) -> None:
    assert slot.instant(slot.rfc3339(seconds)) == seconds
    assert slot.moment(seconds).timestamp() == seconds
    there = slot.moment(seconds) + timedelta(minutes=offset)
    sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
    if 1971 <= there.year <= 9000:
        text = f"{there:%Y-%m-%dT%H:%M:%S}{sign}{hours:02}:{minutes:02}"
        assert slot.instant(text) == slot.instant(text.replace("T", "t")) == seconds


@pytest.mark.parametrize("text", [
    "", "2026-03-02", "2026-03-02T09:00:00", "2026-03-02 09:00:00Z", "2026-03-02T09:00Z", "20260302T090000Z",
    "2026-W10-1T09:00:00Z", "2026-03-02T09:00:00+0700", "2026-03-02T09:00:00+07", "2026-03-02T24:00:00Z",
    "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-03-02T09:60:00Z",
    "2026-03-02T23:59:60Z", "2026-03-02T09:00:00+24:00", "2026-03-02T09:00:00+07:60", "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "1970-12-31T23:59:59Z", "9001-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
    "infinity", "-infinity", "now", "1767225600", "2026-03-02T09:00:00Z\n", " 2026-03-02T09:00:00Z",
    "2026-03-02T09:00:00ZZ", "２０２６-03-02T09:00:00Z", "2026-03-02T09:00:00−07:00", "2026-03-02T09:00:00.5Z",
    "2026-03-02T09:00:00.000000001Z", "2026-03-02T09:00:00.0000000001Z", "2026-03-02T09:00:00,0Z",
    "2026-03-02T09:00:00.Z", "-2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z[America/Denver]",
])  # fmt: skip
def test_only_rfc_3339_with_offset_and_whole_seconds_is_an_instant(text: str) -> None:
    with pytest.raises(ValueError):
        slot.instant(text)


@pytest.mark.parametrize("text", [
    "2026-03-02T16:00:00Z", "2026-03-02T09:00:00-07:00", "2026-03-02t16:00:00z", "2026-03-02T16:00:00.000Z",
    "2026-03-02T16:00:00-00:00", "2026-03-02T21:30:00.000000000+05:30",
])  # fmt: skip
def test_one_instant_has_many_spellings(text: str) -> None:
    assert slot.instant(text) == slot.instant("2026-03-02T16:00:00Z")


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../../etc/passwd", "America/", "x" * 300, "a\x00b", "posixrules/x"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        slot.zone(name)


@given(st.integers(1, 1440), st.integers(1, 1440))
def test_reserved_units_never_fall_short(minutes: int, unit_minutes: int) -> None:
    units = slot.units_to_reserve(minutes, "time", unit_minutes)
    assert (units - 1) * unit_minutes < minutes <= units * unit_minutes
    assert (
        slot.units_to_reserve(minutes, "visit", unit_minutes) == slot.units_to_reserve(minutes, "day", 1) == 1
    )

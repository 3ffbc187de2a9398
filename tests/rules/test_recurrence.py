"""Rules of RFC 5545 as spans: the same time on the wall whatever the clock does, bounded, and refused by name."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import Invalid
from holdfast.rules.recurrence import DATES_MAX, shifted, spans, wall_distance
from holdfast.slot import Span, instant

DENVER = "America/Denver"
ZONES = (DENVER, "America/Phoenix", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns")


def local(text: str, zone_name: str = DENVER) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone_name)).timestamp())


def meeting(start: str, hours: float = 1, zone_name: str = DENVER) -> Span:
    at = local(start, zone_name)
    return at, at + int(hours * 3600)


def on_the_wall(found: list[Span], zone_name: str = DENVER) -> list[str]:
    return [
        f"{datetime.fromtimestamp(start, ZoneInfo(zone_name)):%m-%d %H:%M}"
        f"-{datetime.fromtimestamp(end, ZoneInfo(zone_name)):%H:%M}"
        for start, end in found
    ]


def why(rule: str, without: tuple[date, ...] = ()) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        spans(rule, meeting("2027-03-08T09:00"), DENVER, without)
    return refused.value.errors[0].field, refused.value.errors[0].message


def test_a_week_is_a_week_on_the_wall_when_the_clock_changes() -> None:
    """Mondays around 14 March 2027, on which Denver's clock goes forward."""
    found = spans("FREQ=WEEKLY;COUNT=3", meeting("2027-03-08T09:00"), DENVER)
    assert on_the_wall(found) == ["03-08 09:00-10:00", "03-15 09:00-10:00", "03-22 09:00-10:00"]
    assert [found[1][0] - found[0][0], found[2][0] - found[1][0]] == [7 * 86400 - 3600, 7 * 86400]


def test_what_falls_into_the_gap_is_as_far_after_it_began() -> None:
    found = spans("FREQ=DAILY;COUNT=3", meeting("2027-03-13T02:45", 0.5), DENVER)
    assert on_the_wall(found) == ["03-13 02:45-03:15", "03-14 03:45-04:15", "03-15 02:45-03:15"]


def test_a_night_is_an_hour_shorter_or_longer() -> None:
    found = spans("FREQ=DAILY;COUNT=2", meeting("2027-03-12T22:00", 8), DENVER)
    assert [end - start for start, end in found] == [8 * 3600, 7 * 3600]
    assert on_the_wall(found)[1] == "03-13 22:00-06:00"


def test_until_is_a_whole_date_or_an_instant() -> None:
    for until, count in (
        ("20270322", 3), ("20270321", 2), ("20270322T150000Z", 3), ("20270322T145959Z", 2), ("20270322T090000", 3),
    ):  # fmt: skip
        assert len(spans(f"FREQ=WEEKLY;UNTIL={until}", meeting("2027-03-08T09:00"), DENVER)) == count, until


def test_the_dates_left_out_count() -> None:
    found = spans("RRULE:FREQ=WEEKLY;COUNT=3", meeting("2027-03-08T09:00"), DENVER, {date(2027, 3, 15)})
    assert on_the_wall(found) == ["03-08 09:00-10:00", "03-22 09:00-10:00"]


def test_rules_that_cannot_be_are_refused_with_what_is_wrong() -> None:
    for rule, said in (
        ("", "not known"), ("FREQ=HOURLY;COUNT=2", "FREQ=HOURLY"), ("FREQ=WEEKLY", "COUNT or UNTIL"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20270401", "not both"), ("COUNT=2", "FREQ is missing"),
        ("FREQ=WEEKLY;COUNT=105", "at most 104"), ("FREQ=DAILY;UNTIL=20270901", "more than 104"),
        ("FREQ=WEEKLY;UNTIL=20290401", "two years"), ("FREQ=YEARLY;COUNT=4", "two years"),
        ("FREQ=WEEKLY;COUNT=0", "COUNT=0"), ("FREQ=WEEKLY;COUNT=2;COUNT=2", "twice"),
        ("FREQ=WEEKLY;COUNT=2;BYHOUR=3", "BYHOUR"), ("FREQ=WEEKLY;COUNT=2;BYDAY=XX", "BYDAY=XX"),
        ("FREQ=WEEKLY;COUNT=2;BYDAY=TU", "begin with the start"), ("FREQ=DAILY;COUNT=2;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1", "two years"), ("FREQ=DAILY;INTERVAL=9999;COUNT=1", "1000"),
        ("FREQ=WEEKLY;UNTIL=20271301", "no date"), ("FREQ=WEEKLY;UNTIL=00010101T000000Z", ""),
        ("FREQ=DAILY;COUNT=2\nDTSTART:19700101T000000", "cannot be understood"),
        ("FREQ=YEARLY;COUNT=1;BYWEEKNO=99", "two years"),
    ):  # fmt: skip
        field, message = why(rule)
        assert field == "rrule", rule
        assert said in message, (rule, message)


def test_what_is_left_out_must_be_one_of_the_dates() -> None:
    assert why("FREQ=WEEKLY;COUNT=2", (date(2027, 3, 9),))[0] == "exdates"
    both = (date(2027, 3, 8), date(2027, 3, 15))
    assert why("FREQ=WEEKLY;COUNT=2", both) == ("exdates", "leaves no date")


def test_dates_do_not_overlap_each_other() -> None:
    with pytest.raises(Invalid, match="overlap"):
        spans("FREQ=DAILY;COUNT=20", meeting("2027-03-01T03:30", 24.5), DENVER)


STARTS = st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2030-01-01")).map(
    lambda at: int(at.replace(second=0, microsecond=0, tzinfo=UTC).timestamp())
)


@given(
    start=STARTS, minutes=st.integers(1, 1440), count=st.integers(1, DATES_MAX), every=st.integers(1, 7),
    zone_name=st.sampled_from(ZONES),
)  # fmt: skip
def test_the_dates_are_the_libraries_and_in_order(
    start: int, minutes: int, count: int, every: int, zone_name: str
) -> None:
    span = (start, start + 60 * minutes)
    try:
        found = spans(f"FREQ=DAILY;INTERVAL={every};COUNT={count}", span, zone_name)
    except Invalid as refused:
        assert "overlap" in str(refused)  # noqa: PT017 the only reason that is left
        return
    first = datetime.fromtimestamp(start, ZoneInfo(zone_name)).replace(tzinfo=None)
    slow = list(rrulestr(f"FREQ=DAILY;INTERVAL={every};COUNT={count}", dtstart=first))
    assert found[0] == span
    assert len(found) == len(slow)
    for (begins, ends), there in zip(found, slow, strict=True):
        assert begins < ends
        seen = datetime.fromtimestamp(begins, ZoneInfo(zone_name)).replace(tzinfo=None)
        assert abs(seen - there) in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))


@given(start=STARTS, count=st.integers(2, DATES_MAX), zone_name=st.sampled_from(ZONES))
def test_every_week_is_at_the_same_time_on_the_wall(start: int, count: int, zone_name: str) -> None:
    """As zoneinfo has it: what falls into a gap is as far after it began, what is there twice is the first."""
    found = spans(f"FREQ=WEEKLY;COUNT={count}", (start, start + 60), zone_name)
    first = datetime.fromtimestamp(start, ZoneInfo(zone_name)).replace(tzinfo=None)
    walls = [(first + timedelta(days=7 * n)).replace(tzinfo=ZoneInfo(zone_name)) for n in range(1, count)]
    assert [each for each, _ in found] == [start, *(int(wall.timestamp()) for wall in walls)]


def test_exdates_stand_in_the_rule_or_after_it() -> None:
    rule = "FREQ=WEEKLY;COUNT=4"
    for text in (
        f"{rule};EXDATE=20270315,20270329", f"RRULE:{rule}\nEXDATE:20270315T150000Z,20270329T150000Z",
        f"{rule}\r\nEXDATE;TZID=America/Denver:20270315T090000\r\nEXDATE;VALUE=DATE:20270329",
        f"EXDATE=20270315;{rule};exdate=20270329", f"EXDATE:20270315,20270329\n{rule}",
    ):  # fmt: skip
        found = spans(text, meeting("2027-03-08T09:00"), DENVER)
        assert on_the_wall(found) == ["03-08 09:00-10:00", "03-22 09:00-10:00"], text
    for text, said in (
        (f"{rule};EXDATE=20270316", "none of the dates"), (f"{rule};EXDATE=2027-03-15", "cannot be understood"),
        (f"{rule}\nEXDATE;X=1:20270315", "cannot be understood"), (f"{rule};EXDATE=20271340", "no date"),
        ("FREQ=WEEKLY;COUNT=1;EXDATE=20270308", "leaves no date"), (f"{rule}\n{rule}", "cannot be understood"),
        ("EXDATE:20270315", "not known"),
    ):  # fmt: skip
        field, message = why(text)
        assert (field, said in message) == ("rrule", True), (text, message)


@given(start=STARTS, hours=st.integers(-48, 48), zone_name=st.sampled_from(ZONES))
def test_as_far_on_the_wall_as_it_moved(start: int, hours: int, zone_name: str) -> None:
    span = (start, start + 3600)
    by = timedelta(hours=hours)
    moved = shifted(span, by, by, zone_name)
    assert moved[0] < moved[1]
    assert abs(wall_distance(start, moved[0], zone_name) - by) <= timedelta(hours=1)


def test_instants_are_read_as_they_are_written() -> None:
    assert local("2027-03-08T09:00") == instant("2027-03-08T16:00:00Z")

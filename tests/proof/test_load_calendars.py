"""No two users of a run ask for the same place of the same time, in however many processes they are."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.proof.locust.calendars import Calendar

MONDAY = datetime(2030, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize("hours", [None, (8, 9, 16)])
def test_nobody_meets(hours: tuple[int, ...] | None) -> None:
    calendars = [Calendar(MONDAY, 10, 15, hours, worker) for worker in range(3)]
    asked = Counter(calendar.next() for calendar in calendars for _ in range(1_000))
    assert max(asked.values()) == 1
    for start, place in asked:
        assert 0 <= place < 10
        assert hours is None or (start.weekday() < 5 and start.hour in hours and start.minute == 0)


def test_one_process_leaves_no_time_out() -> None:
    calendar = Calendar(MONDAY, 2, 15)
    assert [calendar.next() for _ in range(5)] == [
        (MONDAY + timedelta(minutes=15 * (n // 2)), n % 2) for n in range(5)
    ]


def test_a_room_is_given_once_at_a_time() -> None:
    calendar = Calendar(MONDAY, 2, 15)
    assert calendar.take("room", "then")
    assert calendar.take("other", "then")
    assert not calendar.take("room", "then")

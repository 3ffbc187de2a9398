"""When the users of a run ask for: each time once, from the first day on that no earlier run has used, so that a second run on
the same data begins where the first one ended. Asks the server for that day and for nothing else.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from holdfast.proof.prove.client import Client
from holdfast.proof.prove.organization import Organization

DAYS: Final = 365
"""How long a calendar is: what one request may ask about."""
WORKERS_MAX: Final = 16
"""Processes that may share one calendar, each taking every sixteenth time."""
_DAY_MINUTES, _WEEK_DAYS, _WORK_DAYS = 24 * 60, 7, 5


class Calendar:
    """Beginnings of visits from `first` on, at `places` of each. `hours`: of weekdays, in which they begin, each at the full
    hour; None: around the clock, every day, `minutes` apart. `worker`: None where there is one process."""

    def __init__(
        self, first: datetime, places: int, minutes: int, hours: Sequence[int] | None = None, worker: int | None = None
    ) -> None:  # fmt: skip
        self._first, self._places = first, places
        self._at = [60 * hour for hour in hours] if hours else list(range(0, _DAY_MINUTES, minutes))
        self._days = _WORK_DAYS if hours else _WEEK_DAYS
        self._offset, self._stride = (0, 1) if worker is None else (worker % WORKERS_MAX, WORKERS_MAX)
        self._numbers = itertools.count()
        self._taken: set[tuple[str, str]] = set()

    def next(self) -> tuple[datetime, int]:
        """A beginning and one of its places, from 0 on."""
        time, place = divmod(next(self._numbers), self._places)
        day, at = divmod(time * self._stride + self._offset, len(self._at))
        weeks, day = divmod(day, self._days)
        return self._first + timedelta(weeks=weeks, days=day, minutes=self._at[at]), place

    def take(self, room: str, start: str) -> bool:
        """Notes that a room was given at a time; False if it had been given before."""
        is_free = (room, start) not in self._taken
        self._taken.add((room, start))
        return is_free


def unused_from(client: Client, of: Organization, begins: datetime) -> datetime:
    """The first week of the organization's calendar, from `begins` on, after which nothing has been booked: found by halving.

    Raises Unexpected.
    """
    last = begins + timedelta(days=DAYS)
    low, high = 0, DAYS // _WEEK_DAYS
    while low < high:
        middle = (low + high) // 2
        start = begins + timedelta(weeks=middle)
        found = client.got(
            f"/appointments?clinic_id={of.clinic}&start_date={start:%Y-%m-%d}&end_date={last:%Y-%m-%d}&page_size=1"
        )
        low, high = (middle + 1, high) if found["total"] else (low, middle)
    return begins + timedelta(weeks=low)

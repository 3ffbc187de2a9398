"""How an authorization is used up: against the time that has gone by, and where that leads. Pure; today is an argument.

The forecast is a straight line, the burn rate of earned value management (its estimate at completion): what comes is as
what was. Committed units are those used and those scheduled; they lie between the start date and the last day on which
anything is used or booked, `through`; so many a day go on until nothing is left or the authorization ends.
"""

from datetime import date, timedelta
from typing import Final

import msgspec

EXPIRING_DAYS: Final = 30
NEARLY_USED_PERCENT: Final = 80
_WEEK: Final = 7
"""A forecast needs a week of something, and who runs out within the last one was planned well: visits are weekly."""
_UNUSED_SHARE: Final = 10
"""What goes unused is worth a flag from a tenth of the total on: a few units always stay."""


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Units of an authorization, and when it holds, both days inclusive. `booked_through`: the local date of the last visit
    to come that holds units of it."""

    total: int
    used: int
    scheduled: int
    start_date: date
    end_date: date
    booked_through: date | None = None


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """`pace`: the committed share over the elapsed share of time; above 1 units go faster than time; null before the
    start. `run_out_date`: the day from which nothing will be left, null if it will not come before the end.
    `unused_units`: what will be left at the end; null while nothing can be said."""

    elapsed_percent: float
    used_percent: float
    committed_percent: float
    pace: float | None
    units_per_week: float
    run_out_date: date | None
    unused_units: int | None
    expiring: bool
    over_80_percent: bool
    will_run_out: bool
    will_go_unused: bool


def outlook(counters: Counters, today: date) -> Outlook:
    """What can be said of an authorization on a local date."""
    total, committed = counters.total, counters.used + counters.scheduled
    days = (counters.end_date - counters.start_date).days + 1
    elapsed = min(max((today - counters.start_date).days + 1, 0), days)
    through = _through(counters, today)
    span = (through - counters.start_date).days + 1
    run_out, unused = _forecast(counters, through, span) if committed or elapsed >= _WEEK else (None, None)
    return Outlook(
        elapsed_percent=_percent(elapsed, days), used_percent=_percent(counters.used, total),
        committed_percent=_percent(committed, total),
        pace=round(committed * days / (total * elapsed), 2) if elapsed and total else None,
        units_per_week=round(committed * _WEEK / span, 1), run_out_date=run_out, unused_units=unused,
        expiring=0 <= (counters.end_date - today).days <= EXPIRING_DAYS,
        over_80_percent=counters.used * 100 > total * NEARLY_USED_PERCENT,
        will_run_out=run_out is not None and (counters.end_date - run_out).days >= _WEEK,
        will_go_unused=unused is not None and unused * _UNUSED_SHARE >= total > 0,
    )  # fmt: skip


def _through(counters: Counters, today: date) -> date:
    """The last day on which anything is used or booked, at least a week from the start and not after the end."""
    week = counters.start_date + timedelta(days=_WEEK - 1)
    last = max(today, week, counters.booked_through or today)
    return max(min(last, counters.end_date), counters.start_date)


def _forecast(counters: Counters, through: date, span: int) -> tuple[date | None, int]:
    """When units run out, if they do before the end, and how many are left at the end. `span`: days until `through`."""
    committed = counters.used + counters.scheduled
    left = max(counters.total - committed, 0)
    after = (counters.end_date - through).days
    unused = left - min(left, committed * after // span)
    days_left = -(-left * span // committed) if committed else after + 1
    return (through + timedelta(days=days_left) if days_left <= after else None), unused


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0

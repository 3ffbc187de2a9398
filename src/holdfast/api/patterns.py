"""GET /availability/patterns: a time of the week for many weeks, such as Tuesday and Thursday at 15:30."""

from datetime import date, timedelta
from typing import Annotated, Any

import msgspec

from holdfast.api.booking import acknowledged
from holdfast.api.dates import check_range, minutes_of_day, weekdays_of
from holdfast.api.door import Answer, Ask, Route
from holdfast.api.sought import Wanted, sought
from holdfast.commands.gather import Gathered
from holdfast.commands.search import Looking, Search, Step, search
from holdfast.errors import FieldError, Invalid
from holdfast.rules.patterns import Pattern, PatternDate, Question, patterns
from holdfast.slot import rfc3339

_READ_DATES = 8
"""So many dates are read at a time."""


class Query(Wanted, forbid_unknown_fields=True, kw_only=True):
    """From `start_date` for `weeks`, or until a date inclusive, in the clinic's own dates. Either a `time` of day, or the
    part of the day in which the visits may be. `weekdays`: 0 is Monday; may be repeated or given as 1,3."""

    start_date: date
    weekdays: list[str]
    weeks: Annotated[int, msgspec.Meta(ge=1)] | None = None
    until: date | None = None
    time: str | None = None
    time_from: str | None = None
    time_to: str | None = None
    step_minutes: Annotated[int, msgspec.Meta(ge=5, le=240)] = 15
    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10


class Why(msgspec.Struct, kw_only=True):
    code: str
    detail: str


class DateOfPattern(msgspec.Struct, kw_only=True):
    date: date
    start: str
    end: str
    is_free: bool
    room_id: str | None
    score: int | None
    reasons: list[Why]
    """Why it is not free."""


class FreePattern(msgspec.Struct, kw_only=True):
    practitioner_id: str
    time: str
    free_count: int
    dates: list[DateOfPattern]


class Patterns(msgspec.Struct, kw_only=True):
    """Ordered by how many of the dates are free, then by time, then by practitioner. Each date is asked about as if those
    before it had been booked: the units that they take are gone."""

    date_count: int
    patterns: list[FreePattern]
    truncated: bool
    as_of_seq: int


class Found(msgspec.Struct, frozen=True):
    date_count: int
    patterns: list[Pattern]
    truncated: bool
    seq: int


async def find_patterns(ask: Ask[Query, Any]) -> Answer:
    dates, times = _dates(ask), _times(ask.query)
    found: Found = await search(
        ask.house, ask.actor.organization_id,
        Search(ask.query.need(dates[0], dates[-1]), lambda seen: _look(ask, dates, times, seen)), ask.deadline,
        is_long=True,
    )  # fmt: skip
    return Answer(
        content=Patterns(
            date_count=found.date_count, patterns=[_body(each) for each in found.patterns], truncated=found.truncated,
            as_of_seq=found.seq,
        ),
        seq=found.seq,
    )  # fmt: skip


def _look(ask: Ask[Query, Any], dates: list[date], times: tuple[int, int], seen: Gathered) -> Looking:
    query, facts = ask.query, seen.facts
    of = sought(ask, query, seen, query.start_date)
    dates = [on for on in dates if of.day(on)[1] > facts.now]  # nothing can be free before now
    minutes = _minutes(query, times, (of.visit.end - of.visit.start) // 60)
    _check_effort(ask, len(of.practitioners) * len(minutes) * len(dates))
    for at in range(0, len(dates), _READ_DATES):
        part = dates[at : at + _READ_DATES]
        seen = yield Step(of.spans(part, facts.now), is_last=part[-1] == dates[-1])
    wanted = Question(
        directory=seen.directory, timetable=seen.timetable, patient=of.patient, authorizations=of.authorizations,
        visit=of.visit, dates=dates, earliest=facts.now, acknowledged=acknowledged(query),
    )  # fmt: skip
    best, truncated = yield from patterns(wanted, of.practitioners, minutes, query.limit)
    return Found(len(dates), best, truncated, facts.seq)


def _check_effort(ask: Ask[Query, Any], count: int) -> None:
    most = ask.house.settings.pattern_visits_max
    if count > most:
        why = f"asks about {count} visits, and {most} are looked at: name practitioners, or give a shorter part of the day"
        raise Invalid(FieldError("practitioner_ids", "invalid_value", why))


def _dates(ask: Ask[Query, Any]) -> list[date]:
    """The dates that are wanted."""
    query, days_max = ask.query, ask.house.settings.pattern_days_max
    if (query.weeks is None) == (query.until is None):
        raise Invalid(FieldError("weeks", "invalid_value", "give either weeks or until"))
    if query.weeks is not None and query.weeks * 7 > days_max:
        raise Invalid(FieldError("weeks", "invalid_value", f"may be {days_max // 7}"))
    check_range(query.start_date, None, days_max)
    until = query.until or query.start_date + timedelta(days=7 * (query.weeks or 0) - 1)
    check_range(query.start_date, until, days_max, last_field="until")
    weekdays = weekdays_of(query.weekdays)
    days = (query.start_date + timedelta(days=n) for n in range((until - query.start_date).days + 1))
    dates = [on for on in days if on.weekday() in weekdays]
    if not dates:
        raise Invalid(FieldError("weekdays", "invalid_value", "are on no date from start_date on"))
    return dates


def _times(query: Query) -> tuple[int, int]:
    """The one time of day, twice; or from when until when, in minutes since midnight."""
    if (query.time is None) == (query.time_from is None and query.time_to is None):
        why = "give either a time, or time_from and time_to"
        raise Invalid(FieldError("time", "invalid_value", why))
    if query.time is not None:
        at = minutes_of_day(query.time, "time")
        if at == 1440:
            raise Invalid(FieldError("time", "invalid_value", "24:00 is the next day's 00:00"))
        return at, at
    low = minutes_of_day(query.time_from, "time_from") if query.time_from else 0
    high = minutes_of_day(query.time_to, "time_to") if query.time_to else 1440
    if low >= high:
        raise Invalid(FieldError("time_to", "invalid_value", "must be after time_from"))
    return low, high


def _minutes(query: Query, times: tuple[int, int], duration: int) -> list[int]:
    low, high = times
    if low == high:
        return [low]
    return list(range(low, min(high - duration, 1439) + 1, query.step_minutes))


def _body(pattern: Pattern) -> FreePattern:
    hour, minute = divmod(pattern.minute, 60)
    return FreePattern(
        practitioner_id=pattern.practitioner_id, time=f"{hour:02}:{minute:02}", free_count=pattern.free,
        dates=[_date(each) for each in pattern.dates],
    )  # fmt: skip


def _date(each: PatternDate) -> DateOfPattern:
    return DateOfPattern(
        date=each.on, start=rfc3339(each.start), end=rfc3339(each.end), is_free=each.slot is not None,
        room_id=each.slot.room_id if each.slot else None, score=each.slot.score if each.slot else None,
        reasons=[Why(code=reason.code, detail=reason.detail) for reason in each.reasons],
    )  # fmt: skip


ROUTES: tuple[Route[Any, Any], ...] = (
    Route(
        "GET", "/api/v1/availability/patterns", find_patterns, "appointments.read",
        "Times of the week that are free for many weeks", query=Query, answer=Patterns,
        refusals=("not_found",), tag="appointments",
    ),
)  # fmt: skip

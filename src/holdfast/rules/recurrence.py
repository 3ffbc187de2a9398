"""When something recurs: the dates of an RFC 5545 rule as spans of instants, at the same time on the wall all year."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

from dateutil.rrule import rrulestr

from holdfast.errors import FieldError, Invalid
from holdfast.slot import Span, wall, zone

DATES_MAX: Final = 104
_REACH: Final = timedelta(days=2 * 366)
_INTERVAL_MAX: Final = 1000
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_DATE = r"[0-9]{8}(?:T[0-9]{6}Z?)?"
_EXDATE_LINE = re.compile(r"EXDATE(?:;(?:TZID=[A-Z0-9_/+-]+|VALUE=DATE(?:-TIME)?))*:(.*)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_NUMBERS = r"[+-]?[1-9][0-9]{0,2}(,[+-]?[1-9][0-9]{0,2}){0,52}"
_DAY = r"([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)"
# The time of day is the start's, so nothing finer than a day is taken.
_PARTS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType({
    "FREQ": re.compile("DAILY|WEEKLY|MONTHLY|YEARLY"), "INTERVAL": _NUMBER, "COUNT": _NUMBER, "UNTIL": _UNTIL,
    "BYDAY": re.compile(rf"{_DAY}(,{_DAY}){{0,52}}"), "WKST": re.compile("MO|TU|WE|TH|FR|SA|SU"),
    "EXDATE": re.compile(rf"{_DATE}(,{_DATE}){{0,{DATES_MAX - 1}}}"),
    **dict.fromkeys(("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"), re.compile(_NUMBERS)),
})  # fmt: skip


class Recurs(NamedTuple):
    """When it happens again: a rule as `spans` takes it, and local dates that are left out."""

    rule: str
    without: Collection[date] = ()


def spans(rule: str, span: Span, zone_name: str, without: Collection[date] = ()) -> list[Span]:
    """The spans that `rule` makes of the first one, in order, those on the dates of `without` left out. Each begins and
    ends at the first's time on the wall of the zone, whatever the clock does in between.

    `rule`: an RRULE's value with COUNT or UNTIL, at most 104 dates within two years; COUNT counts what is left out too.
    Dates that it leaves out itself stand as an EXDATE among its parts or on lines of their own.
    Raises Invalid naming `rrule` or `exdates`.
    """
    parts = _parts(rule)
    by_rule = _left_out(parts.pop("EXDATE", ""), zone_name)
    first = _local(span[0], zone_name)
    found = _locals(parts, first, zone_name)
    if not found or found[0] != first:
        raise _wrong("does not begin with the start")
    dates = {each.date() for each in found}
    for field, given in (("exdates", set(without)), ("rrule", by_rule)):
        if given - dates:
            raise Invalid(FieldError(field, "invalid_value", f"{min(given - dates)} is none of the dates"))
    kept = [each for each in found if each.date() not in without and each.date() not in by_rule]
    if not kept:
        raise Invalid(FieldError("exdates" if without else "rrule", "invalid_value", "leaves no date"))
    made = [shifted(span, each - first, each - first, zone_name) for each in kept]
    if any(before[1] > after[0] for before, after in pairwise(made)):
        raise _wrong("makes dates that overlap each other")
    return made


def shifted(span: Span, start_by: timedelta, end_by: timedelta, zone_name: str) -> Span:
    """A span whose start and end are so much later on the wall. Where the clock's change would leave nothing of it, it is
    as long as it was."""
    start, end = later(span[0], start_by, zone_name), later(span[1], end_by, zone_name)
    return (start, end) if start < end or start_by != end_by else (start, start + span[1] - span[0])


def wall_distance(before: int, after: int, zone_name: str) -> timedelta:
    """How much later `after` is than `before` on the wall."""
    return _local(after, zone_name) - _local(before, zone_name)


def later(at: int, by: timedelta, zone_name: str) -> int:
    """The instant that is so much later on the wall."""
    if not by:
        return at
    local = _local(at, zone_name) + by
    return wall(local.date(), local.hour * 60 + local.minute, zone_name)


@lru_cache(maxsize=1_024)
def _local(at: int, zone_name: str) -> datetime:
    return datetime.fromtimestamp(at, zone(zone_name)).replace(tzinfo=None)


def _wrong(why: str) -> Invalid:
    return Invalid(FieldError("rrule", "invalid_value", why))


def _parts(rule: str) -> dict[str, str]:
    """The parts of a rule by name. Raises Invalid for what is unknown, given twice, or out of range."""
    parts: dict[str, str] = {}
    for part in _joined(rule.upper()).split(";"):
        name, _, value = part.partition("=")
        known = _PARTS.get(name)
        if known is None:
            raise _wrong(f"{name or 'an empty part'} is not known here; known are {', '.join(_PARTS)}")
        if name in parts and name != "EXDATE":
            raise _wrong(f"{name} is given twice")
        if not known.fullmatch(value):
            raise _wrong(f"{name}={value} cannot be understood")
        parts[name] = f"{parts[name]},{value}" if name in parts else value
    if "FREQ" not in parts:
        raise _wrong("FREQ is missing")
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise _wrong("needs COUNT or UNTIL, and not both")
    if int(parts.get("COUNT", "1")) > DATES_MAX:
        raise _wrong(f"COUNT must be at most {DATES_MAX}")
    if int(parts.get("INTERVAL", "1")) > _INTERVAL_MAX:
        raise _wrong(f"INTERVAL must be at most {_INTERVAL_MAX}")
    return parts


def _joined(text: str) -> str:
    """The rule with the dates that lines of their own leave out as parts of it."""
    lines = [(line, _EXDATE_LINE.fullmatch(line)) for line in text.strip().splitlines()]
    rules = [line for line, exdates in lines if exdates is None] or [""]
    if len(rules) > 1:
        raise _wrong(f"{rules[1][:40]} cannot be understood; beside the rule there may be EXDATE")
    parts = [f"EXDATE={exdates[1]}" for _, exdates in lines if exdates is not None]
    return ";".join([rules[0].removeprefix("RRULE:"), *parts])


def _left_out(text: str, zone_name: str) -> set[date]:
    """The local dates of an EXDATE: an instant with Z is the wall's of the zone."""
    return {_moment(each, zone_name).date() for each in text.split(",") if each}


def _locals(parts: dict[str, str], first: datetime, zone_name: str) -> list[datetime]:
    """The starts on the wall. The walk ends two years on, whatever the rule says: one that fits no date would be walked
    to the end of the calendar."""
    horizon = first + _REACH
    until = _moment(parts["UNTIL"], zone_name) if "UNTIL" in parts else horizon
    if until > horizon:
        raise _wrong("reaches further than two years")
    bare = ";".join(f"{name}={value}" for name, value in parts.items() if name not in ("COUNT", "UNTIL"))
    try:
        walk = rrulestr(f"{bare};UNTIL={until:%Y%m%dT%H%M%S}", dtstart=first)
        found = list(islice(walk, int(parts.get("COUNT", DATES_MAX + 1))))
    except (ValueError, IndexError, OverflowError):
        raise _wrong("is not a rule of RFC 5545 that can be followed") from None
    if len(found) > DATES_MAX:
        raise _wrong(f"makes more than {DATES_MAX} dates")
    if "COUNT" in parts and len(found) < int(parts["COUNT"]):
        raise _wrong("reaches further than two years")
    return found


def _moment(text: str, zone_name: str) -> datetime:
    """The last moment on the wall: a date is meant with all of its day, an instant with Z is the wall's of the zone."""
    found = _UNTIL.fullmatch(text)
    if found is None:
        raise _wrong(f"{text} is no date")
    try:
        at = datetime.strptime(found[1] + (found[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 of the wall, or below
        return at.replace(tzinfo=UTC).astimezone(zone(zone_name)).replace(tzinfo=None) if found[3] else at
    except (ValueError, OverflowError):
        raise _wrong(f"{text} is no date") from None

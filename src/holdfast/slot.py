"""Time as Holdfast computes with it: instants are whole epoch seconds UTC, spans are half-open [start, end).

Wall-clock times belong to a zone and become instants here and nowhere else. Around a change of the clock:
a wall time that does not exist (spring gap) means the same distance after the gap began; a wall time that
exists twice means the first when something starts and the second when something ends.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

Span = tuple[int, int]
MINUTE = 60
DAY = 86_400
CLAIM_SECONDS_MAX = 26 * 3600

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_UTC = datetime(1970, 1, 1)  # noqa: DTZ001 without a zone its text is shorter, and made in half the time


def instant(text: str) -> int:
    """Epoch seconds of an RFC 3339 date-time with offset.

    Raises ValueError for anything else, for fractions of a second, and for years before 1971 or after 9000.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("must be an RFC 3339 date-time with offset, such as 2026-03-02T09:00:00-07:00")
    moment = datetime.fromisoformat(text.upper())
    if not 1971 <= moment.year <= 9000:
        raise ValueError("the year is out of range")
    if found[1] and found[1].strip(".0"):  # the parser drops what is below a microsecond
        raise ValueError("must be a whole second")
    return (moment - _EPOCH) // timedelta(seconds=1)


@lru_cache(maxsize=8_192)
def rfc3339(seconds: int) -> str:
    """The instant as RFC 3339 in UTC: 2026-03-02T16:00:00Z."""
    return (_EPOCH_UTC + timedelta(seconds=seconds)).isoformat() + "Z"


def moment(seconds: int) -> datetime:
    """The instant as an aware datetime, for the database driver."""
    return _EPOCH + timedelta(seconds=seconds)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone. Raises ValueError if there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a known time zone, such as America/Phoenix") from None


@lru_cache(maxsize=8_192)
def local_date(seconds: int, zone_name: str) -> date:
    return datetime.fromtimestamp(seconds, zone(zone_name)).date()


@lru_cache(maxsize=8_192)
def wall_clock(seconds: int, zone_name: str) -> tuple[date, int]:
    """The local date and the minutes since its midnight that clocks show at an instant."""
    local = datetime.fromtimestamp(seconds, zone(zone_name))
    return local.date(), local.hour * 60 + local.minute


@lru_cache(maxsize=16_384)
def wall(on: date, minutes: int, zone_name: str, *, ends: bool = False) -> int:
    """The instant of a wall-clock time, given as minutes since midnight of `on` (1440 is the next midnight)."""
    days, rest = divmod(minutes, 1440)
    local = datetime.combine(on + timedelta(days=days), time(rest // 60, rest % 60), zone(zone_name))
    return int(local.replace(fold=1 if ends and _is_twice(local) else 0).timestamp())


def _is_twice(local: datetime) -> bool:
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


@lru_cache(maxsize=8_192)
def day_span(on: date, zone_name: str) -> Span:
    """From midnight to midnight of a local date: 23 or 25 hours long when the clock changes."""
    return wall(on, 0, zone_name), wall(on, 1440, zone_name)


def dates_touched(span: Span, zone_name: str) -> list[date]:
    """The local dates that a non-empty span touches, in order."""
    first, last = local_date(span[0], zone_name), local_date(span[1] - 1, zone_name)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def overlaps(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans in order; spans that touch become one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def subtract(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of `spans` when `taken` is cut out, as disjoint spans in order."""
    left: list[Span] = []
    cuts = union(taken)
    for start, end in union(spans):
        at = start
        for cut_start, cut_end in cuts:
            if cut_end <= at or cut_start >= end:
                continue
            if cut_start > at:
                left.append((at, cut_start))
            at = max(at, cut_end)
        if at < end:
            left.append((at, end))
    return left


def intersect(a: Iterable[Span], b: Sequence[Span]) -> list[Span]:
    """The time that is in both, as disjoint spans in order."""
    return union(
        (max(start, other_start), min(end, other_end))
        for start, end in a
        for other_start, other_end in b
        if start < other_end and other_start < end
    )


def contains(spans: Iterable[Span], inner: Span) -> bool:
    """Whether one of the disjoint `spans` holds all of `inner`."""
    return any(start <= inner[0] and inner[1] <= end for start, end in spans)


def pieces(span: Span) -> list[Span]:
    """A long span cut at UTC midnights, so that no piece is longer than a claim may be."""
    start, end = span
    cuts = [start, *range((start // DAY + 1) * DAY, end, DAY), end]
    return [(a, b) for a, b in pairwise(cuts) if a < b]


def units_to_reserve(minutes: int, unit_basis: str, unit_minutes: int) -> int:
    """Units that a planned visit holds: never too little (ceil); a visit or a day counts one."""
    return -(-minutes // unit_minutes) if unit_basis == "time" else 1

"""Dates and times of day as queries give them."""

import re
from collections.abc import Iterable
from datetime import date

from holdfast.errors import FieldError, Invalid

YEARS = range(1971, 9000)
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")


def check_range(
    first: date | None, last: date | None, days_max: int, *, last_field: str = "end_date"
) -> None:
    """Raises Invalid for a range of dates that is reversed, longer than `days_max`, or out of all years."""
    errors = [
        FieldError(name, "invalid_value", "the year is out of range")
        for name, given in (("start_date", first), (last_field, last))
        if given is not None and given.year not in YEARS
    ]
    if first is not None and last is not None and not errors:
        if last < first:
            errors.append(FieldError(last_field, "invalid_value", "must not be before start_date"))
        elif (last - first).days >= days_max:
            errors.append(
                FieldError(last_field, "invalid_value", f"the range is longer than {days_max} days")
            )
    if errors:
        raise Invalid(*errors)


def check_date(on: date) -> None:
    """Raises Invalid for a `date` out of all years."""
    if on.year not in YEARS:
        raise Invalid(FieldError("date", "invalid_value", "the year is out of range"))


def minutes_of_day(text: str, field: str) -> int:
    """Minutes since midnight of "HH:MM"; "24:00" is the end of the day. Raises Invalid."""
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None or (found[1] == "24" and found[2] != "00"):
        raise Invalid(FieldError(field, "invalid_value", 'must be a time of day such as "08:30"'))
    return int(found[1]) * 60 + int(found[2])


def weekdays_of(texts: Iterable[str]) -> frozenset[int]:
    """Weekdays (0 is Monday) given one by one or as "1,3"; all of them when nothing is given. Raises Invalid."""
    given = {each for text in texts for each in text.split(",")}
    if not given <= set("0123456"):
        raise Invalid(FieldError("weekdays", "invalid_value", "0 (Monday) to 6, such as 1,3"))
    return frozenset(map(int, given or "0123456"))

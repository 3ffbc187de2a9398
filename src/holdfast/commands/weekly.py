"""What is wrong with wall-clock hours that a clinic or a practitioner is given: reversed, or over one another."""

from collections.abc import Iterator
from typing import Any

from holdfast.errors import FieldError

Hours = dict[str, Any]


def faults(field: str, hours: list[Hours]) -> Iterator[FieldError]:
    """Every span that is reversed, and every one that overlaps an earlier one on its weekday.

    Hours with `clinic_id` are compared within their clinic; with `valid_from` and `valid_to`, only where both hold.
    """
    for number, one in enumerate(hours):
        if one["start"] is not None and one["start"] >= one["end"]:
            yield FieldError(f"{field}[{number}].end", "invalid_value", "must be after the start")
        if (one.get("valid_from") or "") > (one.get("valid_to") or "9999-12-31"):
            yield FieldError(f"{field}[{number}].valid_to", "invalid_value", "must not be before valid_from")
        for earlier, other in enumerate(hours[:number]):
            if _same_day(one, other) and one["start"] < other["end"] and other["start"] < one["end"]:
                yield FieldError(f"{field}[{number}]", "invalid_value", f"overlaps {field}[{earlier}]")


def _same_day(one: Hours, other: Hours) -> bool:
    return (
        one["weekday"] == other["weekday"]
        and one.get("clinic_id") == other.get("clinic_id")
        and (one.get("valid_from") or "") <= (other.get("valid_to") or "9999-12-31")
        and (other.get("valid_from") or "") <= (one.get("valid_to") or "9999-12-31")
    )

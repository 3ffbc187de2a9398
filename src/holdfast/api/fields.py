"""Kinds of fields that several nouns share, with the bounds that storage has."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from holdfast.api.wire import Id

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", extra={"must": "not be blank"})]
PersonName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S", extra={"must": "not be blank"})]
Label = Annotated[str, Meta(max_length=200)]
Reason = Annotated[str, Meta(max_length=500)]
ReasonCode = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}(?!\n)$", examples=["ill"])]
Code = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^\S(.*\S)?(?!\n)$",
        extra={"must": "not begin or end with a space"},
    ),
]
Word = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^[^A-Z\s]+( [^A-Z\s]+)*(?!\n)$",
        description="Lower case.",
        extra={"must": "be in lower case, with single spaces between its words"},
    ),
]
Words = Annotated[list[Word], Meta(max_length=50)]
Codes = Annotated[list[Code], Meta(max_length=50)]
Zone = Annotated[str, Meta(min_length=1, max_length=64, examples=["America/Phoenix"])]
Starts = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?!\n)$", examples=["08:00"])]
Ends = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)(?!\n)$", examples=["18:30"])]
Weekday = Annotated[int, Meta(ge=0, le=6, description="0 is Monday.")]
Minutes = Annotated[int, Meta(ge=0, le=120)]
Seats = Annotated[int, Meta(ge=1, le=100, description="Visits at once.")]
People = Annotated[int, Meta(ge=1, le=1000)]
Language = Annotated[
    str,
    Meta(min_length=2, max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*(?!\n)$", examples=["es"]),
]
CapUnits = Annotated[int, Meta(ge=1, le=10_000)]
Search = Annotated[str, Meta(max_length=200)]
UnitBasis = Literal["time", "visit", "day"]


class Hours(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A weekly stretch in a clinic's own time; it may end at 24:00."""

    weekday: Weekday
    start: Starts
    end: Ends


class DatedHours(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A weekly stretch of work at one clinic, between two dates inclusive; an open end is null."""

    clinic_id: Id
    weekday: Weekday
    start: Starts
    end: Ends
    valid_from: date | None = None
    valid_to: date | None = None


class HoursException(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The only work of a date at a clinic; without times there is none."""

    clinic_id: Id
    date: date
    start: Starts | None = None
    end: Ends | None = None


class Credential(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A credential with the dates it holds on, inclusive; an open end is null."""

    code: Code
    valid_from: date | None = None
    valid_to: date | None = None
    state: Annotated[str, Meta(min_length=1, max_length=40)] | None = None

"""What is wrong with a field is said in words, however deep it lies: no regular expression is shown to anybody."""

from collections.abc import Iterator
from datetime import date, time
from typing import Annotated, Any, get_args

import msgspec
import pytest
from msgspec import Meta

from holdfast import app
from holdfast.api.practitioners import NewPractitioner
from holdfast.api.rooms import NewRoom
from holdfast.api.wire import decoded
from holdfast.field_faults import field_faults, sentence_of
from holdfast.rules.policy.types import TYPES

STRETCH = {
    "clinic_id": "01890000-0000-7000-8000-000000000000",
    "weekday": 0,
    "start": "08:00",
    "end": "24:00",
}


def said(kind: type, **fields: Any) -> dict[str, str]:
    found = field_faults(fields, kind, strict=True, hook=decoded)
    return {each.field: each.message for each in found if each.code != "missing"}


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (NewPractitioner, {"working_hours": [STRETCH, STRETCH | {"start": "8"}]}, ("working_hours[1].start", "must look like 08:00")),
        (NewPractitioner, {"working_hours": [STRETCH | {"end": "25:00"}]}, ("working_hours[0].end", "must look like 18:30")),
        (NewPractitioner, {"credentials": [{"code": " "}]}, ("credentials[0].code", "must not begin or end with a space")),
        (NewRoom, {"equipment": ["Swing"]}, ("equipment[0]", "must be in lower case, with single spaces between its words")),
        (NewRoom, {"number": " "}, ("number", "must not be blank")),
        (TYPES["capacity"], {"when": {"time_from": "8"}}, ("when.time_from", "must look like 08:00")),
        (TYPES["capacity"], {"when": {"patient": "old"}}, ("when.patient", "must be one of new, returning")),
        (TYPES["practitioner_room"], {"allowed_rooms": ["?"]}, ("allowed_rooms[0]", "must be an id")),
    ],
)  # fmt: skip
def test_a_fault_is_said_in_words(kind: type, fields: dict[str, Any], message: tuple[str, str]) -> None:
    assert said(kind, **fields) == dict([message])


class Point(msgspec.Struct, forbid_unknown_fields=True):
    x: int


class Sized(msgspec.Struct):
    count: Annotated[int, Meta(ge=1, le=9)] | None = None
    name: Annotated[str, Meta(min_length=1, max_length=3)] = "a"
    parts: Annotated[list[Point], Meta(min_length=1, max_length=2)] = []
    day: date | None = None
    at: time | None = None
    share: Annotated[float, Meta(gt=0)] = 1
    is_on: bool = True


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"count": 0}, ("count", "must be at least 1")),
        ({"count": 10}, ("count", "must be at most 9")),
        ({"count": "one"}, ("count", "must be a whole number or null, not text")),
        ({"name": ""}, ("name", "must have at least 1 character")),
        ({"name": "long"}, ("name", "must have at most 3 characters")),
        ({"name": None}, ("name", "must be text, not null")),
        ({"parts": []}, ("parts", "must have at least 1 entry")),
        ({"parts": [{"x": 1}] * 3}, ("parts", "must have at most 2 entries")),
        ({"parts": {}}, ("parts", "must be a list, not an object")),
        ({"parts": [{"x": 1, "y": 2}]}, ("parts[0]", "has no field y")),
        ({"parts": [{}]}, ("parts[0]", "lacks the field x")),
        ({"parts": [{"x": True}]}, ("parts[0].x", "must be a whole number, not true or false")),
        ({"day": "tomorrow"}, ("day", "must be a date as 2026-01-31")),
        ({"day": 3}, ("day", "must be a date as 2026-01-31 or null, not a whole number")),
        ({"at": "noon"}, ("at", "must be a time as 08:30")),
        ({"share": 0}, ("share", "must be more than 0.0")),
        ({"is_on": 1}, ("is_on", "must be true or false, not a whole number")),
    ],
)
def test_sizes_and_kinds_are_said_in_words(fields: dict[str, Any], message: tuple[str, str]) -> None:
    assert said(Sized, **fields) == dict([message])


def patterns(kind: Any, seen: set[Any]) -> Iterator[Any]:
    """Every kind with a pattern that a value of this one may hold."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        seen.add(kind)
        for field in msgspec.structs.fields(kind):
            yield from patterns(field.type, seen)
    for inner in get_args(kind):
        yield from patterns(inner, seen)
    notes = getattr(kind, "__metadata__", ())
    if any(isinstance(note, msgspec.Meta) and note.pattern for note in notes):
        yield kind


def test_every_pattern_of_a_request_has_words() -> None:
    seen: set[Any] = set()
    asked = [kind for route in app.routes() for kind in (route.body, route.query) if kind is not None]
    found = [each for kind in (*asked, *TYPES.values()) for each in patterns(kind, seen)]
    assert len(found) > 15
    assert [each for each in found if sentence_of(each) is None] == []

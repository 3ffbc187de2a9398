"""What is wrong with a field is said in words, however deep it lies: no regular expression is shown to anybody."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

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

"""What is wrong with the fields of something given, each said for itself. Knows msgspec's messages and nothing of ours."""

import re
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import msgspec

from holdfast.errors import FieldError

_AT = re.compile(r" - at `\$(?:\.)?(.*?)`$")


def field_faults(
    values: dict[str, Any],
    kind: type,
    *,
    strict: bool,
    hook: Callable[[type, Any], Any] | None = None,
) -> list[FieldError]:
    """Every field's own error: a decoder stops at the first, a person wants them all. `kind`: a msgspec Struct."""
    errors: list[FieldError] = []
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    errors += [
        FieldError(name, "unknown_field", "is not a field of this call")
        for name in values.keys() - fields.keys()
    ]
    for name, field in fields.items():
        if name not in values:
            if field.required:
                errors.append(FieldError(name, "missing", "is required"))
            continue
        try:
            msgspec.convert(values[name], field.type, strict=strict, dec_hook=hook)
        except msgspec.ValidationError as error:
            errors.append(_field_error(name, str(error), field.type))
    return errors


def _field_error(name: str, message: str, kind: Any) -> FieldError:
    at = _AT.search(message)
    inner = at[1] if at else ""
    path = name + ("" if not inner else inner if inner.startswith("[") else f".{inner}")
    sentence = _AT.sub("", message)
    code = "unknown_field" if "unknown field" in sentence else "invalid_value"
    if sentence.startswith("Invalid enum value") and "." not in inner and (choices := _choices(kind)):
        sentence = f"must be one of {', '.join(choices)}"
    if "matching regex" in sentence and "." not in inner and (example := _example(kind)):
        sentence = f"must look like {example}"
    return FieldError(path, code, sentence[:1].lower() + sentence[1:])


def _choices(kind: Any) -> list[str]:
    """The words that a field takes, or that each item of its list does; none if it is no field of words."""
    if get_origin(kind) is Literal:
        return [str(each) for each in get_args(kind)]
    return [choice for inner in get_args(kind) for choice in _choices(inner)]


def _example(kind: Any) -> str | None:
    """How the words of a field are spelled, where its type shows it."""
    shown = (note.examples for note in getattr(kind, "__metadata__", ()) if isinstance(note, msgspec.Meta))
    own = next((str(examples[0]) for examples in shown if examples), None)
    return own or next((found for inner in get_args(kind) if (found := _example(inner))), None)

"""What is wrong with the fields of something given, each said for itself. Knows msgspec's messages and nothing of ours."""

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import msgspec

from holdfast.errors import FieldError

_AT = re.compile(r" - at `\$(?:\.)?(.*?)`$")
_STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")
_LENGTH = re.compile(r"Expected `(\w+)` of length (\S+) (\d+)")
_BOUND = re.compile(r"Expected `\w+` (\S+) (\S+)")
_KIND = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
_SPELLED = re.compile(r"Invalid RFC3339 encoded (date|time)")
_FIELD = re.compile(r"Object (contains unknown|missing required) field `([^`]+)`")
_HOW = MappingProxyType(
    {">=": "at least", "<=": "at most", ">": "more than", "<": "less than", "==": "exactly"}
)
_KINDS = MappingProxyType({
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "array": "a list",
    "object": "an object", "null": "null", "date": "a date as 2026-01-31", "time": "a time as 08:30",
})  # fmt: skip


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
    if sentence.startswith("Invalid enum value"):
        choices = next(filter(None, map(_choices, _kinds_at(kind, inner))), None)
        sentence = f"must be one of {', '.join(choices)}" if choices else sentence
    elif "matching regex" in sentence:
        # whose words these are is not found out for the keys of an object
        sentence = next(
            filter(None, map(sentence_of, _kinds_at(kind, inner))), "is not spelled as it must be"
        )
    sentence = _in_words(sentence)
    return FieldError(path, code, sentence[:1].lower() + sentence[1:])


def _in_words(sentence: str) -> str:
    """What msgspec says about sizes, kinds and fields, as one says it to a person; the rest as it is."""
    if found := _LENGTH.fullmatch(sentence):
        kind, how, count = found.groups()
        one, many = ("entry", "entries") if kind == "array" else ("character", "characters")
        return f"must have {_HOW[how]} {count} {one if count == '1' else many}"
    if found := _BOUND.fullmatch(sentence):
        return f"must be {_HOW[found[1]]} {found[2]}"
    if found := _KIND.fullmatch(sentence):
        wanted = [_KINDS.get(each, each) for each in found[1].split(" | ")]
        return f"must be {' or '.join(wanted)}, not {_KINDS.get(found[2], found[2])}"
    if found := _SPELLED.fullmatch(sentence):
        return f"must be {_KINDS[found[1]]}"
    if found := _FIELD.fullmatch(sentence):
        return f"has no field {found[2]}" if found[1].endswith("unknown") else f"lacks the field {found[2]}"
    return sentence


def _kinds_at(kind: Any, path: str) -> list[Any]:
    """What a value at a path such as `[0].start` inside a field may be."""
    kinds = [kind]
    for step in _STEP.findall(path):
        kinds = [inner for each in kinds for inner in _inside(each, step)]
    return kinds


def _inside(kind: Any, step: str) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [field.type for field in msgspec.structs.fields(kind) if field.encode_name == step]
    if step.startswith("[") and get_origin(kind) in (list, tuple, dict):
        return list(get_args(kind))
    return [found for inner in get_args(kind) for found in _inside(inner, step)]


def _choices(kind: Any) -> list[str]:
    """The words that a field takes; none if it is no field of words."""
    if get_origin(kind) is Literal:
        return [str(each) for each in get_args(kind)]
    return [choice for inner in get_args(kind) for choice in _choices(inner)]


def sentence_of(kind: Any) -> str | None:
    """How a word of this kind is spelled, where the kind says it: by what it must, or by an example."""
    for note in getattr(kind, "__metadata__", ()):
        if isinstance(note, msgspec.Meta) and note.pattern:
            must = (note.extra or {}).get("must")
            if must or note.examples:
                return f"must {must}" if must else f"must look like {(note.examples or [''])[0]}"
    return next((found for inner in get_args(kind) if (found := sentence_of(inner))), None)

"""A document of rules, as somebody writes it: read, checked field by field, and described for whoever makes a form of it."""

from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from holdfast.errors import FieldError, Invalid
from holdfast.field_faults import field_faults
from holdfast.rules.policy.rule import Rule, When
from holdfast.rules.policy.types import TYPES

RULES_MAX: Final = 200
FAULTS_MAX: Final = 200
"""So many are told of at most."""
_QUOTED_MAX: Final = 80

SHIPPED: Final[tuple[Rule, ...]] = tuple(
    msgspec.convert({"type": each, "name": each, "kind": "hard"}, TYPES[each])
    for each in ("accessibility", "capacity", "equipment", "practitioner_excluded", "room_type_match")
)
"""The rules of scope global, in force everywhere. Others may narrow one of them by taking its name, not switch it off."""

_SHIPPED_NAMES: Final = frozenset(rule.name for rule in SHIPPED)


def decode(rules: Sequence[Any]) -> tuple[Rule, ...]:
    """The rules of a document. Raises Invalid with every fault: fields such as `rules[2].score_modifier`, messages that name
    the rule."""
    faults: list[FieldError] = []
    found: list[Rule] = []
    if len(rules) > RULES_MAX:
        raise Invalid(FieldError("rules", "invalid_value", f"may be {RULES_MAX} at most"))
    names: set[str] = set()
    for at, given in enumerate(rules):
        rule, wrong = _decoded(given)
        name = given.get("name") if isinstance(given, dict) else None
        if isinstance(name, str) and name in names:
            wrong = [*wrong, FieldError("name", "already_exists", "is another rule's name in this document")]
        if isinstance(name, str):
            names.add(name)
        is_called = isinstance(name, str) and 0 < len(name) <= _QUOTED_MAX
        called = f"rule {name!r}" if is_called else f"rule {at + 1}"
        faults += [
            FieldError(
                f"rules[{at}].{each.field}" if each.field else f"rules[{at}]",
                each.code,
                f"{called}: {each.message}",
            )
            for each in wrong
        ]
        if rule is not None:
            found.append(rule)
        if len(faults) > FAULTS_MAX:
            break
    if faults:
        raise Invalid(*faults[:FAULTS_MAX])
    return tuple(found)


def _decoded(given: Any) -> tuple[Rule | None, list[FieldError]]:
    if not isinstance(given, dict):
        return None, [FieldError("", "invalid_value", "must be an object")]
    if "type" not in given:
        return None, [FieldError("type", "missing", "is required")]
    kind = TYPES.get(given["type"]) if isinstance(given["type"], str) else None
    if kind is None:
        return None, [FieldError("type", "unknown_type", f"must be one of {', '.join(sorted(TYPES))}")]
    fields = {name: value for name, value in given.items() if name != "type"}
    faults = field_faults(fields, kind, strict=True)
    if "kind" not in given:
        faults.append(FieldError("kind", "missing", "is required"))
    if faults:
        return None, faults
    rule: Rule = msgspec.convert(given, kind)
    faults = [*rule.faults(), *_further(rule)]
    return (None if faults else rule), faults


def _further(rule: Rule) -> Iterator[FieldError]:
    if rule.kind not in rule.kinds:
        yield FieldError("kind", "invalid_value", f"must be {' or '.join(rule.kinds)} for this type")
    if rule.name in _SHIPPED_NAMES:
        if rule.__struct_config__.tag != rule.name:
            yield FieldError("name", "invalid_value", f"is the shipped rule of type {rule.name}")
        if not rule.enabled:
            yield FieldError("enabled", "invalid_value", "a shipped rule cannot be switched off")
    if rule.when is not None:
        yield from rule.when.faults()
        for name in When.__struct_fields__:
            if getattr(rule.when, name) and name not in rule.conditions:
                yield FieldError(f"when.{name}", "invalid_value", "cannot be asked by a rule of this type")


def references(rules: Sequence[Rule]) -> Iterator[tuple[str, str, str]]:
    """What the rules name of the organization: field, kind of thing (rooms, practitioners, services), id."""
    for at, rule in enumerate(rules):
        for place, struct in (("", rule), ("when.", rule.when)):
            for field in msgspec.structs.fields(struct) if struct is not None else ():
                noun: str = _extra(field.type).get("noun", "")
                for each in getattr(struct, field.name) if noun else ():
                    yield f"rules[{at}].{place}{field.name}", noun, each


def schema() -> dict[str, Any]:
    """The JSON schema of a rule in a document: one of the types."""
    shapes, components = msgspec.json.schema_components(tuple(TYPES.values()), ref_template="{name}")

    def whole(shape: Any) -> Any:
        """References written out: the schema stands on its own."""
        if isinstance(shape, dict):
            named = components.get(shape.get("$ref", ""))
            return (
                whole(named) if named is not None else {name: whole(value) for name, value in shape.items()}
            )
        return [whole(each) for each in shape] if isinstance(shape, list) else shape

    found = []
    for kind, shape in zip(TYPES.values(), shapes, strict=True):
        one = whole(shape)
        one["properties"]["kind"] = {"enum": list(kind.kinds)}
        one["required"] = sorted({*one["required"], "kind"})
        found.append(one)
    return {"oneOf": found}


# The table of types, as /rule-types tells it


def describe() -> list[dict[str, Any]]:
    """Every type with its fields: name, type, unit, description, default, bounds or values."""
    return [
        {
            "type": name,
            "kinds": list(kind.kinds),
            "summary": kind.summary,
            "fields": [
                _field(each) for each in msgspec.structs.fields(kind)
                if each.name not in ("name", "kind", "enabled", "when")
            ],
            "when": [_field(each) for each in msgspec.structs.fields(When) if each.name in kind.conditions],
        }
        for name, kind in TYPES.items()
    ]  # fmt: skip


def _field(field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "required": field.required, **_shape(field.type)}
    if not field.required:
        default = field.default
        described["default"] = list(default) if isinstance(default, tuple) else default
    return described


def _shape(kind: Any) -> dict[str, Any]:
    """The type of a field with what its annotations say; the outer ones count more."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        said = _shape(inner)
        for note in notes:
            said |= _said(note)
        return said
    if get_origin(kind) in (Union, UnionType):
        inner = next(each for each in get_args(kind) if each is not NoneType)
        return _shape(inner) | {"nullable": True}
    if get_origin(kind) is tuple:
        item = _shape(get_args(kind)[0])
        return {"type": "list", "items": item["type"], **({"noun": item["noun"]} if "noun" in item else {})}
    if get_origin(kind) is Literal:
        return {"type": "string", "values": list(get_args(kind))}
    return {"type": {str: "string", int: "integer", bool: "boolean"}[kind]}


def _said(note: Meta) -> dict[str, Any]:
    said = {
        "minimum": note.ge,
        "maximum": note.le,
        "max_length": note.max_length,
        "description": note.description,
    }
    return {name: value for name, value in said.items() if value is not None} | (note.extra or {})


def _extra(kind: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        found = _extra(inner)
        for note in notes:
            found |= note.extra or {}
    return found

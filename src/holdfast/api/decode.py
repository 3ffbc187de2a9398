"""From bytes to typed requests. What cannot be understood is refused here with every field that is wrong, so that
nothing the database would refuse travels further.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from holdfast.api.wire import decoded
from holdfast.errors import FieldError, Invalid
from holdfast.field_faults import field_faults

T = TypeVar("T", bound=msgspec.Struct)


def body(raw: bytes, kind: type[T], nesting_max: int) -> tuple[T, Any]:
    """The request's body as `kind` (a msgspec Struct that forbids unknown fields), and as plain values. Raises Invalid."""
    _check_shape(raw, nesting_max)
    try:
        found = _decoder(kind).decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _every_error(raw, kind) from None
    # Two readers of one body must not read two different things: no name twice. What is left of the body when it has
    # been read has as many quotes as the body itself; otherwise (escaped ones too) the slow way tells.
    plain = msgspec.json.decode(raw)
    if raw.count(b'"') != _quotes(plain):
        json.loads(raw, object_pairs_hook=_once, parse_int=str, parse_float=str)
    return found, plain


@cache
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind, dec_hook=decoded)


def _quotes(value: Any) -> int:
    """How many quotes a value takes to spell, none of them inside a string."""
    if isinstance(value, str):
        return 2
    if isinstance(value, dict):
        return 2 * len(value) + sum(map(_quotes, value.values()))
    return sum(map(_quotes, value)) if isinstance(value, list) else 0


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Raises Invalid for a field that an object names twice."""
    names = {name for name, _ in pairs}
    if len(names) < len(pairs):
        given = [name for name, _ in pairs]
        twice = sorted(name for name in names if given.count(name) > 1)
        raise Invalid(*(FieldError(name, "invalid_value", "is given twice") for name in twice))


def query(raw: bytes, kind: type[T]) -> T:
    """The query string as `kind`. A field whose type is a list may be repeated. Raises Invalid."""
    repeatable = _repeatable(kind)
    if not raw and not repeatable:
        return kind()
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=200)
    except (UnicodeDecodeError, ValueError):
        raise Invalid(FieldError("query", "invalid_value", "is not a query string in UTF-8")) from None
    for name, value in pairs:
        if name not in repeatable:
            errors.append(FieldError(name, "unknown_field", "is not a parameter of this call"))
        elif "\x00" in value:
            errors.append(FieldError(name, "invalid_value", "must not contain NUL"))
        elif repeatable[name]:
            values.setdefault(name, []).append(value)
        elif name in values:
            errors.append(FieldError(name, "invalid_value", "is given twice"))
        else:
            values[name] = value
    if not errors:
        try:
            return msgspec.convert(values, kind, strict=False, dec_hook=decoded)
        except msgspec.ValidationError:
            pass
    errors += field_faults(values, kind, strict=False, hook=decoded)
    raise Invalid(*(errors or [FieldError("query", "invalid_value", "cannot be accepted")]))


@cache
def _repeatable(kind: type[msgspec.Struct]) -> Mapping[str, bool]:
    """The parameters of a call, and whether each may be repeated. Once per kind: looking a Struct's fields up
    costs more than all the rest of decoding a query."""
    fields = msgspec.structs.fields(kind)
    return MappingProxyType({field.encode_name: "list" in str(field.type) for field in fields})


def fingerprint(method: str, target: str, if_match: str, plain: Any) -> bytes:
    """What makes two requests with one key the same: method, path and query, If-Match, the body's values."""
    canonical = b"" if plain is None else msgspec.json.encode(plain, order="sorted")
    return hashlib.sha256(f"{method}\x1f{target}\x1f{if_match}\x1f".encode() + canonical).digest()


def _check_shape(raw: bytes, nesting_max: int) -> None:
    """Refuses what a decoder would accept and storage would not: NUL in strings, absurd nesting."""
    if raw.count(b"[") + raw.count(b"{") > nesting_max and _depth(raw) > nesting_max:
        raise Invalid(FieldError("body", "invalid_value", f"is nested deeper than {nesting_max}"))
    if b"\\u0000" in raw and _holds_nul(_parsed(raw)):
        raise Invalid(FieldError("body", "invalid_value", "must not contain NUL"))


def _depth(raw: bytes) -> int:
    """How deeply brackets nest, strings left out."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in raw:
        if in_string:
            escaped, in_string = byte == 0x5C and not escaped, byte != 0x22 or escaped
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(_holds_nul(item) for item in value)


def _parsed(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Invalid(FieldError("body", "invalid_json", "is not JSON in UTF-8")) from None


def _every_error(raw: bytes, kind: type) -> Invalid:
    value = _parsed(raw)
    if not isinstance(value, dict):
        return Invalid(FieldError("body", "invalid_value", "must be a JSON object"))
    errors = field_faults(value, kind, strict=True, hook=decoded)
    return Invalid(*(errors or [FieldError("body", "invalid_value", "cannot be accepted")]))

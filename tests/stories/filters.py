"""The part of jq's language that a story shows answers with: paths, pipes, objects, arrays and `length`."""

import json
import re
from collections.abc import Iterator
from typing import Any

# Words of the language itself: older versions of jq do not take them as the short form of a field.
_RESERVED = frozenset({"and", "as", "def", "elif", "else", "end", "if", "or", "reduce", "then", "try"})
_TOKEN = re.compile(r"\s*(\.[A-Za-z_]\w*|\[\d+\]|\[\]|[.\[\]{}|,:]|[A-Za-z_]\w*)")


def compact(value: Any) -> str:
    """As `jq -c` prints it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def applied(text: str, document: Any) -> list[Any]:
    """What the filter gives for a document, one by one. Raises ValueError for what is not understood."""
    parser = _Parser(text)
    found = list(parser.pipe([document]))
    if parser.tokens:
        raise ValueError(f"{text}: {parser.tokens[0]!r} is not understood")
    return found


class _Parser:
    """Evaluates while it reads: a story's filters are short."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                raise ValueError(f"{text}: {text[at:]!r} is not understood")
            self.tokens.append(found[1])
            at = found.end()

    def next(self, *expected: str) -> str:
        token = self.tokens.pop(0) if self.tokens else "the end"
        if expected and token not in expected:
            raise ValueError(f"{' or '.join(expected)} is expected, not {token}")
        return token

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def pipe(self, given: list[Any]) -> list[Any]:
        found = self.term(given)
        while self.peek() == "|":
            self.next()
            found = self.term(found)
        return found

    def term(self, given: list[Any]) -> list[Any]:
        token = self.peek()
        if token == "{":
            return self._each(given, _Parser.object)
        if token == "[":
            return self._each(given, _Parser.array)
        if token == "length":
            self.next()
            return [len(each) for each in given]
        return self.path(given)

    def _each(self, given: list[Any], one: Any) -> list[Any]:
        """The same tokens, read again for each value."""
        before, after, found = list(self.tokens), self.tokens, []
        for value in given or [None]:
            self.tokens = list(before)
            made = one(self, value)
            after = self.tokens
            if given:
                found.append(made)
        self.tokens = after
        return found

    def object(self, value: Any) -> dict[str, Any]:
        self.next("{")
        made: dict[str, Any] = {}
        while True:
            name = self.next()
            if self.peek() == ":":
                self.next()
                (made[name],) = self.pipe([value])
            elif name in _RESERVED:
                raise ValueError(f"jq wants {name}: .{name}")
            else:
                (made[name],) = _fields([value], name)
            if self.next(",", "}") == "}":
                return made

    def array(self, value: Any) -> list[Any]:
        self.next("[")
        found = self.pipe([value])
        self.next("]")
        return found

    def path(self, given: list[Any]) -> list[Any]:
        if not self.peek().startswith("."):
            raise ValueError(f"a path begins with a dot, not with {self.next()}")
        if self.peek() == ".":
            self.next()
        found = given
        while re.match(r"\.\w|\[\d*\]", self.peek()):
            token = self.next()
            if token == "[]":
                found = [each for value in found for each in value]
            elif token[0] == "[":
                found = [value[int(token[1:-1])] for value in found]
            else:
                found = list(_fields(found, token[1:]))
        return found


def _fields(given: list[Any], name: str) -> Iterator[Any]:
    """As in jq, what is not there is null."""
    for value in given:
        yield None if value is None else value.get(name)

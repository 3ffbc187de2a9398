"""SQL statements by name, from `sql/`. Nothing here executes; nothing elsewhere spells SQL."""

import re
from functools import cache
from importlib.resources import files

_BLANK = re.compile(r"\{([a-z_]+)\}")


@cache
def statement(name: str) -> str:
    """The text of `sql/queries/<name>.sql`. Raises FileNotFoundError."""
    return (files("holdfast") / "sql" / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def filled(name: str, **values: str | None) -> str:
    """The statement with each `{blank}` filled by a literal, for the few that travel without parameters because
    several statements go in one round trip."""
    return _BLANK.sub(lambda blank: literal(values[blank[1]]), statement(name))


def literal(value: str | None) -> str:
    """A value as an SQL string literal.

    Right only with standard_conforming_strings on, PostgreSQL's default, and for text without NUL.
    """
    if value is None:
        return "null"
    if "\x00" in value:
        raise ValueError("NUL in a literal")
    return "'" + value.replace("'", "''") + "'"

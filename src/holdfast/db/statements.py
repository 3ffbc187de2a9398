"""SQL statements by name, from `sql/`. Nothing here executes; nothing elsewhere spells SQL."""

from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=None)
def statement(name: str) -> str:
    """The text of `sql/queries/<name>.sql`. Raises FileNotFoundError."""
    return (files("holdfast") / "sql" / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def literal(value: str | None) -> str:
    """A value as an SQL string literal, for the few statements that travel without parameters.

    Right only with standard_conforming_strings on (which `db/database.py` demands) and for text without NUL.
    """
    if value is None:
        return "null"
    if "\x00" in value:
        raise ValueError("NUL in a literal")
    return "'" + value.replace("'", "''") + "'"

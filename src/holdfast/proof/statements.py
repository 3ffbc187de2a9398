"""The proof's own SQL, from `proof/sql/`: what an administrator would run beside the product. Executes nothing."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("sql")


def script(name: str) -> Path:
    """A file for a program that reads files, such as pgbench."""
    return _FOLDER / f"{name}.sql"


@cache
def statement(name: str) -> str:
    """The text of `proof/sql/<name>.sql`. Raises FileNotFoundError."""
    return script(name).read_text(encoding="utf-8")

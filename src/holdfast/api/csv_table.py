"""A table as CSV (RFC 4180), safe to open in a spreadsheet: an apostrophe stands before what a spreadsheet would take
for a formula (OWASP, CSV Injection), at the beginning of a cell and after a semicolon or a tab, where many a spreadsheet
begins another cell.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

MEDIA_TYPE: Final = "text/csv"
# The last four signs are the wide forms, which some spreadsheets take for the others.
_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_SIGN: Final = re.compile(f"[{_SIGNS}]")
_FORMULA: Final = re.compile(f"((?:^|[;\t\r\n]) *)(?=[{_SIGNS}])")
_BLANKS: Final = ("\t", "\r", "\n")


def table(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    """The named members of each row, under their names. Nothing is written for null; a list's members are separated by
    spaces."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    written = " ".join(value) if isinstance(value, list) else str(value)
    if not _SIGN.search(written) and not written.startswith(_BLANKS):
        return written  # most cells: looking for a sign is much cheaper
    guarded = _FORMULA.sub(r"\1'", written)
    return f"'{guarded}" if guarded.startswith(_BLANKS) else guarded


def is_wanted(accept: str) -> bool:
    """Whether an Accept header names CSV, and wishes for JSON no more than for it; `*/*` names nothing."""
    wishes = dict(_wish(each) for each in reversed(accept.split(",")))
    mine = wishes.get(MEDIA_TYPE, 0.0)
    return mine > 0 and mine >= wishes.get("application/json", 0.0)


def _wish(text: str) -> tuple[str, float]:
    """A media type and how much it is wished for (RFC 9110, 12.5.1); what cannot be read is not wished for."""
    media_type, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return media_type, float(quality)
    except ValueError:
        return media_type, 0.0

"""The ledger: which entries explain how the units of a visit's lines became others, and what an entry, of a visit or by
hand, does to its authorization's counters. Decides nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple

from holdfast.rules.facts import Authorization, Line, Visit


class Entry(NamedTuple):
    """`units` are positive; of an adjustment what is used more, or less when negative. One by hand is of no line."""

    line_no: int | None
    kind: str
    authorization_id: str | None
    units: int

    @property
    def is_manual(self) -> bool:
        return self.line_no is None


def entries(before: Visit | None, after: Visit) -> list[Entry]:
    """What happens between two states of a visit: what gives units back comes first, so that the sum is within the total
    after each. Entries without an authorization or units are none."""
    if before is None:
        return [
            Entry(line.line_no, "reserve", *_promised(line))
            for line in after.lines
            if line.authorization_id is not None and line.units_reserved
        ]
    old = {line.line_no: line for line in before.lines}
    stays = {
        line.line_no
        for line in after.lines
        if line.units_used is not None
        or (line.line_no in old and _promised(line) == _promised(old[line.line_no]))
    }
    found = [
        *(Entry(n, "release", *_promised(line)) for n, line in old.items() if n not in stays),
        *sorted(_used(old, after), key=lambda entry: entry.units > 0),
        *(
            Entry(line.line_no, "reserve", *_promised(line))
            for line in after.lines
            if line.line_no not in stays
        ),
    ]
    return [entry for entry in found if entry.authorization_id is not None and entry.units]


def enter(authorization: Authorization, entry: Entry) -> None:
    """Moves the counters by an entry, which makes a version of its own. What is consumed was reserved."""
    promised = 0 if entry.kind == "adjust" else entry.units if entry.kind == "reserve" else -entry.units
    authorization.scheduled_units += promised
    if entry.is_manual:
        authorization.manual_units += promised
    if entry.kind in ("consume", "adjust"):
        authorization.used_units += entry.units
    authorization.version += 1


def _used(old: dict[int, Line], after: Visit) -> Iterator[Entry]:
    """Of a line that is signed now: what it uses beyond what it held is reserved first, what it does not use is released.
    Of one that was signed before: what it uses more or less."""
    for line in after.lines:
        was = old.get(line.line_no)
        if line.units_used is None or was is None:
            continue
        if was.units_used is not None:
            yield Entry(line.line_no, "adjust", line.authorization_id, line.units_used - was.units_used)
            continue
        held, used = was.units_reserved, line.units_used
        yield Entry(line.line_no, "reserve", line.authorization_id, max(0, used - held))
        yield Entry(line.line_no, "consume", line.authorization_id, used)
        yield Entry(line.line_no, "release", line.authorization_id, max(0, held - used))


def _promised(line: Line) -> tuple[str | None, int]:
    return line.authorization_id, line.units_reserved

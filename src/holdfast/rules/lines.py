"""What a visit's lines take: whose time, from when until when. Services run side by side inside one visit, never between
two: the patient is claimed once per run of lines, however many give something to them (practice.md, Lines).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, groupby, pairwise
from typing import NamedTuple

from holdfast.rules.facts import Line, Visit
from holdfast.slot import MINUTE, Span, overlaps, union

TURNOVER_MINUTES_MAX = 120


class Taken(NamedTuple):
    """Time that a visit takes of somebody or of its room."""

    resource_id: str
    start: int
    end: int
    kind: str = "visit"


def busy_span(line: Line) -> Span:
    """The time that a line takes of its practitioner: travel before, buffer after."""
    return line.start - line.travel_before_minutes * MINUTE, line.end + line.buffer_minutes * MINUTE


def presence(visit: Visit) -> list[Span]:
    """When the patient is there: one span per run of lines that meet or overlap. Who is absent takes no time."""
    if len(visit.lines) == 1:  # nearly always
        return [(visit.start, visit.end)] if visit.lines[0].patient_present else []
    return union((line.start, line.end) for line in visit.lines if line.patient_present)


def caregivers(visit: Visit) -> dict[str, list[Span]]:
    """When each caregiver is there, likewise."""
    found: dict[str, list[Span]] = {}
    for line in visit.lines:
        if line.caregiver_id is not None:
            found.setdefault(line.caregiver_id, []).append((line.start, line.end))
    if not found:  # nearly always
        return {}
    return {caregiver: union(spans) for caregiver, spans in found.items()}


def taken(visit: Visit) -> list[Taken]:
    """Everything that a visit claims: of the patient and of caregivers where they are present, of each line's
    practitioner with travel and buffer, of the room, and the room's turnover as a claim of its own. Of a group the
    practitioner and the room are the group's, and its member claims a seat of it."""
    found = [Taken(visit.patient_id, *span) for span in presence(visit)]
    found += [Taken(who, *span) for who, spans in caregivers(visit).items() for span in spans]
    if visit.group_id is not None:
        return [*found, Taken(visit.group_id, visit.start, visit.end)]
    found += [Taken(line.practitioner_id, *busy_span(line)) for line in visit.lines]
    if visit.room_id is not None:
        found.append(Taken(visit.room_id, visit.start, visit.end))
        if visit.turnover_minutes:
            after = visit.end + visit.turnover_minutes * MINUTE
            found.append(Taken(visit.room_id, visit.end, after, "turnover"))
    return found


def by_practitioner(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """Each practitioner's lines, by start."""
    ordered = sorted(lines, key=lambda line: (line.practitioner_id, line.start, line.line_no))
    return {who: list(own) for who, own in groupby(ordered, key=lambda line: line.practitioner_id)}


def set_tails(lines: Sequence[Line], buffers: Mapping[str, int]) -> None:
    """Gives every line its practitioner's buffer (minutes), and cuts buffer and travel where the same practitioner goes on
    with another line: tails lie at the outer ends of a practitioner's work, not inside it."""
    for line in lines:
        line.buffer_minutes = buffers[line.practitioner_id]
    for own in by_practitioner(lines).values() if len(lines) > 1 else ():
        for before, after in pairwise(own):
            gap = max(0, after.start - before.end) // MINUTE
            before.buffer_minutes = min(before.buffer_minutes, gap)
            after.travel_before_minutes = min(after.travel_before_minutes, gap - before.buffer_minutes)


def doubled(lines: Iterable[Line]) -> set[str]:
    """The practitioners who would give two of the lines at once."""
    return {
        who
        for who, own in by_practitioner(lines).items()
        if any(overlaps((a.start, a.end), (b.start, b.end)) for a, b in combinations(own, 2))
    }

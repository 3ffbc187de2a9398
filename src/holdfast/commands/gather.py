"""Gather what a decision looks at: the directory from memory if it still holds, the rest from storage.

Inside a turn, or inside one reading snapshot, everything gathered is true at the same seq.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from holdfast.db.database import Connection
from holdfast.db.statements import statement
from holdfast.errors import NotFound
from holdfast.rules import caps
from holdfast.rules.facts import DatesOf, Directory, Facts, SpanOf, Visit
from holdfast.rules.timetable import Cell, Timetable, held_by, spans_of
from holdfast.slot import DAY, local_date

Spans = Callable[[Directory, dict[str, Visit], int], list[SpanOf]]
"""The time on resources that will be looked at, given the directory, the stored visits and holds, and the clock. Called
first with what is foreseen (no visits, clock 0), then with what was read."""

Dates = Callable[[Directory, dict[str, Visit], int], list[DatesOf]]
"""The local dates on which patients' units will be counted, beside those of the visits that are read; called as spans are."""

_REMEMBERED_MAX = 100_000
"""A directory forgets what was derived from it (hours of dates, suitable rooms) beyond this many entries."""


def nothing(*_known: object) -> list[Any]:
    """No time is looked at yet, and no units."""
    return []


@dataclass(slots=True)
class Need:
    spans: Spans = nothing
    visits: set[str] = field(default_factory=set)
    patients: set[str] = field(default_factory=set)
    authorizations: set[str] = field(default_factory=set)
    holds: set[str] = field(default_factory=set)
    caregivers: set[str] = field(default_factory=set)
    keys: list[tuple[str, str]] = field(default_factory=list)
    dates: Dates = nothing


@dataclass(slots=True)
class Gathered:
    facts: Facts
    directory: Directory
    timetable: Timetable


async def gather(
    connection: Connection,
    organization: str,
    name: str,
    need: Need,
    directory: Directory | None,
    timetable: Timetable,
    *,
    reads_around: bool = False,
) -> Gathered:
    """Reads by the statement `name` (facts, or facts_in_turn which takes the turn first).

    What can be foreseen from the directory in memory comes with the first read; what depends on stored visits, or
    on a directory that has changed, takes a second. `reads_around`: also what may be asked for soon, since it is kept.
    Raises NotFound if there is no such organization.
    """
    cells = timetable.missing(need.spans(directory, {}, 0)) if directory is not None else set()
    if reads_around and directory is not None:
        cells = timetable.missing(_around(directory, cells), is_asked=False)
    dates = _dates(need, directory, {}, 0) if directory is not None else set()
    facts = await _read(connection, organization, name, need, need.patients, cells, dates)
    is_held = timetable.holds_at(facts.seq)
    if not is_held:
        timetable = Timetable(facts.seq, facts.holds or ())
    timetable.fill(cells, facts.claims or ())
    visits = {visit.id: visit for visit in facts.appointments or ()}
    visits |= {hold.id: hold for hold in facts.holds or () if hold.id in need.holds}
    expired = timetable.expired(facts.now)
    foreseen = directory is not None and directory.seq == facts.directory_seq and is_held
    if directory is None or directory.seq != facts.directory_seq:
        directory = Directory.decode(await connection.fetchval(statement("directory"), organization))
    if len(directory.remembered) > _REMEMBERED_MAX:
        directory.remembered.clear()
    if foreseen and not visits and not expired:
        return Gathered(facts, directory, timetable)
    given_back = [(resource, claim.start, claim.end) for hold in expired for resource, claim in held_by(hold)]
    cells = timetable.missing([*need.spans(directory, visits, facts.now), *given_back])
    others = {visit.patient_id for visit in visits.values()} - need.patients
    dates = _dates(need, directory, visits, facts.now) - dates
    if cells or others or dates:
        more = await _read(connection, organization, "facts", Need(), others, cells, dates)
        if more.seq != facts.seq:  # not one snapshot: nothing that was gathered may be remembered
            return Gathered(facts, directory, Timetable(-1))
        timetable.fill(cells, more.claims or ())
        facts.patients = [*(facts.patients or ()), *(more.patients or ())]
        facts.authorizations = [*(facts.authorizations or ()), *(more.authorizations or ())]
        facts.counts = [*(facts.counts or ()), *(more.counts or ())]
        facts.counted_dates += more.counted_dates
    return Gathered(facts, directory, timetable)


def _dates(need: Need, directory: Directory, visits: dict[str, Visit], now: int) -> set[DatesOf]:
    """Every date whose count may be asked for or change: of what is looked at, and of visits that have an authorization or lack one."""
    found = need.dates(directory, visits, now)
    for visit in visits.values():
        if any(line.authorization_id or line.unfunded_units for line in visit.lines):
            on = local_date(visit.start, directory.clinics[visit.clinic_id].time_zone)
            found.append((visit.patient_id, on, on))
    return {caps.around(each) for each in found}


def _joined(dates: set[DatesOf]) -> list[DatesOf]:
    """The same dates, none twice."""
    found: list[DatesOf] = []
    for patient_id, first, last in sorted(dates):
        if found and found[-1][0] == patient_id and first <= found[-1][2]:
            found[-1] = (patient_id, found[-1][1], max(last, found[-1][2]))
        else:
            found.append((patient_id, first, last))
    return found


def _around(directory: Directory, cells: set[Cell]) -> set[SpanOf]:
    """The weeks in which the cells lie: few of a room, which has many visits; many of a patient, who has few."""
    spans = set()
    for resource, day in cells:
        days = 7 if resource in directory.rooms else 28 if resource in directory.practitioners else 182
        first = day - day % days
        spans.add((resource, first * DAY, (first + days) * DAY))
    return spans


async def _read(
    connection: Connection,
    organization: str,
    name: str,
    need: Need,
    patients: Iterable[str],
    cells: set[Cell],
    dates: set[DatesOf],
) -> Facts:
    spans, counted = spans_of(cells), _joined(dates)
    document = await connection.fetchval(
        statement(name), organization, list(need.visits), list(patients), list(need.authorizations),
        list(need.holds), list(need.caregivers), [user for user, _ in need.keys],
        [key for _, key in need.keys], [patient for patient, _, _ in counted], [first for _, first, _ in counted],
        [last for _, _, last in counted], [resource for resource, _, _ in spans],
        [start for _, start, _ in spans], [end for _, _, end in spans],
    )  # fmt: skip
    if document is None:
        raise NotFound("organization_id")
    facts = Facts.decode(document)
    facts.counted_dates = list(dates)
    return facts

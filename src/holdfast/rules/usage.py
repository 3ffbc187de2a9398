"""What signed lines use of their authorizations, and what stays unfunded. Decides on a patient's day as a whole, since what
one line counts depends on the others.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from holdfast.rules.facts import Authorization, Directory, Line, Patient, Payer, Visit
from holdfast.rules.rounding import Given, rounded
from holdfast.rules.units import fault, ranked


def use(
    directory: Directory,
    patient: Patient,
    authorizations: Mapping[str, Authorization],
    left: dict[str, int],
    on: date,
    visit: Visit,
    others: Iterable[Visit],
    signing: Iterable[Line],
) -> None:
    """Gives the lines of the visit that are being signed their units, and those that were signed before what they count now.

    `others`: the rest of the patient's local day `on` that has a signed line. Of these only what is counted by day is looked
    at. All are changed in place; their minutes are fixed. `left`: units that each authorization still has beside what is reserved; kept. What is
    reserved is used whatever has become of its authorization; more of it only while it covers the day. What nobody has
    approved is `unfunded_units` of the line.
    """
    lines = [(each, line) for each in (visit, *others) for line in each.lines]
    due = _due(directory, patient, authorizations, on, visit, lines)
    new = {id(line) for line in signing}
    counted = [
        (line, due.get(id(line), 0))
        for each, line in lines
        if id(line) in new or (line.line_status == "signed" and (each is visit or id(line) in due))
    ]
    # What gives units back comes first.
    for line, units in sorted(counted, key=lambda each: _more(*each)):
        spare = _spare(directory, authorizations, left, line, on)
        before = (line.units_used or 0) + line.units_reserved
        if line.units_used is None:
            _sign(line, units, spare)
        else:
            _adjust(line, units, spare)
        if line.authorization_id is not None:
            left[line.authorization_id] += before - (line.units_used or 0)


def why_unfunded(
    directory: Directory, authorizations: Mapping[str, Authorization], line: Line, on: date
) -> str | None:
    """The code of the reason for which units of a signed line are unfunded; None if none are."""
    if not line.unfunded_units:
        return None
    if line.authorization_id is None:
        return "authorization_missing"
    service = directory.services[line.service_id]
    reason = fault(authorizations[line.authorization_id], service, on, line.unfunded_units)
    return "insufficient_units" if reason is None else reason.code


def _due(
    directory: Directory,
    patient: Patient,
    authorizations: Mapping[str, Authorization],
    on: date,
    visit: Visit,
    lines: Iterable[tuple[Visit, Line]],
) -> dict[int, int]:
    """The units of each line that somebody pays for, as its payer counts them; by the line's identity. Of other visits only
    what is counted by day: the rest stays as it was signed, whatever the payer's rules have become."""
    by_payer: dict[str, list[tuple[Line, Given]]] = {}
    for each, line in lines:
        payer = _payer(directory, patient, authorizations, line, on)
        service = directory.services[line.service_id]
        if payer is None or line.minutes_actual is None:
            continue
        if each is visit or "day" in (payer.rounding_scope, service.unit_basis):
            given = Given(
                each.id, line.line_no, line.start, service.code, service.unit_basis, service.unit_minutes,
                line.minutes_actual,
            )  # fmt: skip
            by_payer.setdefault(payer.id, []).append((line, given))
    due: dict[int, int] = {}
    for payer_id, found in by_payer.items():
        payer = directory.payers[payer_id]
        units = rounded([given for _, given in found], payer.rounding, payer.rounding_scope)
        due |= {id(line): each for (line, _), each in zip(found, units, strict=True)}
    return due


def _payer(
    directory: Directory,
    patient: Patient,
    authorizations: Mapping[str, Authorization],
    line: Line,
    on: date,
) -> Payer | None:
    """Who pays for a line: its authorization's payer. For one that waits for an authorization, who is asked first that day."""
    if not line.billable:
        return None
    if line.authorization_id is not None:
        return directory.payers[authorizations[line.authorization_id].payer_id]
    ranks = ranked(patient.constraints.coverages, on) if line.funding is not None else {}
    return directory.payers[min(ranks, key=lambda payer: (ranks[payer], payer))] if ranks else None


def _more(line: Line, units: int) -> tuple[bool, bool]:
    """Sorts lines that count less than before first, then those that are signed now, then those that count more."""
    is_new = line.units_used is None
    return not is_new and units > _counted(line), is_new


def _counted(line: Line) -> int:
    return (line.units_used or 0) + line.unfunded_units


def _spare(
    directory: Directory,
    authorizations: Mapping[str, Authorization],
    left: Mapping[str, int],
    line: Line,
    on: date,
) -> int:
    """The units that a line may use beyond what is reserved for it."""
    if line.authorization_id is None:
        return 0
    authorization, service = authorizations[line.authorization_id], directory.services[line.service_id]
    return left[authorization.id] if fault(authorization, service, on, 0) is None else 0


def _sign(line: Line, units: int, spare: int) -> None:
    line.line_status = "signed"
    line.units_used = min(units, line.units_reserved + spare)
    line.unfunded_units = units - line.units_used
    line.units_reserved = 0
    _fund(line)


def _fund(line: Line) -> None:
    """Says whether units of a line that has an authorization are unfunded; one without goes on waiting."""
    if line.unfunded_units:
        line.funding = "unfunded"
    elif line.authorization_id is not None and line.funding == "unfunded":
        line.funding = None


def _adjust(line: Line, units: int, spare: int) -> None:
    """What counts less is first what nobody had approved; what counts more is used as far as there is some left."""
    more, used = units - _counted(line), line.units_used or 0
    if more > 0:
        line.units_used = used + min(more, spare)
    else:
        line.units_used = used + min(0, more + line.unfunded_units)
    line.unfunded_units = units - line.units_used
    _fund(line)

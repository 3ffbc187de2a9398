"""What an absence does with time that somebody gives back inside it."""

from holdfast.rules import hours
from holdfast.rules.facts import Closure, Directory
from holdfast.rules.timetable import Claim, Timetable
from holdfast.slot import subtract


def filled(directory: Directory, timetable: Timetable, resource: str, freed: Claim) -> list[Claim]:
    """The claims that closures and time off make on the seat of a claim that has gone: all of its time that lies inside
    them and that nobody has taken since. The timetable must be without the claim."""
    span = (freed.start, freed.end)
    room = directory.rooms.get(resource)
    absences = hours.absences(directory, resource, span)
    if room is not None:
        absences += hours.absences(directory, room.clinic_id, span)
    taken = (
        [(c.start, c.end) for c in timetable.overlapping(resource, *span) if c.seat == freed.seat]
        if absences
        else []
    )
    found = []
    for absence in absences:
        inside = (max(freed.start, absence.start), min(freed.end, absence.end))
        kind = "closure" if isinstance(absence, Closure) else "time_off"
        for start, end in subtract([inside], taken):
            found.append(Claim(start, end, freed.seat, kind, absence.id))
            taken.append((start, end))
    return found

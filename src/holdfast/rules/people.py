"""What a patient's own wishes and needs say about a visit: with whom it may not be, when it should be, and what whoever
books is told of. Only an exclusion is a reason against a visit; the rest is advice.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

import msgspec

from holdfast.errors import Reason
from holdfast.rules.facts import Clinic, Directory, Patient, Practitioner, Visit
from holdfast.slot import Span, contains, dates_touched, union, wall

OUTSIDE: Final = Reason(
    "outside_patient_availability", "The visit lies outside the times at which the patient can come."
)


class Notice(msgspec.Struct, frozen=True):
    """Something to know about a visit that stands all the same: a stable code and a sentence."""

    code: str
    detail: str


def excluded(patient: Patient, practitioner_ids: Iterable[str]) -> list[str]:
    """Those of the practitioners whom this patient may not be with."""
    return [each for each in practitioner_ids if each in patient.constraints.excluded]


def windows(
    patient: Patient | None, clinic: Clinic, visit: Visit, dates: Sequence[date]
) -> list[Span] | None:
    """When the patient can come on some local dates of a clinic, as disjoint spans in order; None: at any time, as
    when the visit goes on without them."""
    if patient is None or not patient.constraints.availability:
        return None
    if not any(line.patient_present for line in visit.lines):
        return None
    return union(
        (wall(on, starts, clinic.time_zone), wall(on, ends, clinic.time_zone, ends=True))
        for on in dates
        for weekday, starts, ends in patient.constraints.availability
        if weekday == on.weekday()
    )


def can_come(patient: Patient | None, clinic: Clinic, visit: Visit) -> bool:
    """Whether all of the visit lies where the patient can come (which may go on over midnight)."""
    span = (visit.start, visit.end)
    free = windows(patient, clinic, visit, dates_touched(span, clinic.time_zone))
    return free is None or contains(free, span)


def notices(directory: Directory, patient: Patient, visit: Visit) -> list[Notice]:
    """What whoever booked or moved the visit is told, in this order."""
    if patient.stored_constraints is None and patient.language is None and not patient.needs_interpreter:
        return []
    found = []
    if not can_come(patient, directory.clinics[visit.clinic_id], visit):
        found.append(Notice(OUTSIDE.code, OUTSIDE.detail))
    practitioners = [directory.practitioners[line.practitioner_id] for line in visit.lines]
    found += _language(patient, practitioners)
    preferred = patient.constraints.preferred
    if preferred and not any(each.id in preferred for each in practitioners):
        found.append(
            Notice("not_preferred_practitioner", "The patient would rather be with another practitioner.")
        )
    return found


def _language(patient: Patient, practitioners: Sequence[Practitioner]) -> list[Notice]:
    """A practitioner whose languages nobody has recorded may speak any."""
    spoken = _base(patient.language or "")
    if spoken and any(spoken in map(_base, each.languages) for each in practitioners):
        return []
    found = []
    if patient.needs_interpreter:
        told = f" ({patient.language})" if patient.language else ""
        found.append(Notice("interpreter_needed", f"The patient needs an interpreter{told}."))
    if spoken and all(each.languages for each in practitioners):
        names = " and ".join(dict.fromkeys(each.name for each in practitioners))
        found.append(Notice("language_differs", f"The patient speaks {patient.language}; {names} not."))
    return found


def _base(language: str) -> str:
    """The language of a tag without its region or script."""
    return language.partition("-")[0].lower()

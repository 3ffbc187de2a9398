"""What a lane remembers from batch to batch: the directory, claims, patients and their authorizations, all as its own
batches have left them. It is never assumed to be true: whatever is decided on it is written only if the organization's
sequence is where this process left it, and every writer moves the sequence.
"""

import time

import msgspec

from holdfast.commands.counts_kept import Key
from holdfast.commands.desk import Desk
from holdfast.commands.gather import Need
from holdfast.rules import caps
from holdfast.rules.facts import Authorization, DatesOf, Directory, Facts, Patient, StoredCount
from holdfast.rules.policy.policy import in_force
from holdfast.rules.timetable import Timetable

_CLAIMS_MAX = 140_000
_PEOPLE_MAX = 20_000
"""So many claims and people or authorizations (about 24 and 20 MB) are remembered at most. Then those days are forgotten
that nobody has asked for since half as many were; everything, if that leaves too many, or if there are so many people."""
_CLAIMS_LEFT_MAX = 105_000
"""If more are left after forgetting, it would soon have to be done again."""
_CLOCK_SECONDS_MAX = 60.0
"""The database's clock is asked again after that time."""


class Memory:
    def __init__(self, timetable: Timetable | None = None) -> None:
        self.timetable = Timetable(-1) if timetable is None else timetable
        self.directory: Directory | None = None
        self._patients: dict[str, Patient] = {}
        self._authorizations: dict[str, dict[str, Authorization]] = {}
        """By patient; complete for those who are remembered."""

        self._patient_of: dict[str, str] = {}
        self._counts: dict[str, dict[Key, int]] = {}
        """By patient; all of the dates in `_counted_dates`."""

        self._counted_dates: set[DatesOf] = set()
        self._is_half_full = self._is_crowded = False
        self._now = 0
        self._heard = -_CLOCK_SECONDS_MAX

    @property
    def is_roomy(self) -> bool:
        """Whether more may be remembered than is asked for."""
        return self.timetable.held <= _CLAIMS_MAX // 2

    def make_room(self) -> bool:
        """Whether it knows anything and has room for more, if need be by forgetting what is asked for least. Not while something
        is decided on it."""
        held = self.timetable.held
        if held > _CLAIMS_MAX:
            self.timetable.forget_unasked()
            self._is_crowded = self.timetable.held > _CLAIMS_LEFT_MAX
        elif held > _CLAIMS_MAX // 2 and not self._is_half_full:
            self._is_half_full = True
            self.timetable.begin_asking()
        people = max(
            self.timetable.resources, len(self._patients), len(self._patient_of), len(self._counted_dates)
        )
        return self.directory is not None and people <= _PEOPLE_MAX and not self._is_crowded

    def take(self, facts: Facts, desk: Desk) -> None:
        """Takes in what was read, as the desk leaves it."""
        if not facts.is_remembered:
            self._now, self._heard = facts.now, time.monotonic()
            self._patients |= {patient.id: patient for patient in facts.patients or ()}
        for each in desk.authorizations:
            self._patient_of[each.id] = each.patient_id
            self._authorizations.setdefault(each.patient_id, {})[each.id] = msgspec.structs.replace(each)
        self._counted_dates |= desk.counts.dates
        for key, units in desk.counts.known.items():
            self._counts.setdefault(key[0], {})[key] = units

    def facts(self, need: Need) -> Facts | None:
        """What deciding needs, if all of it is remembered; stored answers of keys never are."""
        clock = time.monotonic() - self._heard
        if self.directory is None or need.visits or need.holds or need.caregivers:
            return None
        if need.patients and in_force(self.directory).asks_history:  # their visits change with every booking
            return None
        now = self._now + int(clock)
        if clock > _CLOCK_SECONDS_MAX or self.timetable.expired(now):
            return None
        if not (need.patients <= self._patients.keys() and need.authorizations <= self._patient_of.keys()):
            return None
        dates = {caps.around(each) for each in need.dates(self.directory, {}, 0)}
        if not dates <= self._counted_dates or self.timetable.missing(need.spans(self.directory, {}, 0)):
            return None
        whose = need.patients | {self._patient_of[each] for each in need.authorizations}
        return Facts(
            seq=self.timetable.seq,
            directory_seq=self.directory.seq,
            now=now,
            is_remembered=True,
            patients=[self._patients[each] for each in need.patients],
            authorizations=[
                msgspec.structs.replace(each)
                for patient in whose
                for each in self._authorizations.get(patient, {}).values()
            ],
            counts=[
                StoredCount(*key, units)
                for patient in {patient for patient, _, _ in dates}
                for key, units in self._counts.get(patient, {}).items()
            ],
            counted_dates=list(dates),
        )

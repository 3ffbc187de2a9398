"""What a draft of rules would do to days that are booked: their visits leave their rooms and are given rooms again in the
order in which they were made, once by the rules in force and once by the draft. Everything else keeps its time. A room that
somebody chose is asked for again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from holdfast.rules import rooms
from holdfast.rules.assess import question_about
from holdfast.rules.facts import Directory, Patient, Room, Visit
from holdfast.rules.lines import taken
from holdfast.rules.policy.policy import in_force
from holdfast.rules.policy.program import Against
from holdfast.rules.policy.question import Question
from holdfast.rules.rooms import Account, RoomChoice, RoomRefusal
from holdfast.rules.timetable import Claim, Timetable


class Outcome(NamedTuple):
    """What becomes of a visit. None: no room. `against`: the hard rules of the draft that the visit breaks whatever its
    room, and did not break before; `reasons`: why the room is another."""

    visit: Visit
    before: RoomChoice | None
    after: RoomChoice | None
    against: Sequence[Against]
    reasons: Sequence[str]

    @property
    def is_moved(self) -> bool:
        return _room_id(self.before) != _room_id(self.after)


def dry_run(
    directory: Directory,
    draft: Directory,
    timetable: Timetable,
    visits: Iterable[Visit],
    patients: Mapping[str, Patient],
) -> list[Outcome]:
    """Every visit's outcome, in the order in which they were made. `draft` is the directory with the draft in force; the
    timetable is left without the visits."""
    ordered = sorted(visits, key=lambda each: (each.created_at, each.id))
    for visit in ordered:
        for each in taken(visit):
            for claim in timetable.owned(each.resource_id, each.start, each.end, visit.id):
                timetable.remove(each.resource_id, claim)
    as_it_is = _Pass(directory, timetable, patients, ordered)
    before = [as_it_is.give(visit) for visit in ordered]
    as_it_is.undo()
    as_drafted = _Pass(draft, timetable, patients, ordered)
    outcomes = []
    for visit, old in zip(ordered, before, strict=True):
        new = as_drafted.give(visit, old)
        against = [each for each in new.against if each not in old.against]
        outcomes.append(Outcome(visit, old.choice, new.choice, against, new.reasons))
    as_drafted.undo()
    return outcomes


class _Given(NamedTuple):
    choice: RoomChoice | None
    against: Sequence[Against]
    reasons: Sequence[str] = ()


class _Pass:
    """Gives rooms by one set of rules. A visit sees those that were given before it, as when it was booked."""

    def __init__(
        self,
        directory: Directory,
        timetable: Timetable,
        patients: Mapping[str, Patient],
        visits: Iterable[Visit],
    ) -> None:
        self._directory = directory
        self._timetable = timetable
        self._patients = patients
        self._to_come = {visit.id for visit in visits}
        self._rooms: dict[str, str | None] = {}
        self._done: list[tuple[str, Claim, bool]] = []

    def give(self, visit: Visit, before: _Given | None = None) -> _Given:
        """With `before`, why the room is another than it was then."""
        directory, timetable = self._directory, self._timetable
        patient = self._patient(visit.patient_id)
        question = question_about(
            directory, directory.clinics[visit.clinic_id], patient, visit, visit.created_at
        )
        among = directory.rooms_of[visit.clinic_id]
        if visit.method == "manual" and visit.room_id is not None:
            among = (directory.rooms[visit.room_id],)
        against = in_force(directory).program(question).against(question, timetable)
        found = rooms.choose(directory, timetable, among, question)
        choice = found if isinstance(found, RoomChoice) else None
        reasons: Sequence[str] = ()
        if before is not None and _room_id(before.choice) != _room_id(choice):
            reasons = self._why(among, question, before.choice, choice)
        self._put(visit, choice)
        return _Given(choice, against, reasons)

    def undo(self) -> None:
        """Leaves the timetable as it was found."""
        for resource, claim, is_added in reversed(self._done):
            (self._timetable.remove if is_added else self._timetable.add)(resource, claim)

    def _patient(self, patient_id: str) -> Patient:
        """The patient, whose earlier visits were in the rooms that they are given here."""
        patient = self._patients[patient_id]
        if not patient.past:
            return patient
        past = tuple(
            each._replace(room_id=self._rooms.get(each.id, each.room_id))
            for each in patient.past
            if each.id not in self._to_come
        )
        return msgspec.structs.replace(patient, past=past)

    def _put(self, visit: Visit, choice: RoomChoice | None) -> None:
        self._to_come.discard(visit.id)
        self._rooms[visit.id] = _room_id(choice)
        seat, turnover_minutes = 0, 0
        if choice is not None:
            seat, turnover_minutes = choice.seating.seat, choice.turnover_minutes
            for claim, _ in choice.seating.moved:
                self._change(choice.room.id, claim, is_added=False)
            for claim, seat_new in choice.seating.moved:
                self._change(choice.room.id, claim._replace(seat=seat_new), is_added=True)
        placed = msgspec.structs.replace(visit, room_id=_room_id(choice), turnover_minutes=turnover_minutes)
        for who, start, end, kind in taken(placed):
            claim = Claim(start, end, seat if who == placed.room_id else 0, kind, visit.id)
            self._change(who, claim, is_added=True)

    def _change(self, resource: str, claim: Claim, *, is_added: bool) -> None:
        (self._timetable.add if is_added else self._timetable.remove)(resource, claim)
        self._done.append((resource, claim, is_added))

    def _why(
        self,
        among: tuple[Room, ...],
        question: Question,
        before: RoomChoice | None,
        after: RoomChoice | None,
    ) -> list[str]:
        """Why the room before is refused now; otherwise what the rules say of it and of the new one."""
        told = rooms.account(self._directory, self._timetable, among, question)
        concerned = [each.room for each in (before, after) if each is not None]
        refused = [
            _sentence(room, refusal)
            for room in concerned
            for refusal in told.refused
            if refusal.room_id == room.id
        ]
        return refused or [each for room in concerned for each in _said(room, told)]


def _room_id(choice: RoomChoice | None) -> str | None:
    return None if choice is None else choice.room.id


def _sentence(room: Room, refusal: RoomRefusal) -> str:
    return f"Room {room.number} {refusal.reason}." if refusal.code == "rule_violation" else refusal.reason


def _said(room: Room, told: Account) -> list[str]:
    return [
        f"Room {room.number} {said.reason} ({said.rule}: {said.effect:+})."
        for free in told.free
        if free.suitable.room.id == room.id
        for said in (*free.suitable.said, *free.said)
    ]

"""The desk on which one batch is decided: facts plus what the batch has granted so far, and the rows to write.

Verbs (book, move, …) ask questions here and put visits down; nothing here awaits, and nothing is written until the
transaction sends the rows.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import msgspec

from holdfast.actor import Asked
from holdfast.commands import rows
from holdfast.commands.bodies import authorization_body, hold_body, visit_body
from holdfast.commands.claims_kept import ClaimsKept, HeldClaim
from holdfast.commands.counts_kept import CountsKept, Units
from holdfast.commands.ledger_kept import Entry, enter, entries
from holdfast.db.keeping import Keeping
from holdfast.db.written import (
    BookedVisit,
    ChangedAuthorization,
    ChangedVisit,
    EndedHold,
    GoneLine,
    LedgerEntry,
    NewHold,
    VisitLine,
)
from holdfast.errors import NotFound, Refused
from holdfast.rules.absences import filled
from holdfast.rules.assess import Verdict
from holdfast.rules.facts import (
    Authorization,
    Directory,
    Facts,
    Hold,
    Past,
    Patient,
    StoredClaim,
    Visit,
)
from holdfast.rules.lines import busy_span, taken
from holdfast.rules.policy.policy import in_force
from holdfast.rules.seats import Seating
from holdfast.rules.timetable import Claim, Timetable, held_by
from holdfast.settings import Settings
from holdfast.slot import DAY, MINUTE, local_date
from holdfast.states import WITHOUT_CLAIMS

View = Callable[[Visit, Directory, Asked, Patient | None], bytes]
"""How the caller sees a visit: its answer's bytes. The patient is given where the visit was booked or moved."""


class Desk:
    def __init__(
        self, settings: Settings, directory: Directory, timetable: Timetable, facts: Facts, keeping: Keeping
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.timetable = timetable
        self.keeping = keeping
        self.now = facts.now
        self._visits: dict[str, Visit] = {}
        self._patients: dict[str, Patient] = {}
        self._authorizations: dict[str, Authorization] = {}
        self._inherited: dict[str, Authorization] = {}
        self._asks_history = in_force(directory).asks_history
        self._pasts: dict[str, dict[str, Past | None]] = {}
        """What this batch makes of patients' visits, by patient and visit; None: keeps no time now."""
        self._pasts_before: dict[str, dict[str, Past | None]] = {}
        """What the batch before does, which may not be stored yet when this one's facts are read."""
        self._lifted: set[str] = set()
        self._together: frozenset[str] = frozenset()
        """The visits that change together now: their time and units are off the desk until each is put down anew."""
        self.rules_seconds: float | None = None  # of the first judging; 0 once it is counted
        self._named_holds: set[str] = set()
        self._caregivers: set[tuple[str, str]] = set()
        self.counts = CountsKept()
        self.learn(facts)
        self.claims = ClaimsKept()
        self.preceding: list[tuple[str, tuple[Any, ...]]] = []
        """Statements with their values that go before the write, in its turn: rows of which one is seldom made."""
        self.appointments_new: list[BookedVisit] = []
        self.appointments_changed: list[ChangedVisit] = []
        self.lines_new: list[VisitLine] = []
        self.lines_changed: list[VisitLine] = []
        self.lines_gone: list[GoneLine] = []
        self.holds_new: list[NewHold] = []
        self.holds_ended: list[EndedHold] = []
        self.entries_new: list[LedgerEntry] = []
        self.grounds: dict[str, str] = {}
        """What rooms were chosen on, by id: of every batch's visits, whether stored before or not."""

    # What is known

    def learn(self, facts: Facts) -> None:
        """Takes in more facts of the same state. What the desk has changed already stays as it has it."""
        self._visits |= {visit.id: visit for visit in facts.appointments or ()}
        self._patients |= {patient.id: patient for patient in facts.patients or ()}
        self._named_holds |= {hold.id for hold in facts.holds or ()}
        self._caregivers |= set(facts.caregivers or ())
        self.counts.learn(facts)
        for read in facts.authorizations or ():
            if read.id not in self._authorizations:
                authorization = self._inherited.get(read.id, read)
                authorization.version_read = authorization.version
                self._authorizations[read.id] = authorization

    def inherit(self, before: "Desk") -> None:
        """Puts the counters, and patients' visits, as the desk before leaves them over what was read while it was being
        written."""
        self._pasts_before = before._pasts  # noqa: SLF001 as below
        self.counts.inherit(before.counts)
        for each in before._authorizations.values():  # noqa: SLF001 a desk may look into another
            if each.version != each.version_read:
                kept = msgspec.structs.replace(each, version_read=each.version)
                self._inherited[each.id] = kept
                if each.id in self._authorizations:
                    self._authorizations[each.id] = kept

    def visit(self, asked: Asked, visit_id: str) -> Visit:
        """The stored visit that a request names, if the caller may change it and knows its version.

        Raises NotFound, Refused (forbidden, version_mismatch).
        """
        visit = self._visits.get(visit_id)
        if visit is None:
            raise NotFound("id")
        self.allow(asked, visit)
        if asked.if_match is not None and asked.if_match != visit.version:
            raise Refused(
                "version_mismatch", f"The visit is at version {visit.version}.", version=visit.version
            )
        return visit

    def allow(self, asked: Asked, visit: Visit) -> None:
        """Raises Refused (forbidden) if the caller writes own visits only and gives nothing in this one."""
        if asked.actor.reach("appointments.write") == "own" and all(
            line.practitioner_id != asked.actor.practitioner_id for line in visit.lines
        ):
            raise Refused("forbidden", "Only your own visits can be changed.")

    def allow_times(self, asked: Asked, before: Visit | None, visit: Visit) -> None:
        """Raises Refused (forbidden) if the caller disposes of own time only and another's changes."""
        if asked.actor.reach("appointments.write") == "own" and any(
            practitioner != asked.actor.practitioner_id
            for practitioner, _, _ in _times(before) ^ _times(visit)
        ):
            raise Refused("forbidden", "Only your own time can be planned.")

    def hold(self, asked: Asked, hold_id: str, field: str) -> Hold:
        """The hold that a request names as `field`, if it is open and the caller may dispose of it.

        Raises NotFound, Refused (hold_expired, forbidden).
        """
        hold = self.timetable.holds.get(hold_id)
        if hold is None and hold_id not in self._named_holds:
            raise NotFound(field)
        if hold is None or not hold.is_open(self.now):
            raise Refused("hold_expired", "The hold is over: it expired, was released, or was booked.")
        self.allow(asked, hold)
        return hold

    def is_caregiver(self, patient_id: str, contact_id: str) -> bool:
        return (patient_id, contact_id) in self._caregivers

    def stored(self, visit_id: str) -> Visit | None:
        """A stored visit that is only looked at."""
        return self._visits.get(visit_id)

    def has_authorization(self, authorization_id: str) -> bool:
        return authorization_id in self._authorizations

    def authorization(self, asked: Asked, authorization_id: str) -> Authorization:
        """The authorization that a request names and whose version the caller knows. Raises NotFound, Refused (version_mismatch)."""
        authorization = self._authorizations.get(authorization_id)
        if authorization is None:
            raise NotFound("id")
        if asked.if_match not in (None, authorization.version):
            raise Refused(
                "version_mismatch",
                f"This is version {authorization.version} by now.",
                version=authorization.version,
            )
        return authorization

    def patient(self, patient_id: str) -> Patient:
        """Raises NotFound."""
        patient = self._patients.get(patient_id)
        if patient is None:
            raise NotFound("patient_id")
        changed = self._pasts_before.get(patient_id, {}) | self._pasts.get(patient_id, {})
        if changed:
            past = {each.id: each for each in patient.past} | changed
            patient = msgspec.structs.replace(patient, past=tuple([each for each in past.values() if each]))
        counted = self.counts.of(patient_id)
        return msgspec.structs.replace(patient, counted=counted) if counted else patient

    @property
    def authorizations(self) -> Iterable[Authorization]:
        return self._authorizations.values()

    def authorizations_of(self, patient_id: str) -> Iterable[Authorization]:
        return [each for each in self._authorizations.values() if each.patient_id == patient_id]

    # What is taken and given

    def lift(self, visit: Visit) -> list[HeldClaim]:
        """Takes a visit's claims and units off the desk, so that it does not meet itself; `lower` puts them back."""
        if visit.id in self._together:
            return []
        held = [] if visit.status in WITHOUT_CLAIMS else self._held(visit)
        for resource, claim in held:
            self.timetable.remove(resource, claim)
        self._lifted.add(visit.id)
        self._promise(visit, -1)
        self.counts.lift(self._counted(visit))
        return held

    def _held(self, visit: Visit) -> list[HeldClaim]:
        if isinstance(visit, Hold):
            return held_by(visit)
        return [
            (each.resource_id, claim)
            for each in taken(visit)
            for claim in self.timetable.owned(each.resource_id, each.start, each.end, visit.id)
        ]

    def lower(self, visit: Visit, held: list[HeldClaim]) -> None:
        if visit.id in self._together:
            return
        for resource, claim in held:
            self.timetable.add(resource, claim)
        self._lifted.discard(visit.id)
        self._promise(visit, +1)
        self.counts.lift(self._counted(visit), -1)

    def _counted(self, visit: Visit) -> Units:
        """The units of a visit's lines as caps count them."""
        units: dict[tuple[str, date, str, str], int] = {}
        for line in visit.lines:
            if line.authorization_id is not None and (line.units_reserved or line.units_used):
                on = local_date(visit.start, self.directory.clinics[visit.clinic_id].time_zone)
                payer = self._authorizations[line.authorization_id].payer_id
                key = (visit.patient_id, on, payer, self.directory.service_code(line.service_id))
                units[key] = units.get(key, 0) + line.units_reserved + (line.units_used or 0)
        return units

    def _promise(self, visit: Visit, sign: int) -> None:
        for line in visit.lines:
            if line.units_reserved and line.authorization_id is not None:
                self._authorizations[line.authorization_id].scheduled_units += sign * line.units_reserved

    def claims_for(self, visit: Visit, verdict: Verdict) -> list[HeldClaim]:
        """The claims that a granted visit makes, each on its seat. Others change their seats for it here; not for a group's
        member, who takes none of the practitioner or the room."""
        seats: dict[tuple[str, int], int] = {}
        reseated: list[Seating] = []
        for line, seating in zip(visit.lines, verdict.practitioner_seatings, strict=True):
            seats[line.practitioner_id, busy_span(line)[0]] = seating.seat
            if (
                seating.moved and seating not in reseated and visit.group_id is None
            ):  # lines that follow each other share one
                reseated.append(seating)
                self._reseat(line.practitioner_id, seating)
        if visit.group_id is not None and visit.group is not None:
            of_group = (visit.group_id, visit.start)
            seats[of_group] = self.timetable.free_seat(*of_group, visit.end, visit.group.members_max) or 0
        room_seat = 0
        if verdict.room is not None and visit.room_id is not None and visit.group_id is None:
            room_seat = verdict.room.seating.seat
            self._reseat(visit.room_id, verdict.room.seating)
        claims: list[HeldClaim] = []
        shared: dict[Claim, Claim] = {}  # as in `Timetable.fill`
        for who, start, end, kind in taken(visit):
            seat = room_seat if who == visit.room_id else seats.get((who, start), 0)
            claim = Claim(start, end, seat, kind, visit.id)
            claims.append((who, shared.setdefault(claim, claim)))
        return claims

    def _reseat(self, resource: str, seating: Seating) -> None:
        for claim, _ in seating.moved:
            self.timetable.remove(resource, claim)
        for claim, seat in seating.moved:
            self.timetable.add(resource, claim._replace(seat=seat))
            if claim.owner in self.timetable.holds:
                self._move_of_hold(self.timetable.holds[claim.owner], resource, claim, seat)
        if seating.moved:
            self.claims.move(resource, seating.moved)

    def _move_of_hold(self, hold: Hold, resource: str, claim: Claim, seat: int) -> None:
        place = (resource, claim.start, claim.seat)
        hold.claims = [
            msgspec.structs.replace(each, seat=seat)
            if (each.resource_id, each.start, each.seat) == place
            else each
            for each in hold.claims
        ]

    @contextmanager
    def together(self, visits: Iterable[Visit]) -> Iterator[None]:
        """Within it these visits are out of each other's way, so that they may exchange places; every one of them is put
        down anew, without its time or with another. If anything is raised, nothing has changed."""
        put_back = self.as_it_is()
        visits = list(visits)
        held = [each for visit in visits for each in self.lift(visit)]
        self.claims.take(held)
        self._together = frozenset(visit.id for visit in visits)
        try:
            yield
            self._fill(held)
        except BaseException:
            put_back()
            raise
        finally:
            self._together = frozenset()

    def as_it_is(self) -> Callable[[], None]:
        """What puts the desk back as it is now, as often as it is asked."""
        changes, claims, lifted = self.timetable.changes, self.claims.copy(), set(self._lifted)
        pasts, grounds = {patient: dict(own) for patient, own in self._pasts.items()}, dict(self.grounds)
        holds = [(hold, hold.claims) for hold in self.timetable.holds.values()]
        counters = [
            (each, each.used_units, each.scheduled_units, each.version)
            for each in self._authorizations.values()
        ]
        counts = self.counts.copy()
        lists: tuple[list[Any], ...] = (
            self.appointments_new, self.appointments_changed, self.lines_new, self.lines_changed, self.lines_gone,
            self.entries_new, self.keeping.events, self.keeping.audit,
        )  # fmt: skip
        lengths = [len(each) for each in lists]

        def put_back() -> None:
            self.timetable.take_back(changes)
            self.claims, self._lifted, self.grounds = claims.copy(), set(lifted), dict(grounds)
            self._pasts = {patient: dict(own) for patient, own in pasts.items()}
            for hold, had in holds:
                hold.claims = had
            for authorization, used, scheduled, version in counters:
                authorization.used_units, authorization.scheduled_units = used, scheduled
                authorization.version = version
            self.counts.restore(counts)
            for each, length in zip(lists, lengths, strict=True):
                del each[length:]

        return put_back

    # What is put down

    def put(
        self,
        asked: Asked,
        kind: str,
        visit: Visit,
        before: Visit | None = None,
        gone: Iterable[HeldClaim] = (),
        new: Iterable[HeldClaim] = (),
        **detail: Any,
    ) -> None:
        """Puts a granted visit down: its rows, claims, units, event and audit row.

        `gone` has been lifted from the timetable; `new` is added to it here. A claim that is both is not touched.
        """
        self.put_claims(list(gone), list(new))
        self._units(asked, visit, before)
        visit.updated_at = self.now
        if self._asks_history:
            self._pasts.setdefault(visit.patient_id, {})[visit.id] = past_of(visit)
        self.put_grounds(visit)
        if before is None:
            visit.created_at = self.now
            self.appointments_new.append(rows.appointment_new(visit))
            self.lines_new += [rows.line_row(visit, line) for line in visit.lines]
        else:
            visit.version = before.version + 1
            self.appointments_changed.append(rows.appointment_changed(visit))
            self._put_lines(visit, {line.line_no for line in before.lines})
        self.keeping.tell(kind, visit_body(visit))
        self.keeping.note(
            asked, kind.partition(".")[2], "appointment", visit.id, version=visit.version, **detail
        )

    def put_grounds(self, visit: Visit) -> None:
        if visit.decision is not None and visit.decision.grounds_id is not None:
            self.grounds[visit.decision.grounds_id] = visit.decision.grounds

    def put_claims(self, gone: list[HeldClaim], new: list[HeldClaim]) -> None:
        """Puts down what somebody has taken instead of what they had, as `put` says."""
        for resource, claim in new:
            self.timetable.add(resource, claim)
        same = {held for held in gone if held in new} if gone else ()  # nothing to hash, nearly always
        freed = [held for held in gone if held not in same]
        self.claims.take(freed)
        self.claims.give([held for held in new if held not in same])
        self._fill(freed)

    def _put_lines(self, visit: Visit, before: set[int]) -> None:
        for line in visit.lines:
            lines = self.lines_changed if line.line_no in before else self.lines_new
            lines.append(rows.line_row(visit, line))
        gone = before - {line.line_no for line in visit.lines}
        self.lines_gone += [GoneLine(visit.id, line_no) for line_no in sorted(gone)]

    def put_hold(self, asked: Asked, hold: Hold, claims: Iterable[HeldClaim]) -> None:
        """Puts a granted hold down: its row, claims, event and audit row."""
        hold.created_by, hold.created_at = asked.actor.user_id, self.now
        for resource, claim in claims:
            kept = claim._replace(kind="hold", owner=hold.id)
            self.timetable.add(resource, kept)
            self.claims.give([(resource, kept)])
            hold.claims.append(StoredClaim(resource, kept.seat, kept.start, kept.end, kept.kind, kept.owner))
        self.timetable.holds[hold.id] = hold
        self.holds_new.append(rows.hold_new(hold, asked.actor.user_id))
        self.keeping.tell("hold.placed", hold_body(hold))
        self.keeping.note(asked, "placed", "hold", hold.id)

    def end_hold(self, hold: Hold, ended_as: str, appointment_id: str | None = None) -> None:
        """Writes down how a hold ends; its claims have been lifted and are given back with `put` or `release`."""
        self._lifted.discard(hold.id)
        del self.timetable.holds[hold.id]
        self.holds_ended.append(EndedHold(hold.id, ended_as, appointment_id))
        self.keeping.tell(f"hold.{ended_as}", hold_body(hold))

    def release(self, hold: Hold, ended_as: str) -> None:
        """Ends a hold and gives its time back."""
        held = self.lift(hold)
        self.claims.take(held)
        self._fill(held)
        self.end_hold(hold, ended_as)

    def sweep(self) -> None:
        """Ends the holds that have expired: the law in storage knows no clock."""
        for hold in self.timetable.expired(self.now):
            self.release(hold, "expired")

    def _fill(self, freed: list[HeldClaim]) -> None:
        """What is given back inside an absence is the absence's."""
        for resource, claim in freed:
            for filling in filled(self.directory, self.timetable, resource, claim):
                self.timetable.add(resource, filling)
                self.claims.give([(resource, filling)])

    def _units(self, asked: Asked, visit: Visit, before: Visit | None) -> None:
        """Ledger entries for what changes between the visit before and after."""
        if before is not None and before.id in self._lifted:
            self._promise(before, +1)
            self.counts.lift(self._counted(before), -1)
        self.counts.move({} if before is None else self._counted(before), self._counted(visit))
        self._lifted.discard(visit.id)
        for entry in entries(before, visit):
            self.enter(asked, entry, visit.id)

    def enter(
        self, asked: Asked, entry: Entry, visit_id: str | None = None, note_encrypted: bytes | None = None
    ) -> None:
        """Puts a ledger entry down: its row, what it does to the counters, and the event of that."""
        authorization = self._authorizations[entry.authorization_id or ""]
        enter(authorization, entry)
        seq = self.keeping.tell("authorization.changed", authorization_body(authorization))
        self.entries_new.append(
            LedgerEntry(
                authorization.id, authorization.version, entry.kind, entry.units, visit_id, entry.line_no, seq,
                asked.actor.user_id, entry.is_manual, note_encrypted,
            )
        )  # fmt: skip

    @property
    def authorizations_changed(self) -> list[ChangedAuthorization]:
        return [
            ChangedAuthorization(
                each.id,
                each.version,
                each.version_read,
                each.used_units,
                each.scheduled_units,
                each.manual_units,
            )
            for each in self._authorizations.values()
            if each.version != each.version_read
        ]


def earliest_start(settings: Settings, now: int, asked: Asked) -> int:
    """The earliest start that the caller may book: the running minute, or some days back by permission."""
    back = settings.backdate_days_max * DAY if asked.actor.reach("appointments.override") else 0
    return now - now % MINUTE - back


def past_of(visit: Visit) -> Past | None:
    """A visit as rules about earlier visits see it."""
    if visit.status in WITHOUT_CLAIMS:
        return None
    return Past(visit.id, visit.start, visit.room_id, tuple(line.practitioner_id for line in visit.lines))


def _times(visit: Visit | None) -> set[tuple[str, int, int]]:
    return {(line.practitioner_id, line.start, line.end) for line in visit.lines} if visit else set()

"""What to do about the visits of somebody who is away on a date: for each a substitute, a later time, or a cancellation.

A plan is worked out on a desk of its own by the verbs that would carry it out, so everything that is proposed could be
granted on the state it was made on, and all that is recommended could be granted together. Applying one is `Together`.
"""

import asyncio
from datetime import date, timedelta
from typing import Any, Literal

import msgspec

from holdfast.actor import Asked
from holdfast.commands.desk import Desk, View
from holdfast.commands.gather import Gathered, Need
from holdfast.commands.house import House
from holdfast.commands.intent import dates_of, known
from holdfast.commands.move import Move
from holdfast.commands.reading import Snapshot, snapshot
from holdfast.commands.refusal import nearest
from holdfast.commands.together import Together, Verb, in_order, is_shifting
from holdfast.commands.transition import Transition
from holdfast.db.keeping import Keeping
from holdfast.db.statements import statement
from holdfast.errors import FieldError, Invalid, NotFound, Refused
from holdfast.rules import hours
from holdfast.rules.assess import spans
from holdfast.rules.facts import Clinic, DatesOf, Directory, Practitioner, SpanOf, TimeOff, Visit
from holdfast.rules.lines import busy_span
from holdfast.rules.stand_ins import StandIn, assigned, by_preference
from holdfast.rules.timetable import GIVEN
from holdfast.slot import DAY, Span, day_span, local_date, moment, overlaps

Action = Literal["substitute", "move", "cancel"]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be done about a visit, and the visit as it would become. `stand_in`: who would give it."""

    action: Action
    verb: Verb
    visit: Visit
    stand_in: StandIn | None = None


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A visit as it is stored and what can be done about it when all other visits become what is recommended for them.
    `choices`: what is recommended first, then substitutes, times and cancelling; none, if nothing can be done about it."""

    visit: Visit
    choices: list[Choice]
    recommended: Choice | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`absences`: the practitioner's on the date; without any the plan is for being away all day."""

    absences: list[TimeOff]
    proposals: list[Proposal]
    found: Gathered


class ApplyAbsencePlan(Together, kw_only=True):
    """What was decided about a practitioner's visits of a date."""

    practitioner_id: str
    on: date

    def carry_out(self, desk: Desk, asked: Asked, view: View) -> tuple[bytes, int | None]:
        known(desk.directory.practitioners, self.practitioner_id, "id")
        for number, change in enumerate(self.changes):
            visit = desk.stored(change.verb.id)
            if visit is not None:
                desk.allow(asked, visit)
            # One that has changed since is outdated, whatever it has become.
            if visit is not None and visit.version == change.version and not self._is_about(desk, visit):
                field = f"{self.field}[{number}].appointment_id"
                raise Invalid(
                    FieldError(field, "invalid_value", "is no visit of this practitioner on that date")
                )
        return super().carry_out(desk, asked, view)

    def _is_about(self, desk: Desk, visit: Visit) -> bool:
        return _is_on(desk.directory, visit, self.on) and bool(_given(visit, self.practitioner_id))


def _is_on(directory: Directory, visit: Visit, on: date) -> bool:
    """Whether a visit begins on a date of its own clinic."""
    return local_date(visit.start, directory.clinics[visit.clinic_id].time_zone) == on


def _given(visit: Visit, practitioner_id: str) -> list[Span]:
    return [(line.start, line.end) for line in visit.lines if line.practitioner_id == practitioner_id]


async def absence_plan(house: House, asked: Asked, practitioner_id: str, on: date) -> Plan:
    """The plan for a practitioner's visits of a date, each clinic's own: those inside an absence, or all of them if none
    is recorded. Raises NotFound; Refused (forbidden) for another's, to whoever reads their own only."""
    organization = asked.actor.organization_id
    async with snapshot(house, organization) as reading:
        directory = (await reading.gather(Need())).directory
        practitioner = directory.practitioners.get(practitioner_id)
        if practitioner is None:
            raise NotFound("id")
        if asked.actor.reach("worklists.desk") == "own" and asked.actor.practitioner_id != practitioner_id:
            raise Refused("forbidden", "Only your own visits can be planned.")
        found, concerned = await _read(
            reading, organization, directory, practitioner, on, house.settings.alternatives_days_max
        )
        patients = list({visit.patient_id for visit, _ in concerned})
        rows = await reading.connection.fetch(
            statement("seen_before"), organization, patients, moment(found.facts.now)
        )
        seal = await house.seal(reading.connection, organization)
        keeping = Keeping(organization, found.facts.seq, found.facts.now, seal)
        desk = Desk(house.settings, found.directory, found.timetable, found.facts, keeping)
        seen = {(row["patient_id"], row["practitioner_id"]) for row in rows}
        planner = _Planner(house, reading, desk, asked, practitioner, seen)
        proposals = await planner.proposals(concerned)
    return Plan(absences=_absences(found.directory, practitioner, on), proposals=proposals, found=found)


def _absences(directory: Directory, practitioner: Practitioner, on: date) -> list[TimeOff]:
    """Those of a date, in the zone of any clinic."""
    zones = {clinic.time_zone for clinic in directory.clinics.values()} | {directory.organization.time_zone}
    days = [day_span(on, zone) for zone in zones]
    return [
        each
        for each in directory.time_off
        if each.practitioner_id == practitioner.id
        and any(overlaps((each.start, each.end), day) for day in days)
    ]


async def _read(
    reading: Snapshot,
    organization: str,
    directory: Directory,
    practitioner: Practitioner,
    on: date,
    days_max: int,
) -> tuple[Gathered, list[tuple[Visit, int]]]:
    """The facts of the date, and the visits that are concerned, each with the instant from which on the practitioner is
    there again; by their start."""
    middle = day_span(on, "UTC")
    rows = await reading.connection.fetch(
        statement("time_off_visits"), organization, practitioner.id, moment(middle[0] - DAY), moment(middle[1] + DAY)
    )  # fmt: skip
    concerned: dict[str, int] = {}

    def looked_at(directory: Directory, visits: dict[str, Visit], _now: int) -> list[SpanOf]:
        found: list[SpanOf] = []
        for visit in visits.values():
            again = _away_until(directory, practitioner, visit, on)
            if again is not None:
                concerned[visit.id] = again
                found += spans(directory, visit)
        days = (middle[0] - 2 * DAY, middle[1] + 2 * DAY)
        return found + [(each, *days) for each in directory.practitioners if concerned]

    def counted(directory: Directory, visits: dict[str, Visit], _now: int) -> list[DatesOf]:
        """From the visit's date as far as another is looked for when somebody is there again."""
        return [
            (patient, on, local_date(again, "UTC") + timedelta(days=days_max))
            for visit_id, again in concerned.items()
            for patient, on, _ in dates_of(directory, visits[visit_id])
        ]

    found = await reading.gather(Need(looked_at, visits={str(row["id"]) for row in rows}, dates=counted))
    visits = [visit for visit in found.facts.appointments or () if visit.id in concerned]
    visits.sort(key=lambda visit: (visit.start, visit.id))
    return found, [(visit, concerned[visit.id]) for visit in visits]


def _away_until(directory: Directory, practitioner: Practitioner, visit: Visit, on: date) -> int | None:
    """When somebody who is away at a visit is there again; None if they are there, or if it is on another date, or a group's,
    which is moved as a whole."""
    if visit.group_id is not None or not _is_on(directory, visit, on):
        return None
    day = day_span(on, directory.clinics[visit.clinic_id].time_zone)
    away = hours.absences(directory, practitioner.id, day)
    if not away:
        return day[1]
    given = _given(visit, practitioner.id)
    ends = [each.end for each in away if any(overlaps((each.start, each.end), span) for span in given)]
    return max(ends, default=None)


class _Planner:
    """Works on a desk that nobody writes."""

    def __init__(
        self,
        house: House,
        reading: Snapshot,
        desk: Desk,
        asked: Asked,
        practitioner: Practitioner,
        seen: set[tuple[str, str]],
    ) -> None:
        self._house, self._reading, self._desk = house, reading, desk
        self._asked = msgspec.structs.replace(asked, if_match=None, key=None)
        self._away = practitioner
        self._seen = seen
        self._starts: dict[str, list[int]] = {}
        """The nearest times that were found for visits, when less was put down than where they are asked for again."""

    async def proposals(self, concerned: list[tuple[Visit, int]]) -> list[Proposal]:
        desk, found = self._desk, []
        with desk.together([visit for visit, _ in concerned]):
            lifted = desk.as_it_is()
            recommended = await self._recommended(concerned)
            for number, (visit, again) in enumerate(concerned):
                lifted()
                others = [
                    each for each in recommended if each is not None and each is not recommended[number]
                ]
                choices = await self._choices(visit, again, others)
                best = recommended[number]
                if best is not None:
                    choices = [best, *(each for each in choices if each.verb != best.verb)]
                found.append(Proposal(visit=visit, choices=choices, recommended=best))
                await asyncio.sleep(0)  # others have their turn
        return found

    async def _recommended(self, concerned: list[tuple[Visit, int]]) -> list[Choice | None]:
        """What all visits could become together: as many as possible with a substitute, then others at another time, the
        rest cancelled. None for a visit about which nothing can be done. It is put down on the desk."""
        able = [self._substitutes(visit) for visit, _ in concerned]
        found: list[Choice | None] = []
        stand_ins = assigned([[choice.stand_in for choice in each if choice.stand_in] for each in able])
        for choices, stand_in in zip(able, stand_ins, strict=True):
            choice = next((each for each in choices if each.stand_in is stand_in), None)
            found.append(choice if choice is not None and self._put(choice) else None)
        for number, (visit, again) in enumerate(concerned):
            if found[number] is None:
                others = [*await self._times(visit, again), *self._cancelling(visit)]
                found[number] = next((choice for choice in others if self._put(choice)), None)
        return found

    async def _choices(self, visit: Visit, again: int, others: list[Choice]) -> list[Choice]:
        """Everything that can be done about a visit beside what becomes of the others: each is decided in its place among
        them, as it would be when it is applied."""
        for other in others:
            if not is_shifting(other.verb):
                self._put(other)
        staying = self._desk.as_it_is()
        shifting = [other for other in others if is_shifting(other.verb)]
        found = self._substitutes(visit)
        for other in shifting:
            self._put(other)
        found += await self._times(visit, again)
        staying()
        found += self._cancelling(visit)
        placed = [(choice, self._placed(choice, shifting)) for choice in found]
        return [
            msgspec.structs.replace(choice, visit=become) for choice, become in placed if become is not None
        ]

    def _placed(self, choice: Choice, shifting: list[Choice]) -> Visit | None:
        """What the visit becomes with those that get another time; None if it or one of them is refused then."""
        put_back = self._desk.as_it_is()
        try:
            become = {
                verb.id: verb.decide(self._desk, self._asked)
                for verb in in_order(self._desk, [choice.verb, *(other.verb for other in shifting)])
            }
        except Refused:
            return None
        finally:
            put_back()
        return become[choice.verb.id]

    def _put(self, choice: Choice) -> bool:
        """Puts a choice down, if it can be had beside those that are there."""
        put_back = self._desk.as_it_is()
        try:
            choice.verb.decide(self._desk, self._asked)
        except Refused:
            put_back()
            return False
        return True

    def _tried(self, verb: Verb) -> Visit | None:
        """What the visit would become; None if it is refused. The desk stays as it is."""
        put_back = self._desk.as_it_is()
        try:
            return verb.decide(self._desk, self._asked)
        except Refused:
            return None
        finally:
            put_back()

    def _substitutes(self, visit: Visit) -> list[Choice]:
        """Everybody who could give the visit at its time, by preference."""
        directory, found = self._desk.directory, {}
        clinic = directory.clinics[visit.clinic_id]
        for each in directory.practitioners.values():
            if not _may_stand_in(each, clinic, visit):
                continue
            verb = substitution(visit.id, self._away.id, each.id)
            become = self._tried(verb)
            if become is not None:
                stand_in = self._stand_in(each, clinic, become)
                found[each.id] = Choice(action="substitute", verb=verb, visit=become, stand_in=stand_in)
        stand_ins = [choice.stand_in for choice in found.values() if choice.stand_in is not None]
        return [found[each.id] for each in by_preference(stand_ins)]

    def _stand_in(self, practitioner: Practitioner, clinic: Clinic, visit: Visit) -> StandIn:
        busy = [busy_span(line) for line in visit.lines if line.practitioner_id == practitioner.id]
        day = day_span(local_date(visit.start, clinic.time_zone), clinic.time_zone)
        claims = self._desk.timetable.overlapping(practitioner.id, *day)
        return StandIn(
            id=practitioner.id, name=practitioner.name, seats=practitioner.seats,
            span=(min(start for start, _ in busy), max(end for _, end in busy)),
            knows=(visit.patient_id, practitioner.id) in self._seen,
            load=len({claim.owner for claim in claims if claim.kind in GIVEN}),
        )  # fmt: skip

    async def _times(self, visit: Visit, again: int) -> list[Choice]:
        """The nearest times at which whoever is away could give the visit when they are there again."""
        desk = self._desk
        # The more is put down the less is free: those that can still be had are still the nearest.
        starts = self._starts.get(visit.id)
        if starts is not None and len(found := self._moves(visit, starts)) == len(starts):
            return found
        patient, earliest = desk.patient(visit.patient_id), max(again, desk.now)
        slots = await nearest(self._house, self._reading, desk, patient, visit, earliest)
        self._starts[visit.id] = [slot.start for slot in slots]
        return self._moves(visit, self._starts[visit.id])

    def _moves(self, visit: Visit, starts: list[int]) -> list[Choice]:
        verbs = [Move(id=visit.id, start=start) for start in starts]
        tried = [(verb, self._tried(verb)) for verb in verbs]
        return [
            Choice(action="move", verb=verb, visit=become) for verb, become in tried if become is not None
        ]

    def _cancelling(self, visit: Visit) -> list[Choice]:
        verb = cancellation(visit.id)
        become = self._tried(verb)
        return [] if become is None else [Choice(action="cancel", verb=verb, visit=become)]


def _may_stand_in(practitioner: Practitioner, clinic: Clinic, visit: Visit) -> bool:
    """Leaves out early who cannot; `assess` has the last word."""
    return (
        practitioner.is_active
        and all(line.practitioner_id != practitioner.id for line in visit.lines)
        and (not practitioner.clinic_ids or clinic.id in practitioner.clinic_ids)
    )


def substitution(visit_id: str, practitioner_id: str, stand_in_id: str) -> Move:
    """Somebody else gives all that a practitioner gives in a visit."""
    return Move(id=visit_id, practitioner_id=stand_in_id, handed_over_by=practitioner_id)


def cancellation(visit_id: str, **more: Any) -> Transition:
    """Nobody's fault but the side that gives the visit."""
    return Transition(id=visit_id, call="cancel", cancelled_by="practitioner", **more)

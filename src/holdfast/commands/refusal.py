"""What a refused request is told: every reason, what is in the way, and what could be had instead.

Looked up after the lane has answered, in a snapshot of its own, so that refusals never hold the turn: reasons,
conflicts and alternatives are true together at `as_of_seq`.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from holdfast.actor import Asked
from holdfast.commands import in_group
from holdfast.commands.batch import need_of
from holdfast.commands.desk import Desk, earliest_start
from holdfast.commands.gather import Dates, Gathered, Need
from holdfast.commands.house import House
from holdfast.commands.intent import Placing
from holdfast.commands.reading import Snapshot, snapshot
from holdfast.commands.search import Look, search
from holdfast.db.keeping import Keeping
from holdfast.errors import Reason, Refused
from holdfast.rules import people, rooms
from holdfast.rules.assess import Conflict, Wish, assess, question_about, spans
from holdfast.rules.availability import Grid, Slot, nearest_slots, shifted
from holdfast.rules.facts import Clinic, DatesOf, Directory, Patient, SpanOf, Visit
from holdfast.rules.lines import caregivers, doubled
from holdfast.slot import MINUTE, Span, day_span, local_date, rfc3339

_ABOUT_ROOMS = frozenset({"room_conflict", "room_unavailable", "rule_violation"})
_ANOTHER_TIME_HELPS_NOT = frozenset({
    "inactive_resource", "credential_missing", "authorization_missing", "authorization_mismatch",
    "authorization_inactive", "insufficient_units", "practitioner_excluded", "unreadable", "concurrent_not_allowed",
})  # fmt: skip
REACHES_DAYS = (1, 7)
"""How far alternatives are looked for first; then as far as the settings allow."""
_OWN_DATE = 0
_TAIL_SECONDS_MAX = 120 * MINUTE
"""Of turnover, buffer and travel: the most that any of them may reach beside a visit."""


async def explained(house: House, asked: Asked, intent: Placing, refused: Refused) -> Refused:
    """The refusal with `conflicts`, `alternatives` and `as_of_seq`, on the state of now."""
    organization, need = asked.actor.organization_id, need_of([intent])
    need.dates = partial(_dates_around, need.dates, house.settings.alternatives_days_max)

    async def look(reading: Snapshot, found: Gathered) -> Refused:
        return await _explained(house, reading, found, asked, intent, refused)

    if need.holds or need.caregivers or intent.visit_id or intent.group_id:
        # What is to be had instead depends on time that is the visit's own: nobody else's snapshot.
        async with snapshot(house, organization) as reading:
            return await look(reading, await reading.gather(need))
    if not is_hopeless(refused.reasons):
        need = dataclasses.replace(need, spans=partial(_around, intent))
    told: Refused = await search(house, organization, Look(need, look), asked.deadline)
    return told


def _dates_around(
    dates: Dates, days: int, directory: Directory, visits: dict[str, Visit], now: int
) -> list[DatesOf]:
    """Also the dates on which other times are looked for."""
    return widened(dates(directory, visits, now), days)


def widened(dates: Iterable[DatesOf], days: int) -> list[DatesOf]:
    by = timedelta(days=days)
    return [(patient_id, first - by, last + by) for patient_id, first, last in dates]


def _around(intent: Placing, directory: Directory, visits: dict[str, Visit], now: int) -> list[SpanOf]:
    """What deciding looks at, and the date on which other times are looked for first: those whose refusals are explained
    together read it together."""
    looked_at = intent.spans(directory, None, now)
    if not looked_at:
        return looked_at
    visit = intent.wished(directory, None, now)
    return looked_at + beginning_on(directory, visit, _dates_near(directory, visit, now, _OWN_DATE))


async def _explained(
    house: House, reading: Snapshot, found: Gathered, asked: Asked, intent: Placing, refused: Refused
) -> Refused:
    desk, wish, patient = await laid_out(house, reading, found, asked, intent)
    verdict = assess(found.directory, found.timetable, patient, desk.authorizations_of(patient.id), wish)
    reasons = tuple(verdict.reasons) or refused.reasons
    conflicts = await in_the_way(reading, verdict.conflicts)
    alternatives = {
        "rooms": (
            free_rooms(found, patient, wish.visit)
            if wish.visit.group_id is None and is_about_rooms(reasons)
            else []
        ),
        "slots": await _slots(house, reading, desk, wish, patient, reasons),
    }
    first = reasons[0]
    members: dict[str, Any] = first.members | {"alternatives": alternatives, "as_of_seq": found.facts.seq}
    return Refused(first.code, first.detail, reasons=reasons, conflicts=tuple(conflicts), **members)


async def laid_out(
    house: House, reading: Snapshot, found: Gathered, asked: Asked, intent: Placing
) -> tuple[Desk, Wish, Patient]:
    """A desk as the lane had it, with the visit out of its own way, and the wish to be assessed on it."""
    desk = await desk_of(house, reading, found, asked)
    return desk, *wished_of(desk, asked, intent)


async def desk_of(house: House, reading: Snapshot, found: Gathered, asked: Asked) -> Desk:
    organization = asked.actor.organization_id
    seal = await house.seal(reading.connection, organization)
    keeping = Keeping(organization, found.facts.seq, found.facts.now, seal)
    return Desk(house.settings, found.directory, found.timetable, found.facts, keeping)


def wished_of(desk: Desk, asked: Asked, intent: Placing) -> tuple[Wish, Patient]:
    """What is asked of the desk, off which the visit and its hold are taken."""
    before = desk.visit(asked, intent.visit_id) if intent.visit_id else None
    visit = intent.wished(desk.directory, before, desk.now)
    if before is not None:
        desk.lift(before)
    if intent.hold_id is not None and intent.hold_id in desk.timetable.holds:
        desk.lift(desk.timetable.holds[intent.hold_id])
    wish = intent.wish(desk.directory, visit, before)
    if visit.group_id is not None:
        in_group.settle(wish)
        in_group.lift(desk.timetable, visit)
    stays = intent.keeps_start(visit, before, desk.now)
    wish.now = desk.now
    wish.earliest = visit.start if stays else earliest_start(desk.settings, desk.now, asked)
    wish.unassigned = wish.unassigned and asked.actor.reach("appointments.override") is not None
    return wish, desk.patient(visit.patient_id)


async def in_the_way(reading: Snapshot, conflicts: Iterable[Conflict]) -> list[dict[str, Any]]:
    """The claims in the way, with the status of the visit that each belongs to."""
    (found,) = await each_in_the_way(reading, [conflicts])
    return found


async def each_in_the_way(
    reading: Snapshot, many: Iterable[Iterable[Conflict]]
) -> list[list[dict[str, Any]]]:
    """The same for several refusals, whose visits are read at once."""
    lists = [list(conflicts) for conflicts in many]
    visits = {
        each.claim.owner for listed in lists for each in listed if each.claim.kind in ("visit", "turnover")
    }
    statuses: dict[str, str] = {}
    if visits:
        found = await reading.gather(Need(visits=visits))
        statuses = {visit.id: visit.status for visit in found.facts.appointments or ()}
    return [
        [
            {
                "kind": each.kind, "resource_id": each.resource_id,
                "appointment_id": each.claim.owner if each.claim.owner in visits else None,
                "start": rfc3339(each.claim.start), "end": rfc3339(each.claim.end),
                "status": statuses.get(each.claim.owner, each.claim.kind.removesuffix("_turnover")),
            }
            for each in listed
        ]
        for listed in lists
    ]  # fmt: skip


def is_about_rooms(reasons: Iterable[Reason]) -> bool:
    return all(
        reason.code in _ABOUT_ROOMS and (reason.code != "rule_violation" or "room_id" in reason.members)
        for reason in reasons
    )


def free_rooms(found: Gathered, patient: Patient | None, visit: Visit) -> list[dict[str, Any]]:
    """The rooms of the visit's clinic that could be had at its time, best first."""
    if visit.location != "on_site":
        return []
    directory = found.directory
    question = question_about(directory, directory.clinics[visit.clinic_id], patient, visit, found.facts.now)
    told = rooms.account(directory, found.timetable, directory.rooms_of[visit.clinic_id], question)
    return [
        {"room_id": each.suitable.room.id, "room_number": each.suitable.room.number, "score": each.score,
         "start": rfc3339(visit.start), "end": rfc3339(visit.end)}
        for each in told.free
    ]  # fmt: skip


async def _slots(
    house: House, reading: Snapshot, desk: Desk, wish: Wish, patient: Patient, reasons: Iterable[Reason]
) -> list[dict[str, Any]]:
    """The nearest times at which the same visit could be booked."""
    if is_hopeless(reasons) or wish.visit.group_id is not None:  # its time is the group's
        return []
    slots = await nearest(house, reading, desk, patient, wish.visit, desk.now, acknowledged=wish.acknowledged)
    return [slot_body(slot) for slot in slots]


def is_hopeless(reasons: Iterable[Reason]) -> bool:
    """Whether no other time would help."""
    said = {each for reason in reasons for each in (reason.code, reason.members.get("rule_type"))}
    return not said.isdisjoint(_ANOTHER_TIME_HELPS_NOT)


async def nearest(
    house: House,
    reading: Snapshot,
    desk: Desk,
    patient: Patient,
    visit: Visit,
    earliest: int,
    *,
    acknowledged: frozenset[str] = frozenset(),
) -> list[Slot]:
    """The bookable times nearest to a visit that is out of its own way, none before `earliest`, looked for further and
    further away. There are none for one in which somebody would have to be at two places."""
    if doubled(visit.lines):
        return []
    settings, directory = house.settings, desk.directory
    clinic = directory.clinics[visit.clinic_id]
    slots: list[Slot] = []
    for days in (_OWN_DATE, *REACHES_DAYS, settings.alternatives_days_max):
        dates = _dates_near(directory, visit, earliest, days)
        await reading.read(beginning_on(directory, visit, dates))
        slots = nearest_slots(
            directory, desk.timetable, patient, desk.authorizations_of(patient.id), visit, dates, Grid(),
            earliest=earliest, count=settings.alternatives_slots, now=desk.now, acknowledged=acknowledged,
        )  # fmt: skip
        if (
            len(slots) >= settings.alternatives_slots
            and all(people.can_come(patient, clinic, shifted(directory, visit, slot.start)) for slot in slots)
            and not _may_be_nearer(clinic, visit, slots, earliest, dates)
        ):
            break
    return slots


def _dates_near(directory: Directory, visit: Visit, earliest: int, days: int) -> list[date]:
    """So many local dates on each side of the visit's own, or of `earliest` if that is later, without those that are over
    then."""
    zone = directory.clinics[visit.clinic_id].time_zone
    middle, first = local_date(max(visit.start, earliest), zone), local_date(earliest, zone)
    return [on for n in range(-days, days + 1) if (on := middle + timedelta(days=n)) >= first]


def _may_be_nearer(
    clinic: Clinic, visit: Visit, slots: Iterable[Slot], earliest: int, dates: Sequence[date]
) -> bool:
    """Whether a time before or after all of these dates could be nearer than one of the slots."""
    farthest = max(abs(slot.start - visit.start) for slot in slots)
    first, last = day_span(dates[0], clinic.time_zone)[0], day_span(dates[-1], clinic.time_zone)[1]
    return (first > earliest and visit.start - first < farthest) or last - visit.start < farthest


def beginning_on(directory: Directory, visit: Visit, dates: Sequence[date]) -> list[SpanOf]:
    """What deciding looks at for the visit at any start on these local dates (in order)."""
    zone = directory.clinics[visit.clinic_id].time_zone
    first, last = day_span(dates[0], zone)[0], day_span(dates[-1], zone)[1] - MINUTE
    reach: dict[str, Span] = {}
    for start in (first, last):
        for resource, low, high in spans(directory, shifted(directory, visit, start)):
            known = reach.get(resource, (low, high))
            # tails may be longer in between, by a rule for that time
            reach[resource] = min(known[0], low - _TAIL_SECONDS_MAX), max(known[1], high + _TAIL_SECONDS_MAX)
    return [(resource, *span) for resource, span in reach.items()]


def everything(directory: Directory, visit: Visit, low: int, high: int) -> list[SpanOf]:
    """The time of everyone and every room that the visit could take between two instants."""
    if low >= high:
        return []
    resources = [visit.patient_id, *caregivers(visit), *(line.practitioner_id for line in visit.lines)]
    if visit.location == "on_site":
        resources += [room.id for room in directory.rooms_of[visit.clinic_id]]
    return [(resource, low, high) for resource in resources if resource]


def slot_body(slot: Slot) -> dict[str, Any]:
    """A slot on the wire."""
    return {
        "start": rfc3339(slot.start), "end": rfc3339(slot.end), "practitioner_id": slot.practitioner_id,
        "room_id": slot.room_id, "score": slot.score,
    }  # fmt: skip

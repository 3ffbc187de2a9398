"""What is to be found in an invented calendar by clicking: somebody sick, a visit without a room, time held for a call.
Each is laid over a week that is planned already. Data only.
"""

from datetime import date, timedelta
from typing import Any, Literal

from holdfast.commands.save import Document
from holdfast.seed import plan
from holdfast.seed.plan import Habit, minutes_of
from holdfast.seed.world import Absence, Asking, Gathering, Planned, Proposal, Step, World
from holdfast.slot import MINUTE, local_date, overlaps, wall

_AHEAD_DAYS = 14


def off_sick(world: World, practitioner: str, time_zone: str) -> None:
    """Somebody goes home today (or on the next day with so many) with four visits left."""
    days: dict[date, list[Planned]] = {}
    for planned in world.visits:
        if (
            planned.book.first.practitioner_id == practitioner
            and planned.is_open
            and planned.book.start > world.now
        ):
            days.setdefault(local_date(planned.book.start, time_zone), []).append(planned)
    for on, visits in sorted(days.items()):
        if len(visits) >= 4:
            left = sorted(visits, key=lambda planned: planned.book.start)[-4:]
            world.absences.append(Absence(
                of="practitioner", id=practitioner, start=left[0].book.start,
                end=wall(on, 18 * 60 + 30, time_zone), why="sick",
            ))  # fmt: skip
            return


def without_a_room(
    world: World, practitioner: Document, service: Document, patients: list[str], clinic: str
) -> None:
    """A visit that was booked while another had the only room that suits. The other was called off since: now the room
    could be given to it."""
    zones = {each["id"]: each["time_zone"] for each in world.all("clinic")}
    cover = plan.Cover(world)
    for planned in world.visits:
        cover.take(planned.book, local_date(planned.book.start, zones[planned.book.clinic_id]))
    for other in _in_the_only_room(world, service, clinic, zones[clinic]):
        found = _within(world, practitioner, service, other, zones[clinic])
        if found is None:
            continue
        on = local_date(other.book.start, zones[clinic])
        for patient in patients:
            if not _could_come(world, patient, on, zones):
                continue
            habit, start = found
            wanted = plan.planned_visit(habit._replace(patient_id=patient), start)
            if cover.take(wanted.book, on):
                fields = {"cancelled_by": "caregiver", "reason_code": "illness", "reason": "Has a cold."}
                other.steps[:] = [Step(call="cancel", fields=fields)]
                world.visits.append(wanted)
                return


def _in_the_only_room(world: World, service: Document, clinic: str, zone: str) -> list[Planned]:
    """Visits of the coming days in the one room of a clinic that suits a service, earliest first."""
    services = world.by_id("service")
    (only,) = _rooms(world, service, clinic)
    return sorted(
        (
            each
            for each in world.visits
            if (each.book.clinic_id, each.book.location) == (clinic, "on_site")
            and each.is_open
            and 0 < (local_date(each.book.start, zone) - world.today(zone)).days <= _AHEAD_DAYS
            and _rooms(world, services[each.book.first.service_id], clinic) == [only]
        ),
        key=lambda each: each.book.start,
    )


def _rooms(world: World, service: Document, clinic: str) -> list[str]:
    return [
        room["id"]
        for room in world.all("room")
        if room["clinic_id"] == clinic and room["room_type"] in service["room_types"]
    ]


def _within(
    world: World, practitioner: Document, service: Document, other: Planned, zone: str
) -> tuple[Habit, int] | None:
    """A visit of nobody yet within another's time, when the practitioner is free, and its start."""
    clinic, minutes = other.book.clinic_id, service["duration_minutes"]
    on, busy = local_date(other.book.start, zone), world.busy(practitioner["id"])
    for start in range(other.book.start, other.end - minutes * MINUTE + 1, 15 * MINUTE):
        opens = (start - wall(on, 0, zone)) // MINUTE
        span = (start, start + minutes * MINUTE)
        if plan.works(practitioner, clinic, on.weekday(), (opens, opens + minutes)) and not any(
            overlaps(span, taken) for taken in busy
        ):
            return Habit(
                practitioner["id"], clinic, on.weekday(), opens, opens + minutes, "", service["id"], "on_site"
            ), start
    return None


def _could_come(world: World, patient: str, on: date, zones: dict[str, str]) -> bool:
    """Whether a patient needs nothing particular and has no visit on a date."""
    whom = world.by_id("patient")[patient]
    return (
        not whom["needs"]
        and not whom["availability"]
        and not any(
            each.book.patient == patient and local_date(each.book.start, zones[each.book.clinic_id]) == on
            for each in world.visits
        )
    )


def gathered(world: World, service: Document, members_min: int, members_max: int) -> None:
    """The visits of a service that one practitioner gives at the same time are a group's."""
    for planned in world.visits:
        book = planned.book
        if book.first.service_id == service["id"]:
            planned.gathering = Gathering(
                clinic_id=book.clinic_id, practitioner_id=book.first.practitioner_id, service_id=service["id"],
                start=book.start, end=planned.end, members_min=members_min, members_max=members_max,
            )  # fmt: skip


def taught(world: World, practitioner: Document, service: Document, patients: list[str]) -> None:
    """Some patients are taught together, when the practitioner has time next."""
    zones = {each["id"]: each["time_zone"] for each in world.all("clinic")}
    minutes, rooms = service["duration_minutes"], plan.Rooms(world)
    for hours, on, start in plan.gaps(world, practitioner, minutes, 1):
        wanted = [
            plan.planned_visit(Habit(
                practitioner["id"], hours["clinic_id"], hours["weekday"], 0, minutes, patient, service["id"], "on_site",
            ), start)
            for patient in patients
            if _could_come(world, patient, on, zones)
        ][:2]  # fmt: skip
        if len(wanted) == 2 and rooms.take(wanted[0]):
            world.visits += wanted
            gathered(world, service, 2, 3)
            return


def held(world: World, practitioner: Document, service: Document, patients: list[str]) -> None:
    """The front desk keeps a time for somebody who is on the telephone."""
    zones = {each["id"]: each["time_zone"] for each in world.all("clinic")}
    minutes, rooms = service["duration_minutes"], plan.Rooms(world)
    for hours, on, start in plan.gaps(world, practitioner, minutes, 2):
        patient = next((each for each in patients if _could_come(world, each, on, zones)), None)
        if patient is None:
            continue
        wanted = plan.planned_visit(Habit(
            practitioner["id"], hours["clinic_id"], hours["weekday"], 0, minutes, patient, service["id"], "on_site",
        ), start)  # fmt: skip
        if rooms.take(wanted):
            world.holds.append(wanted.book)
            return


def weekly(world: World, practitioner: Document, service: Document, patient: str) -> None:
    """A patient's next two months, behind what is planned already: every week at the beginning of somebody's hours."""
    hours = practitioner["working_hours"][0]
    opens = minutes_of(hours["start"])
    zone = world.by_id("clinic")[hours["clinic_id"]]["time_zone"]
    today = world.today(zone)
    on = today + timedelta(days=35 + (hours["weekday"] - today.weekday()) % 7)
    habit = Habit(
        practitioner["id"], hours["clinic_id"], hours["weekday"], opens, opens + service["duration_minutes"], patient,
        service["id"], "on_site",
    )  # fmt: skip
    world.series.append((plan.planned_visit(habit, wall(on, opens, zone)).book, "FREQ=WEEKLY;COUNT=8"))


def closed(
    world: World, of: Literal["clinic", "room", "practitioner"], subject: str, days: int,
    between: tuple[str, str], time_zone: str, why: str,
) -> None:  # fmt: skip
    """A closure or time off on the date so many days from today, between two times on the wall."""
    on = world.today() + timedelta(days=days)
    start, end = (wall(on, minutes_of(each), time_zone) for each in between)
    world.absences.append(Absence(of=of, id=subject, start=start, end=end, why=why))


def asking(world: World, word: str, patient: str) -> None:
    """Somebody would like to read the records of a patient whom they do not treat, and waits for a second person."""
    world.asking = Asking(
        word=word, patient_id=patient, minutes=60,
        justification="Covers for a colleague this afternoon and must know what was agreed with the family.",
    )  # fmt: skip


def proposed(world: World, clinic: str, urgent: Document) -> None:
    """Rules that the clinic thinks about: a dry-run says what they would do to its weeks."""

    def rule(name: str, kind: str, type_: str, **fields: Any) -> Document:
        return {"name": name, "kind": kind, "type": type_, **fields}

    kept = {"for_services": [urgent["id"]], "release_hours_before": 4}
    world.proposals.append(Proposal(clinic_id=clinic, rules=[
        rule("Hours", "hard", "time_range", time_from="08:00", time_to="18:00"),
        rule("Lunch", "hard", "time_range", time_from="12:00", time_to="13:00", allow="outside"),
        rule("Turnover", "hard", "cleaning_buffer", minutes=10),
        rule("Urgent in the morning", "hard", "reserved_time", time_from="09:00", time_to="09:30", **kept),
        rule("Urgent in the afternoon", "hard", "reserved_time", time_from="14:00", time_to="14:30", **kept),
        rule("Mornings", "soft", "time_preference", time_from="08:00", time_to="12:00", score_modifier=15),
        rule("A full day", "soft", "workload", visits_max=15, penalty=10),
        rule("Rooms in turn", "soft", "utilization_balancing"),
    ]))  # fmt: skip

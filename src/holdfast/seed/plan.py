"""From working hours and caseloads to visits: a week that repeats, as therapy does, laid over past and future dates.

Keeps patients and rooms free of one another by a count of its own, so that nearly all is granted; what is granted
decides the booking transaction, as always.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from holdfast.commands.book import Book
from holdfast.commands.line_wish import TRAVELLED_TO, LineWish
from holdfast.commands.save import Document
from holdfast.rules.seats import most_at_once
from holdfast.seed.chance import Chance
from holdfast.seed.world import Planned, World
from holdfast.slot import MINUTE, Span, local_date, overlaps, units_to_reserve, wall

_GRID_MINUTES = 15
TRAVEL_MINUTES = 30


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A service for some patients. `minutes`: lengths to choose from; `weekly`: minutes per patient at most. `sittings`
    instead of `minutes`: services that follow each other in one visit, each with its minutes, the offer's own first.
    `caregivers`: who comes, by patient, where the patient does not."""

    service: Document
    patients: Sequence[str]
    minutes: tuple[int, ...] = ()
    weekly: int
    locations: tuple[str, ...] = ("on_site",)
    sittings: tuple[tuple[tuple[Document, int], ...], ...] = ()
    caregivers: Mapping[str, str] = field(default_factory=dict)

    def chosen(self, chance: Chance, most: int) -> list[tuple[Document, int]]:
        """What one visit of `most` minutes may consist of; empty if nothing is short enough."""
        choices = self.sittings or [((self.service, length),) for length in self.minutes]
        fitting = [each for each in choices if sum(length for _, length in each) <= most]
        return list(chance.choice(fitting)) if fitting else []


class Part(NamedTuple):
    """A line beside or after a visit's first, in the clinic's wall clock."""

    practitioner_id: str
    service_id: str
    start: int
    end: int


class Habit(NamedTuple):
    """A visit of every week, in the clinic's wall clock; `start` and `end` are its first line's. One that is kept has a
    story to tell: it always comes about."""

    practitioner_id: str
    clinic_id: str
    weekday: int
    start: int
    end: int
    patient_id: str
    service_id: str
    location: str
    parts: tuple[Part, ...] = ()
    caregiver_id: str | None = None
    is_kept: bool = False

    @property
    def ends(self) -> int:
        return max(self.end, *(part.end for part in self.parts)) if self.parts else self.end

    @property
    def minutes(self) -> int:
        return self.ends - self.start

    @property
    def travel_minutes(self) -> int:
        return TRAVEL_MINUTES if self.location in TRAVELLED_TO else 0

    def lines(self) -> list[Part]:
        return [Part(self.practitioner_id, self.service_id, self.start, self.end), *self.parts]


def minutes_of(wall_time: str) -> int:
    hours, minutes = wall_time.split(":")
    return int(hours) * 60 + int(minutes)


class Week:
    """The repeating week of an organization while it is being filled."""

    def __init__(self, world: World) -> None:
        self._chance: Chance = world.chance
        self._rooms = world.all("room")
        self._patients = world.by_id("patient")
        self._taken: dict[tuple[str, int], list[Span]] = defaultdict(list)
        self._weekly: dict[tuple[str, str], int] = defaultdict(int)
        self._of: dict[Habit, list[tuple[str, Span]]] = {}
        """What each visit has taken: resources and their minutes."""
        self._busy: dict[str, int] = defaultdict(int)
        self._blocked: dict[str, int] = defaultdict(int)
        """Minutes of each practitioner's week in visits, and those that are nobody's visit."""
        self.habits: list[Habit] = []

    def block(self, practitioner: str, weekday: int, start: int, end: int) -> None:
        """Keeps working time free of visits."""
        self._taken[practitioner, weekday].append((start, end))
        self._blocked[practitioner] += end - start

    def give(self, habit: Habit, service: Document, *, shares_practitioner: bool = False) -> bool:
        """Adds a visit if everyone and a room are free. `shares_practitioner`: beside another that has taken the time."""
        if not self._take(habit, service, shares_practitioner=shares_practitioner):
            return False
        self.habits.append(habit)
        return True

    def supervise(self, supervisor: Document, service: Document, watched: Document, patient: str) -> bool:
        """Lets a supervisor join one visit of a patient a week, for an hour in the middle of it."""
        length = service["duration_minutes"]
        for n, habit in enumerate(self.habits):
            if (habit.patient_id, habit.service_id, habit.location) != (patient, watched["id"], "on_site"):
                continue
            start = habit.start + max(0, habit.minutes - length) // 2
            span = (start, start + length)
            if not works(supervisor, habit.clinic_id, habit.weekday, span) or self._is_taken(
                supervisor["id"], habit.weekday, *span
            ):
                continue
            joined = habit._replace(parts=(Part(supervisor["id"], service["id"], *span),))
            self._of[joined] = [*self._of.pop(habit), (supervisor["id"], span)]
            self._taken[supervisor["id"], habit.weekday].append(span)
            self._busy[supervisor["id"]] += length
            self.habits[n] = joined
            return True
        return False

    def fill(self, practitioner: Document, offers: Sequence[Offer], share: float) -> None:
        """Gives a practitioner visits until `share` of the working hours is taken."""
        own: list[Habit] = []
        for hours in practitioner["working_hours"]:
            for at, end in self._free(practitioner["id"], hours):
                own += self._filled(practitioner["id"], hours, at, end, offers)
        who = practitioner["id"]
        minutes = share * (working_minutes(practitioner) - self._blocked[who])
        self._thin(own, self._busy[who] - minutes)
        self.habits += own

    def _free(self, practitioner: str, hours: Document) -> list[Span]:
        """The stretches of some working hours in which nothing is yet."""
        at, end, found = minutes_of(hours["start"]), minutes_of(hours["end"]), []
        for starts, ends in sorted(self._taken[practitioner, hours["weekday"]]):
            if starts >= end or ends <= at:
                continue
            found.append((at, starts))
            at = ends
        found.append((at, end))
        return [span for span in found if span[0] < span[1]]

    def _filled(
        self, practitioner: str, hours: Document, at: int, end: int, offers: Sequence[Offer]
    ) -> list[Habit]:
        """Visits one after another. Who was out is back at the clinic after the way."""
        found, back = [], at
        while at < end:
            habit = self._habit(practitioner, hours, (at, end), back, offers)
            if habit is None:
                at += _GRID_MINUTES
                continue
            found.append(habit)
            at = -(-habit.ends // _GRID_MINUTES) * _GRID_MINUTES
            back = at + habit.travel_minutes
        return found

    def _habit(
        self, practitioner: str, hours: Document, span: Span, back: int, offers: Sequence[Offer]
    ) -> Habit | None:
        """A visit that could be had at that time; its time and minutes are taken."""
        for offer in self._chance.sample(offers, len(offers)):
            sitting = offer.chosen(self._chance, span[1] - span[0])
            length = sum(minutes for _, minutes in sitting)
            if not sitting:
                continue
            for patient in self._in_turn(offer):
                if self._weekly[patient, offer.service["id"]] + length > offer.weekly:
                    continue
                for location in self._chance.sample(offer.locations, len(offer.locations)):
                    start = span[0] + (TRAVEL_MINUTES if location in TRAVELLED_TO else 0)
                    if start + length > span[1] or (location not in TRAVELLED_TO and start < back):
                        continue
                    found = _sitting(practitioner, hours, start, patient, location, sitting)
                    found = found._replace(caregiver_id=offer.caregivers.get(patient))
                    if self._take(found, offer.service):
                        return found
        return None

    def _in_turn(self, offer: Offer) -> list[str]:
        """Whoever has had least of a service first."""
        shuffled = self._chance.sample(offer.patients, len(offer.patients))
        return sorted(shuffled, key=lambda patient: self._weekly[patient, offer.service["id"]])

    def _take(self, habit: Habit, service: Document, *, shares_practitioner: bool = False) -> bool:
        """Takes everyone's time, a room's, and the patient's minutes; nothing if one of them is not to be had."""
        if not self._suits(habit, service):
            return False
        taken = [] if shares_practitioner else _of_practitioners(habit)
        if service["attendance"] == "patient":
            taken.append((habit.patient_id, (habit.start, habit.ends)))
        if habit.caregiver_id is not None:
            taken.append((habit.caregiver_id, (habit.start, habit.ends)))
        if any(self._is_taken(resource, habit.weekday, *span) for resource, span in taken):
            return False
        if habit.location == "on_site":
            room = self._room(habit, service)
            if room is None:
                return False
            taken.append((room["id"], (habit.start, habit.ends + _turnover(room, service))))
        for resource, span in taken:
            self._taken[resource, habit.weekday].append(span)
        self._of[habit] = taken
        self._weekly[habit.patient_id, habit.service_id] += habit.minutes
        if not shares_practitioner:
            self._count(habit, 1)
        return True

    def _suits(self, habit: Habit, service: Document) -> bool:
        """Whether the patient would come then, to these practitioners."""
        patient = self._patients[habit.patient_id]
        excluded = set(patient["excluded_practitioner_ids"])
        if excluded & {line.practitioner_id for line in habit.lines()}:
            return False
        return (
            not patient["availability"]
            or service["attendance"] != "patient"
            or any(
                each["weekday"] == habit.weekday
                and minutes_of(each["start"]) <= habit.start
                and habit.ends <= minutes_of(each["end"])
                for each in patient["availability"]
            )
        )

    def _count(self, habit: Habit, sign: int) -> None:
        for line in habit.lines():
            self._busy[line.practitioner_id] += sign * (line.end - line.start)

    def _give_back(self, habit: Habit) -> None:
        for resource, span in self._of.pop(habit):
            self._taken[resource, habit.weekday].remove(span)
        self._weekly[habit.patient_id, habit.service_id] -= habit.minutes
        self._count(habit, -1)

    def _is_taken(self, resource: str, weekday: int, start: int, end: int, seats: int = 1) -> bool:
        overlapping = [span for span in self._taken[resource, weekday] if span[0] < end and start < span[1]]
        return len(overlapping) >= seats

    def _room(self, habit: Habit, service: Document) -> Document | None:
        """A room that suits and has a seat, the smallest first, as rooms are assigned."""
        patient = self._patients[habit.patient_id]
        found = [
            room
            for room in self._rooms
            if room["clinic_id"] == habit.clinic_id and suits(room, service, patient)
        ]
        for room in sorted(found, key=lambda room: (room["capacity"], room["number"])):
            after = habit.ends + _turnover(room, service)
            seats = room["concurrent_visits_max"]
            if not self._is_taken(room["id"], habit.weekday, habit.start, after, seats):
                return room
        return None

    def _thin(self, own: list[Habit], over: float) -> None:
        """Takes visits out, here and there, until about `over` minutes are gone."""
        for habit in self._chance.sample(own, len(own)):
            if habit.minutes / 2 <= over:
                own.remove(habit)
                self._give_back(habit)
                over -= habit.minutes


def _sitting(
    practitioner: str,
    hours: Document,
    start: int,
    patient: str,
    location: str,
    sitting: Sequence[tuple[Document, int]],
) -> Habit:
    """One visit of services that follow each other."""
    (first, length), *others = sitting
    at, parts = start + length, []
    for service, minutes in others:
        parts.append(Part(practitioner, service["id"], at, at + minutes))
        at += minutes
    return Habit(
        practitioner, hours["clinic_id"], hours["weekday"], start, start + length, patient, first["id"], location,
        tuple(parts),
    )  # fmt: skip


def _of_practitioners(habit: Habit) -> list[tuple[str, Span]]:
    """Whose time a visit takes, from the way there to the last line."""
    found: dict[str, Span] = {}
    for line in habit.lines():
        start = line.start - (habit.travel_minutes if line.start == habit.start else 0)
        known = found.get(line.practitioner_id, (start, line.end))
        found[line.practitioner_id] = min(known[0], start), max(known[1], line.end)
    return list(found.items())


def works(practitioner: Document, clinic: str, weekday: int, span: Span) -> bool:
    """Whether a span of a weekday, in minutes since midnight, lies in the working hours at a clinic."""
    return any(
        (hours["clinic_id"], hours["weekday"]) == (clinic, weekday)
        and minutes_of(hours["start"]) <= span[0]
        and span[1] <= minutes_of(hours["end"])
        for hours in practitioner["working_hours"]
    )


def working_minutes(practitioner: Document) -> int:
    """Of one week."""
    return sum(minutes_of(each["end"]) - minutes_of(each["start"]) for each in practitioner["working_hours"])


def _turnover(room: Document, service: Document) -> int:
    own: int = room["cleaning_minutes"]
    return max(own, service["turnover_minutes"] or 0)


class Cover:
    """What authorizations still hold while visits are being planned: a visit that none pays for is not planned."""

    def __init__(self, world: World) -> None:
        self._services = world.by_id("service")
        used = dict(world.used_units)
        self._left = {
            each["id"]: each["total_units"] - used.get(each["id"], 0) for each in world.all("authorization")
        }
        self._of: dict[str, list[Document]] = defaultdict(list)
        for each in world.all("authorization"):
            if each["approval"] == "approved":
                self._of[each["patient_id"]].append(each)

    def take(self, book: Book, on: date) -> bool:
        """Whether every line of a visit on a local date is paid for; if so its units are gone."""
        taken: list[tuple[str, int]] = []
        for _, line in book.lines:
            service = self._services[line.service_id]
            if not service["authorization_required"]:
                continue
            minutes = ((line.end or book.start) - (line.start or book.start)) // MINUTE
            units = units_to_reserve(minutes, service["unit_basis"], service["unit_minutes"])
            paid = self._paid(book.patient, service, units, on.isoformat())
            if paid is None:
                for authorization, given in taken:
                    self._left[authorization] += given
                return False
            self._left[paid] -= units
            taken.append((paid, units))
        return True

    def _paid(self, patient: str, service: Document, units: int, on: str) -> str | None:
        for each in self._of[patient]:
            if (
                service["code"] in each["service_codes"]
                and each["unit_basis"] == service["unit_basis"]
                and each["start_date"] <= on <= each["end_date"]
                and self._left[each["id"]] >= units
            ):
                return str(each["id"])
        return None


class Rooms:
    """Which rooms visits will get when they are booked in order, by the same rule: a visit that would get none is not
    planned. Places with a seat left are compared by capacity, then by visits that day."""

    def __init__(self, world: World) -> None:
        self._zones = {clinic["id"]: clinic["time_zone"] for clinic in world.all("clinic")}
        self._services, self._patients = world.by_id("service"), world.by_id("patient")
        self._rooms = sorted(world.all("room"), key=lambda room: (room["display_order"], room["number"]))
        self._taken: dict[tuple[str, date], list[Span]] = defaultdict(list)
        for planned in world.visits:
            self.take(planned)

    def take(self, planned: Planned) -> bool:
        """Whether the visit gets a room, or needs none; if so the room's time is gone."""
        book = planned.book
        if book.location != "on_site":
            return True
        service = self._services[book.first.service_id]
        on = local_date(book.start, self._zones[book.clinic_id])
        free = [
            (room, (book.start, planned.end + _turnover(room, service) * MINUTE))
            for room in self._rooms
            if room["clinic_id"] == book.clinic_id and suits(room, service, self._patients[book.patient])
        ]
        free = [each for each in free if self._has_seat(each[0], on, each[1])]
        if not free:
            return False
        room, span = min(free, key=lambda each: (each[0]["capacity"], len(self._taken[each[0]["id"], on])))
        self._taken[room["id"], on].append(span)
        return True

    def _has_seat(self, room: Document, on: date, span: Span) -> bool:
        beside = [each for each in self._taken[room["id"], on] if overlaps(each, span)]
        return bool(most_at_once(beside, *span) < room["concurrent_visits_max"])


def suits(room: Document, service: Document, patient: Document) -> bool:
    """Whether a room is right for a service and a patient, whatever the time."""
    return (
        room["room_type"] in (service["room_types"] or [room["room_type"]])
        and set(service["equipment"]) <= set(room["equipment"])
        and room["capacity"] >= service["capacity"]
        and set(patient["needs"]) <= set(room["accessibility"])
    )


def visits(
    world: World, habits: Sequence[Habit], first_day: int, last_day: int, missed: float
) -> list[Planned]:
    """The week laid over the days from today `first_day` to `last_day`, in order of time; of each visit the share
    `missed` does not come about."""
    cover, rooms, clinics = Cover(world), Rooms(world), world.by_id("clinic")
    found: list[tuple[int, Habit, date]] = []
    for habit in habits:
        zone = clinics[habit.clinic_id]["time_zone"]
        dates = _dates(world.today(zone), habit.weekday, first_day, last_day)
        found += [(wall(on, habit.start, zone), habit, on) for on in dates]
    planned = []
    for start, habit, on in sorted(found, key=lambda each: (each[0], each[1][:8])):
        if not habit.is_kept and world.chance.some(missed):
            continue
        wanted = planned_visit(habit, start)
        if cover.take(wanted.book, on) and rooms.take(wanted):
            planned.append(wanted)
    return planned


def planned_visit(habit: Habit, start: int) -> Planned:
    """The visit of a habit that begins at an instant."""

    def at(minute: int) -> int:
        return start + (minute - habit.start) * MINUTE

    book = Book(
        clinic_id=habit.clinic_id, patient=habit.patient_id, start=start, location=habit.location,
        first=LineWish(
            practitioner_id=habit.practitioner_id, service_id=habit.service_id, end=at(habit.end),
            caregiver_id=habit.caregiver_id, travel_before_minutes=habit.travel_minutes,
        ),
        others=tuple(
            (f"lines[{n}].", LineWish(
                practitioner_id=part.practitioner_id, service_id=part.service_id, start=at(part.start),
                end=at(part.end),
            ))
            for n, part in enumerate(habit.parts)
        ),
    )  # fmt: skip
    return Planned(book=book, end=at(habit.ends), is_kept=habit.is_kept)


def _dates(today: date, weekday: int, first_day: int, last_day: int) -> Iterator[date]:
    for day in range(first_day, last_day + 1):
        on = today + timedelta(days=day)
        if on.weekday() == weekday:
            yield on


def gaps(
    world: World, practitioner: Document, minutes: int, first_day: int
) -> Iterator[tuple[Document, date, int]]:
    """The times from a day on at which a practitioner works and nothing is planned: the hours each lies in, the date, and
    its start."""
    clinics, busy = world.by_id("clinic"), world.busy(practitioner["id"])
    for day in range(first_day, first_day + 14):
        for hours in practitioner["working_hours"]:
            zone = clinics[hours["clinic_id"]]["time_zone"]
            on = world.today(zone) + timedelta(days=day)
            if on.weekday() != hours["weekday"]:
                continue
            opens, closes = minutes_of(hours["start"]), minutes_of(hours["end"])
            for at in range(opens, closes - minutes + 1, _GRID_MINUTES):
                start = wall(on, at, zone)
                if not any(overlaps((start, start + minutes * MINUTE), taken) for taken in busy):
                    yield hours, on, start

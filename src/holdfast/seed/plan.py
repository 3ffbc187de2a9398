"""From working hours and caseloads to visits: a week that repeats, as therapy does, laid over past and future dates.

Keeps patients and rooms free of one another by a count of its own, so that nearly all is granted; what is granted
decides the booking transaction, as always.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from holdfast.commands.book import Book
from holdfast.commands.line_wish import LineWish
from holdfast.commands.save import Document
from holdfast.seed.chance import Chance
from holdfast.seed.world import Planned, World
from holdfast.slot import MINUTE, units_to_reserve, wall

_GRID_MINUTES = 15
_TRAVEL_MINUTES = 30


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A service for some patients. `minutes`: lengths to choose from; `weekly`: minutes per patient at most."""

    service: Document
    patients: Sequence[str]
    minutes: tuple[int, ...]
    weekly: int
    locations: tuple[str, ...] = ("on_site",)


class Habit(NamedTuple):
    """A visit of every week, in the clinic's wall clock."""

    practitioner_id: str
    clinic_id: str
    weekday: int
    start: int
    end: int
    patient_id: str
    service_id: str
    location: str


def minutes_of(wall_time: str) -> int:
    hours, minutes = wall_time.split(":")
    return int(hours) * 60 + int(minutes)


class Week:
    """The repeating week of an organization while it is being filled."""

    def __init__(self, world: World) -> None:
        self._chance: Chance = world.chance
        self._rooms = world.all("room")
        self._needs = {patient["id"]: set(patient["needs"]) for patient in world.all("patient")}
        self._taken: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        self._weekly: dict[tuple[str, str], int] = defaultdict(int)
        self._of: dict[Habit, list[tuple[str, tuple[int, int]]]] = {}
        """What each visit has taken: resources and their minutes."""
        self.habits: list[Habit] = []

    def fill(self, practitioner: Document, offers: Sequence[Offer], share: float) -> None:
        """Gives a practitioner visits for `share` of the working hours."""
        own: list[Habit] = []
        for hours in practitioner["working_hours"]:
            at, end = minutes_of(hours["start"]), minutes_of(hours["end"])
            while at < end:
                habit = self._habit(practitioner["id"], hours, at, end, offers)
                if habit is None:
                    at += _GRID_MINUTES
                    continue
                own.append(habit)
                at = -(-habit.end // _GRID_MINUTES) * _GRID_MINUTES
                at += 0 if habit.location in {"on_site", "telehealth"} else _TRAVEL_MINUTES
        self._thin(own, share * working_minutes(practitioner))
        self.habits += own

    def _habit(
        self, practitioner: str, hours: Document, at: int, end: int, offers: Sequence[Offer]
    ) -> Habit | None:
        """A visit that could be had at that time; its time and minutes are taken."""
        clinic, weekday = hours["clinic_id"], hours["weekday"]
        for offer in self._chance.sample(offers, len(offers)):
            lengths = [length for length in offer.minutes if at + length <= end]
            if not lengths:
                continue
            length, service = self._chance.choice(lengths), offer.service
            for patient in self._chance.sample(offer.patients, len(offer.patients)):
                if self._weekly[patient, service["id"]] + length > offer.weekly:
                    continue
                if service["attendance"] == "patient" and self._is_taken(patient, weekday, at, at + length):
                    continue
                for location in self._chance.sample(offer.locations, len(offer.locations)):
                    found = Habit(
                        practitioner, clinic, weekday, at, at + length, patient, service["id"], location
                    )
                    if self._take(found, service):
                        return found
        return None

    def _take(self, habit: Habit, service: Document) -> bool:
        """Takes the patient's time, a room's, and the patient's minutes; nothing if there is no room."""
        taken = []
        if habit.location == "on_site":
            room = self._room(habit, service)
            if room is None:
                return False
            taken.append((room["id"], (habit.start, habit.end + _turnover(room, service))))
        if service["attendance"] == "patient":
            taken.append((habit.patient_id, (habit.start, habit.end)))
        for resource, span in taken:
            self._taken[resource, habit.weekday].append(span)
        self._of[habit] = taken
        self._weekly[habit.patient_id, habit.service_id] += habit.end - habit.start
        return True

    def _give_back(self, habit: Habit) -> None:
        for resource, span in self._of.pop(habit):
            self._taken[resource, habit.weekday].remove(span)
        self._weekly[habit.patient_id, habit.service_id] -= habit.end - habit.start

    def _is_taken(self, resource: str, weekday: int, start: int, end: int, seats: int = 1) -> bool:
        overlapping = [span for span in self._taken[resource, weekday] if span[0] < end and start < span[1]]
        return len(overlapping) >= seats

    def _room(self, habit: Habit, service: Document) -> Document | None:
        """A room that suits and has a seat, the smallest first, as rooms are assigned."""
        suits = [
            room
            for room in self._rooms
            if room["clinic_id"] == habit.clinic_id
            and room["room_type"] in (service["room_types"] or [room["room_type"]])
            and set(service["equipment"]) <= set(room["equipment"])
            and room["capacity"] >= service["capacity"]
            and self._needs[habit.patient_id] <= set(room["accessibility"])
        ]
        for room in sorted(suits, key=lambda room: (room["capacity"], room["number"])):
            after = habit.end + _turnover(room, service)
            seats = room["concurrent_visits_max"]
            if not self._is_taken(room["id"], habit.weekday, habit.start, after, seats):
                return room
        return None

    def _thin(self, own: list[Habit], minutes: float) -> None:
        """Takes visits out, here and there, until about so many minutes are left."""
        over = sum(habit.end - habit.start for habit in own) - minutes
        for habit in self._chance.sample(own, len(own)):
            length = habit.end - habit.start
            if length / 2 <= over:
                own.remove(habit)
                self._give_back(habit)
                over -= length


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

    def take(self, patient: str, service_id: str, minutes: int, on: date) -> bool:
        """Whether the visit is paid for; if so its units are gone."""
        service = self._services[service_id]
        if not service["authorization_required"]:
            return True
        units = units_to_reserve(minutes, service["unit_basis"], service["unit_minutes"])
        for each in self._of[patient]:
            if (
                service["code"] in each["service_codes"]
                and each["unit_basis"] == service["unit_basis"]
                and each["start_date"] <= on.isoformat() <= each["end_date"]
                and self._left[each["id"]] >= units
            ):
                self._left[each["id"]] -= units
                return True
        return False


def visits(
    world: World, habits: Sequence[Habit], first_day: int, last_day: int, missed: float
) -> list[Planned]:
    """The week laid over the days from today `first_day` to `last_day`, in order of time; of each visit the share
    `missed` does not come about."""
    cover, clinics = Cover(world), world.by_id("clinic")
    found: list[tuple[int, Habit, date]] = []
    for habit in habits:
        zone = clinics[habit.clinic_id]["time_zone"]
        dates = _dates(world.today(zone), habit.weekday, first_day, last_day)
        found += [(wall(on, habit.start, zone), habit, on) for on in dates]
    planned = []
    for start, habit, on in sorted(found, key=lambda each: (each[0], each[1])):
        if world.chance.some(missed):
            continue
        minutes = habit.end - habit.start
        if cover.take(habit.patient_id, habit.service_id, minutes, on):
            planned.append(planned_visit(habit, start))
    return planned


def planned_visit(habit: Habit, start: int) -> Planned:
    end = start + (habit.end - habit.start) * MINUTE
    book = Book(
        clinic_id=habit.clinic_id, patient=habit.patient_id, start=start, location=habit.location,
        first=LineWish(practitioner_id=habit.practitioner_id, service_id=habit.service_id, end=end),
    )  # fmt: skip
    return Planned(book=book, end=end)


def _dates(today: date, weekday: int, first_day: int, last_day: int) -> Iterator[date]:
    for day in range(first_day, last_day + 1):
        on = today + timedelta(days=day)
        if on.weekday() == weekday:
            yield on


def gap(world: World, practitioner: Document, minutes: int, first_day: int) -> tuple[Document, int] | None:
    """The first time from a day on at which a practitioner works and no planned visit is: the hours it lies in, and
    its start."""
    clinics = world.by_id("clinic")
    busy = [
        (each.book.start, each.end)
        for each in world.visits
        if each.book.first.practitioner_id == practitioner["id"]
    ]
    for day in range(first_day, first_day + 14):
        for hours in practitioner["working_hours"]:
            zone = clinics[hours["clinic_id"]]["time_zone"]
            on = world.today(zone) + timedelta(days=day)
            if on.weekday() != hours["weekday"]:
                continue
            opens, closes = minutes_of(hours["start"]), minutes_of(hours["end"])
            for at in range(opens, closes - minutes + 1, _GRID_MINUTES):
                start = wall(on, at, zone)
                end = start + minutes * MINUTE
                if not any(taken[0] < end and start < taken[1] for taken in busy):
                    return hours, start
    return None

"""Rules alone (S6): ten hard and twenty soft ones choose a room for one visit, in this process, without database or HTTP.
The rules are a document as `POST /policies` takes it.
"""

import random
import time
from datetime import date, timedelta
from statistics import median
from typing import Any

import msgspec

from holdfast.proof.statistics import nearest_rank
from holdfast.rules import rooms
from holdfast.rules.assess import question_about
from holdfast.rules.facts import (
    Clinic,
    Directory,
    DirectoryDocument,
    Line,
    Organization,
    Patient,
    PolicyDocument,
    Practitioner,
    Room,
    Service,
    StoredClaim,
    Visit,
)
from holdfast.rules.policy.document import decode
from holdfast.rules.policy.policy import in_force
from holdfast.rules.timetable import Timetable
from holdfast.slot import DAY, MINUTE, wall

ROOMS = (10, 50)
_PRACTITIONERS = 20
_DAYS = 20
_SLOTS = 2_000
_ZONE = "America/Denver"
_FIRST = date(2030, 3, 4)
_HOURS = range(8, 18)


class RulesAlone(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of one slot: the visit's own rules, and the room chosen among all."""

    rooms: int
    hard: int
    soft: int
    slots: int
    chosen: int
    median_us: float
    p95_us: float

    @property
    def median_us_per_room(self) -> float:
        return round(self.median_us / self.rooms, 2)


def rules_alone(room_count: int, seed: int) -> RulesAlone:
    chance = random.Random(f"{seed} rules {room_count}")  # noqa: S311
    directory = _directory(room_count)
    timetable = _half_full(directory, chance)
    clinic, among = directory.clinics["clinic"], directory.rooms_of["clinic"]
    patient = Patient("patient", "Given", "Family", frozenset(), is_active=True)
    visits = [_visit(chance) for _ in range(_SLOTS)]
    took: list[float] = []
    chosen = 0
    for visit in visits * 2:  # compiled and remembered in the first pass
        began = time.perf_counter()
        question = question_about(directory, clinic, patient, visit, 0)
        against = in_force(directory).program(question).against(question, timetable)
        found = rooms.choose(directory, timetable, among, question)
        took.append((time.perf_counter() - began) * 1e6)
        chosen += not against and isinstance(found, rooms.RoomChoice)
    took = took[_SLOTS:]
    rules = decode(document(room_count))
    return RulesAlone(
        rooms=room_count, hard=sum(rule.kind == "hard" for rule in rules), soft=sum(rule.kind == "soft" for rule in rules),
        slots=_SLOTS, chosen=chosen // 2, median_us=round(median(took), 1), p95_us=round(nearest_rank(sorted(took), 95), 1),
    )  # fmt: skip


def document(room_count: int) -> list[dict[str, Any]]:
    """The rules: of hours, people, rooms, and of everything that rules may look at."""
    ids, who = [f"room-{n}" for n in range(room_count)], [f"person-{n}" for n in range(_PRACTITIONERS)]
    hard: list[dict[str, Any]] = [
        {"type": "time_range", "time_from": "08:00", "time_to": "18:00"},
        {"type": "time_range", "time_from": "12:00", "time_to": "13:00", "allow": "outside"},
        {"type": "time_range", "time_from": "08:00", "time_to": "17:00", "when": {"weekdays": [4]}},
        {"type": "cleaning_buffer", "minutes": 10},
        {"type": "workload", "visits_max": 15},
        {"type": "practitioner_room", "allowed_rooms": ids[1:], "practitioner_ids": who[:5]},
        {"type": "reserved_time", "time_from": "08:00", "time_to": "09:00", "room_ids": ids[:1]},
        {"type": "reserved_time", "time_from": "16:00", "time_to": "17:00", "room_ids": ids[1:2]},
        {"type": "capacity"},
        {"type": "equipment", "equipment": ["table"]},
    ]
    soft: list[dict[str, Any]] = [
        {"type": "time_preference", "time_from": "08:00", "time_to": "12:00", "score_modifier": 15},
        {"type": "time_preference", "time_from": "09:00", "time_to": "11:00"},
        {"type": "time_preference", "time_from": "14:00", "time_to": "16:00", "when": {"weekdays": [1, 3]}},
        {"type": "workload", "visits_max": 8, "penalty": 10},
        {"type": "utilization_balancing"},
        {"type": "utilization_balancing", "visits_per_day_max": 12, "when": {"time_from": "08:00", "time_to": "12:00"}},
        {"type": "continuity"},
        {"type": "same_room_as_last_visit"},
        {"type": "proximity", "near_each_other": ids[: room_count // 2]},
        {"type": "proximity", "near_each_other": ids[room_count // 2 :]},
        *(
            {"type": "practitioner_room_preference", "preferred_rooms": ids[n::10], "practitioner_ids": who[2 * n : 2 * n + 2]}
            for n in range(10)
        ),
    ]  # fmt: skip
    return [
        {"name": f"{kind} {n}", "kind": kind} | rule
        for kind, rules in (("hard", hard), ("soft", soft))
        for n, rule in enumerate(rules)
    ]


def _directory(room_count: int) -> Directory:
    nothing: frozenset[str] = frozenset()
    return Directory(DirectoryDocument(
        seq=1, directory_seq=1, organization=Organization("organization", "Bench", _ZONE, {}),
        clinics=[Clinic("clinic", "Bench", _ZONE, allow_unassigned=False, is_active=True, hours=())],
        rooms=[
            Room(f"room-{n}", "clinic", f"{n:02}", "", "talk", 2 + n % 3, 1, frozenset({"table"}), nothing, 0, is_available=True,
                 display_order=n)
            for n in range(room_count)
        ],
        practitioners=[
            Practitioner(f"person-{n}", f"Person {n}", 0, 1, is_active=True, clinic_ids=nothing, credentials=(), hours=(),
                         exceptions=())
            for n in range(_PRACTITIONERS)
        ],
        services=[
            Service("service", "Bench", "BENCH", 60, ("on_site",), "patient", nothing, nothing, 1, nothing, None, "time", 15,
                    authorization_required=False, is_active=True)
        ],
        payers=[], closures=[], time_off=[], policy_version=1,
        policies=[PolicyDocument("policy", "organization", None, 1, document(room_count))],
    ))  # fmt: skip


def _half_full(directory: Directory, chance: random.Random) -> Timetable:
    """Half of the rooms are taken at every hour, each by one of the practitioners as far as they go."""
    timetable = Timetable(1)
    claims: list[StoredClaim] = []
    for day in range(_DAYS):
        for hour in _HOURS:
            start = wall(_FIRST + timedelta(days=day), hour * 60, _ZONE)
            taken = chance.sample(sorted(directory.rooms), len(directory.rooms) // 2)
            people = chance.sample(sorted(directory.practitioners), min(len(taken), _PRACTITIONERS // 2))
            for number, room in enumerate(taken):
                owner = f"{day} {hour} {number}"
                pair = (room, *people[number : number + 1])
                claims += [StoredClaim(who, 0, start, start + 50 * MINUTE, "visit", owner) for who in pair]
    first = wall(_FIRST, 0, _ZONE) // DAY
    everyone = [*directory.rooms, *directory.practitioners, "patient"]
    timetable.fill({(who, first + n) for who in everyone for n in range(-1, _DAYS + 2)}, claims)
    return timetable


def _visit(chance: random.Random) -> Visit:
    on = _FIRST + timedelta(days=chance.randrange(_DAYS))
    start = wall(on, chance.choice(_HOURS) * 60, _ZONE)
    end = start + 50 * MINUTE
    line = Line(1, f"person-{chance.randrange(_PRACTITIONERS)}", "service", start, end)
    return Visit("", "clinic", "patient", None, "on_site", start, end, "scheduled", [line])

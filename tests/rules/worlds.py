"""Random clinics for the laws of the rules: small enough to decide by hand, odd enough to be wrong about."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from holdfast.rules.facts import (
    Authorization,
    Clinic,
    Closure,
    Constraints,
    Credential,
    Directory,
    DirectoryDocument,
    HoursException,
    Line,
    Organization,
    Past,
    Patient,
    PolicyDocument,
    Practitioner,
    Room,
    Service,
    StoredClaim,
    TimeOff,
    Visit,
    WorkingHours,
)
from holdfast.rules.policy.types import TYPES
from holdfast.rules.timetable import Timetable
from holdfast.slot import DAY, MINUTE, day_span

# The clock changes in Denver on the first two and on Lord Howe on the third; nothing happens on the last.
DAYS = (date(2026, 3, 7), date(2026, 10, 31), date(2026, 10, 3), date(2026, 6, 10))
ZONES = ("America/Denver", "America/Phoenix", "Australia/Lord_Howe")
NEEDS = ("step_free", "hearing_loop")
NOTHING: frozenset[str] = frozenset()


@dataclass
class World:
    """A clinic, a patient, and a visit that somebody looks for; `first` is the first date that is looked at."""

    directory: Directory
    claims: list[StoredClaim]
    patient: Patient | None
    authorizations: list[Authorization]
    visit: Visit
    first: date

    def timetable(self, since: int = 0) -> Timetable:
        """Every resource, from a week before the first date (not before the day `since`) to a week after it."""
        resources = {"p", *self.directory.rooms, *self.directory.practitioners}
        middle = day_span(self.first, "UTC")[0] // DAY
        timetable = Timetable(1)
        timetable.fill(
            {(each, middle + n) for each in resources for n in range(-7, 9) if middle + n >= since},
            self.claims,
        )
        return timetable

    @property
    def clinic(self) -> Clinic:
        return self.directory.clinics["c"]


def subset(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), max_size=len(values))


def rarely(value: Any, otherwise: Any) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).map(lambda n: value if n == 9 else otherwise)


@st.composite
def rooms(draw: Any, number: str) -> Room:
    return Room(
        id=f"r{number}", clinic_id=draw(rarely("other", "c")), number=draw(st.sampled_from("12")), name="",
        room_type=draw(st.sampled_from(("talk", "talk", "gym"))), capacity=draw(st.integers(1, 3)),
        seats=draw(rarely(2, 1)), equipment=draw(subset(("swing", "mirror"))), accessibility=draw(subset(NEEDS)),
        cleaning_minutes=draw(st.sampled_from((0, 10, 45))), is_available=draw(rarely(False, True)),
        display_order=draw(st.integers(0, 1)),
    )  # fmt: skip


@st.composite
def spans_of_day(draw: Any) -> tuple[int, int]:
    """Minutes since midnight; often the edges of the day."""
    edges = st.sampled_from((0, 60, 120, 150, 180, 480, 720, 1080, 1380, 1440))
    start, end = sorted((draw(edges), draw(edges)))
    return (start, end) if start < end else (0, 1440)


def weekdays() -> st.SearchStrategy[list[int]]:
    """None, all, or some; a day may have several stretches."""
    return st.sampled_from(([], list(range(7)))) | st.lists(st.integers(0, 6), max_size=9)


@st.composite
def practitioners(draw: Any, number: str, first: date) -> Practitioner:
    weekly = []
    for weekday in draw(weekdays()):
        start, end = draw(spans_of_day())
        clinic, last = draw(rarely("other", "c")), draw(rarely(first, None))
        weekly.append(WorkingHours(clinic, weekday, start, end, None, last))
    exceptions = [
        HoursException(
            "c", first + timedelta(days=n), *(draw(spans_of_day()) if draw(st.booleans()) else (None, None))
        )
        for n in draw(rarely([0], []))
    ]
    held = (
        [Credential("RBT", draw(rarely(first + timedelta(days=1), None)), None)]
        if draw(st.booleans())
        else []
    )
    return Practitioner(
        id=f"a{number}", name=f"A{number}", buffer_minutes=draw(st.sampled_from((0, 0, 10))), seats=draw(rarely(2, 1)),
        is_active=draw(rarely(False, True)), clinic_ids=draw(rarely(frozenset({"other"}), frozenset({"c"}))),
        credentials=tuple(held), hours=tuple(weekly), exceptions=tuple(exceptions),
    )  # fmt: skip


@st.composite
def services(draw: Any) -> Service:
    return Service(
        id="s", name="S", code="97153", duration_minutes=draw(st.sampled_from((20, 45, 60, 60, 240, 1440))),
        locations=(draw(st.sampled_from(("on_site", "on_site", "home"))),),
        attendance=draw(st.sampled_from(("patient", "caregiver"))), room_types=draw(rarely(frozenset({"gym"}), NOTHING)),
        equipment=draw(rarely(frozenset({"swing"}), NOTHING)), capacity=draw(st.integers(1, 2)),
        required_credentials=draw(rarely(frozenset({"RBT", "PT"}), NOTHING)),
        turnover_minutes=draw(st.sampled_from((None, 0, 20))), unit_basis="time", unit_minutes=15,
        authorization_required=draw(rarely(True, False)), is_active=draw(rarely(False, True)),
    )  # fmt: skip


@st.composite
def moments(draw: Any, first: date) -> tuple[int, int]:
    """Some time around the first date, of a length that a claim or an absence may have."""
    start = (
        day_span(first, "UTC")[0]
        + draw(st.integers(-6, 16)) * 4 * 3600
        + draw(st.integers(0, 15)) * 15 * MINUTE
    )
    return start, start + draw(st.sampled_from((15, 60, 60, 240, 1440))) * MINUTE


@st.composite
def constraints(draw: Any) -> Constraints:
    """Of somebody who can come for a part of every day, or whenever it is; mostly with anybody."""
    part = draw(st.sampled_from((None, (0, 600), (540, 720), (660, 1440))))
    weekly = () if part is None else tuple((weekday, *part) for weekday in range(7))
    return Constraints(excluded=draw(rarely(frozenset({"a0"}), NOTHING)), availability=weekly)


def points() -> st.SearchStrategy[int]:
    return st.sampled_from((0, 1, 5, 10, 60, 1000))


@st.composite
def whens(draw: Any) -> dict[str, Any] | None:
    """What a rule is about; mostly everything."""
    asked = {
        "service_ids": st.sampled_from((["s"], ["other"])), "weekdays": st.lists(st.integers(0, 6), max_size=4),
        "time_from": st.sampled_from(("00:00", "01:00", "09:15")), "needs": st.just([NEEDS[0]]),
        "patient": st.sampled_from(("new", "returning")),
    }  # fmt: skip
    chosen = draw(st.sets(st.sampled_from(sorted(asked)), max_size=2)) if draw(st.booleans()) else ()
    return {name: draw(asked[name]) for name in sorted(chosen)} or None


@st.composite
def rule_documents(draw: Any, name: str, kinds: tuple[str, ...] = ("hard", "soft")) -> dict[str, Any]:
    """A rule of some type, as a document has it."""
    some_rooms = st.lists(st.sampled_from(("r0", "r1", "r2", "r3")), max_size=3, unique=True)
    low, high = sorted((draw(st.sampled_from(range(24))), draw(st.sampled_from(range(1, 25)))))
    window = {"time_from": f"{low:02}:00", "time_to": f"{high if high > low else low + 1:02}:00"}
    hard: dict[str, dict[str, Any]] = {
        "equipment": {"equipment": ["mirror"]}, "capacity": {"people": 2}, "accessibility": {"features": [NEEDS[1]]},
        "room_type_match": {"room_types": ["gym"]}, "time_range": {**window, "allow": "outside"},
        "practitioner_room": {"allowed_rooms": draw(some_rooms), "practitioner_ids": draw(rarely(["a1"], []))},
        "reserved_time": {**window, "release_hours_before": 0, "room_ids": draw(some_rooms)},
        "workload": {"visits_max": draw(st.integers(1, 3))}, "patient_availability": {},
        "cleaning_buffer": {"minutes": draw(st.sampled_from((0, 30)))},
        "buffer_time": {"minutes": draw(st.sampled_from((0, 30)))},
    }  # fmt: skip
    soft: dict[str, dict[str, Any]] = {
        "practitioner_room_preference": {"preferred_rooms": draw(some_rooms)}, "time_preference": window,
        "utilization_balancing": {"visits_per_day_max": draw(st.integers(1, 4))}, "continuity": {},
        "same_room_as_last_visit": {}, "proximity": {"near_each_other": draw(some_rooms)},
        "workload": {"visits_max": draw(st.integers(1, 3))}, "patient_availability": {},
    }  # fmt: skip
    kind = draw(st.sampled_from(kinds))
    type_ = draw(st.sampled_from(sorted(hard if kind == "hard" else soft)))
    rule = {"name": name, "kind": kind, "type": type_, **(hard if kind == "hard" else soft)[type_]}
    if kind == "soft":
        rule |= {"score_modifier": draw(points()), "penalty": draw(points())}
    when = draw(whens())
    if when is not None:
        allowed = TYPES[type_].conditions
        rule["when"] = {asked: value for asked, value in when.items() if asked in allowed}
    return rule


@st.composite
def policies(draw: Any) -> list[PolicyDocument]:
    """No rules, or some in several scopes."""
    if not draw(st.booleans()):
        return []
    places = (("organization", None), ("clinic", "c"), ("service", "s"), ("practitioner", "a0"))
    found = []
    for number, (scope, scope_id) in enumerate(
        draw(st.sets(st.sampled_from(places), min_size=1, max_size=2))
    ):
        names = draw(st.sets(st.sampled_from("klmn"), min_size=1, max_size=3))
        rules = [draw(rule_documents(name)) for name in sorted(names)]
        found.append(PolicyDocument(f"{number}", scope, scope_id, number + 1, rules))
    return found


@st.composite
def worlds(draw: Any, *, ruled: bool = True) -> World:
    first, zone = draw(st.sampled_from(DAYS)), draw(st.sampled_from(ZONES))
    hours = [(weekday, *draw(spans_of_day())) for weekday in draw(weekdays())]
    clinics = [
        Clinic(
            each, each, zone, allow_unassigned=False, is_active=draw(rarely(False, True)), hours=tuple(hours)
        )
        for each in ("c", "other")
    ]
    all_rooms = [draw(rooms(str(n))) for n in range(draw(st.integers(1, 4)))]
    people = [draw(practitioners(str(n), first)) for n in range(draw(st.integers(1, 3)))]
    absences = [
        Closure(f"x{n}", "c", draw(st.sampled_from((None, all_rooms[0].id))), *draw(moments(first)))
        for n in range(draw(st.integers(0, 2)))
    ]
    away = [TimeOff("t", people[0].id, *draw(moments(first))) for _ in range(draw(st.integers(0, 1)))]
    directory = Directory(DirectoryDocument(
        1, 1, Organization("o", "O", zone, {}), clinics, all_rooms, people, [draw(services())], [], absences, away,
        1, draw(policies()) if ruled else [],
    ))  # fmt: skip
    moved = draw(st.integers(-3, 3))
    past = [
        Past(
            f"e{n}",
            day_span(first, zone)[0] + (moved + n) * DAY,
            draw(st.sampled_from((None, "r0", "r1"))),
            ("a1",),
        )
        for n in range(draw(st.integers(0, 2)))
    ]
    patient = Patient(
        "p", "Given", "Family", draw(rarely(frozenset({NEEDS[0]}), NOTHING)), is_active=True,
        stored_constraints=draw(constraints()) if draw(st.booleans()) else None, past=tuple(past),
    )  # fmt: skip
    authorization = Authorization(
        "z", "p", "y", frozenset({"97153"}), "time", 100, draw(st.sampled_from((0, 95))), 0, 0,
        first - timedelta(days=1), first + timedelta(days=draw(st.integers(0, 3))), "approved", 1,
    )  # fmt: skip
    return World(
        directory, draw(claims(first, ["p", *directory.rooms, *directory.practitioners])),
        draw(st.sampled_from((patient, None))), [authorization],
        visit(directory.services["s"], people[0], day_span(first, zone)[0]), first,
    )  # fmt: skip


@st.composite
def full_worlds(draw: Any) -> World:
    """A world in which the first seat of every room is taken for a part of some day, so that rooms of one seat are full;
    sometimes a room or a practitioner has a second."""
    world: World = draw(worlds())
    tables: list[dict[str, Any]] = [world.directory.rooms, world.directory.practitioners]
    for table in tables:
        chosen = draw(st.sampled_from((None, *sorted(table))))
        if chosen is not None:
            table[chosen] = msgspec.structs.replace(table[chosen], seats=2)
    start, end = draw(moments(world.first))
    for number, room in enumerate(world.directory.rooms):
        world.claims = [each for each in world.claims if each.resource_id != room]
        world.claims.append(StoredClaim(room, 0, start, end, "visit", f"full {number}"))
    return world


@st.composite
def claims(draw: Any, first: date, resources: list[str]) -> list[StoredClaim]:
    found = []
    for n in range(draw(st.integers(0, 8))):
        start, end = draw(moments(first))
        found.append(
            StoredClaim(
                draw(st.sampled_from(resources)), draw(st.integers(0, 1)), start, end, "visit", f"v{n}"
            )
        )
    return found


def visit(service: Service, practitioner: Practitioner, start: int, **more: Any) -> Visit:
    """A visit of one line, as a booking makes it."""
    end = start + service.duration_minutes * MINUTE
    line = Line(
        1, practitioner.id, service.id, start, end, patient_present=service.attendance == "patient",
        buffer_minutes=practitioner.buffer_minutes,
    )  # fmt: skip
    wished: dict[str, Any] = {
        "id": "", "clinic_id": "c", "patient_id": "p", "room_id": None, "location": service.locations[0],
        "start": start, "end": end, "status": "scheduled", "lines": [line],
    }  # fmt: skip
    return Visit(**wished | more)

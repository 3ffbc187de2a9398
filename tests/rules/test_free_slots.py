"""What is offered is exactly what booking would grant: `free_slots` and `nearest_slots` against asking `assess` for
every start of the grid, one by one. Times at which the patient cannot come are not free, and the last to be offered.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rules.worlds import NOTHING, World, full_worlds, visit, worlds

from holdfast.rules import people
from holdfast.rules.assess import Wish, assess
from holdfast.rules.availability import Grid, Slot, free_slots, nearest_slots
from holdfast.rules.facts import (
    Clinic,
    Directory,
    DirectoryDocument,
    Organization,
    PolicyDocument,
    Practitioner,
    Room,
    Service,
    StoredClaim,
    Visit,
)
from holdfast.rules.policy.buffers import buffers
from holdfast.rules.timetable import Timetable
from holdfast.slot import DAY, MINUTE, day_span, wall

grids = st.builds(
    Grid,
    step_minutes=st.sampled_from((15, 30, 60, 50)),
    weekdays=st.sampled_from((frozenset(range(7)), frozenset({0, 2, 5, 6}))),
    from_minute=st.sampled_from((0, 0, 90, 480)),
    to_minute=st.sampled_from((1440, 1440, 150, 780)),
).filter(lambda grid: grid.from_minute < grid.to_minute)


def grid_starts(world: World, grid: Grid, on: date, earliest: int) -> Iterator[int]:
    """Every `step` from local midnight to the next, inside the part of the day. A visit has to be over by the end
    of that part; a day that is asked for whole has none, so that its last visits may pass midnight."""
    zone = world.clinic.time_zone
    midnight, next_midnight = day_span(on, zone)
    low = wall(on, grid.from_minute, zone)
    high = None if grid.to_minute == 1440 else wall(on, grid.to_minute, zone, ends=True)
    seconds = world.visit.end - world.visit.start
    if on.weekday() in grid.weekdays:
        for start in range(midnight, next_midnight, grid.step_minutes * MINUTE):
            if start >= low and start >= earliest and (high is None or start + seconds <= high):
                yield start


def at(directory: Directory, visit: Visit, start: int, practitioner: Practitioner) -> Visit:
    """The visit there, with the buffer that the rules or the practitioner want."""
    line = msgspec.structs.replace(
        visit.lines[0], start=start, end=start + visit.end - visit.start, practitioner_id=practitioner.id,
        buffer_minutes=practitioner.buffer_minutes,
    )  # fmt: skip
    moved = msgspec.structs.replace(visit, start=line.start, end=line.end, lines=[line])
    line.buffer_minutes = buffers(directory, moved)[practitioner.id]
    return moved


def asked_one_by_one(world: World, timetable: Timetable, visits: Iterator[Visit], now: int) -> Iterator[Slot]:
    for wished in visits:
        verdict = assess(
            world.directory,
            timetable,
            world.patient,
            world.authorizations,
            Wish(visit=wished, room="chosen", now=now),
        )
        if not verdict.reasons:
            room = verdict.room
            yield Slot(
                wished.start, wished.end, wished.lines[0].practitioner_id, room.room.id if room else None,
                room.score if room else 0,
            )  # fmt: skip


def can_come(world: World, slot: Slot) -> bool:
    visit = at(world.directory, world.visit, slot.start, world.directory.practitioners[slot.practitioner_id])
    return people.can_come(world.patient, world.clinic, visit)


@given(
    worlds() | full_worlds(),
    grids,
    st.integers(1, 3),
    st.integers(0, 30),
    st.sampled_from((1, 3, 500)),
)
def test_free_slots_are_the_bookable_starts_in_order(
    world: World, grid: Grid, days: int, hours: int, limit: int
) -> None:
    timetable = world.timetable()
    dates = [world.first + timedelta(days=n) for n in range(days)]
    earliest = (
        day_span(world.first, world.clinic.time_zone)[0] + hours * 3600 + 7 * MINUTE if hours > 10 else 0
    )
    everyone = list(world.directory.practitioners.values())
    wanted = (
        at(world.directory, world.visit, start, practitioner)
        for on in dates
        for start in grid_starts(world, grid, on, earliest)
        for practitioner in everyone
    )
    expected = sorted(
        (s for s in asked_one_by_one(world, timetable, wanted, earliest) if can_come(world, s)),
        key=lambda s: (s.start, -s.score, s.practitioner_id),
    )
    slots, truncated = free_slots(
        world.directory, timetable, world.patient, world.authorizations, world.visit, everyone, dates, grid,
        earliest, limit,
    )  # fmt: skip
    assert slots == expected[:limit]
    assert truncated == (len(expected) > limit)


@given(
    worlds() | full_worlds(),
    grids,
    st.integers(0, 96),
    st.integers(0, 30),
    st.integers(1, 4),
)
def test_nearest_slots_are_the_nearest_bookable_starts(
    world: World, grid: Grid, quarter: int, hours: int, count: int
) -> None:
    timetable = world.timetable()
    practitioner = world.directory.practitioners["a0"]
    midnight = day_span(world.first, world.clinic.time_zone)[0]
    wished = at(world.directory, world.visit, midnight + quarter * 15 * MINUTE, practitioner)
    dates = [world.first + timedelta(days=n) for n in range(-1, 2)]
    earliest = midnight + hours * 3600
    wanted = (
        at(world.directory, world.visit, start, practitioner)
        for on in dates
        for start in grid_starts(world, grid, on, earliest)
    )
    expected = sorted(
        asked_one_by_one(world, timetable, wanted, earliest),
        key=lambda s: (not can_come(world, s), abs(s.start - wished.start), s.start),
    )
    found = nearest_slots(
        world.directory, timetable, world.patient, world.authorizations, wished, dates, grid, earliest, count
    )
    assert found == expected[:count]


@given(worlds(), st.integers(1, 6))
def test_days_that_are_over_need_not_be_known(world: World, days: int) -> None:
    """Whoever asks near now has read no more than the time that is still to come."""
    now = day_span(world.first, world.clinic.time_zone)[0] + 3600
    timetable = world.timetable(since=now // 86_400 - 2)
    dates = [world.first + timedelta(days=n) for n in range(-days, 2)]
    wished = at(world.directory, world.visit, now, world.directory.practitioners["a0"])
    for slot in nearest_slots(
        world.directory, timetable, world.patient, world.authorizations, wished, dates, Grid(), now, 3
    ):
        assert slot.start >= now


def test_a_second_seat_is_room_enough() -> None:
    """The only room has one visit all day and takes two; with the first practitioner another rule is in the way."""
    first = date(2026, 6, 10)
    midnight = day_span(first, "America/Phoenix")[0]
    clinic = Clinic("c", "C", "America/Phoenix", allow_unassigned=False, is_active=True, hours=())
    room = Room("r", "c", "1", "", "talk", 2, 2, NOTHING, NOTHING, 0, is_available=True, display_order=0)
    people = [
        Practitioner(
            who, who, 0, 1, is_active=True, clinic_ids=NOTHING, credentials=(), hours=(), exceptions=()
        )
        for who in ("a0", "a1")
    ]
    service = Service(
        "s", "S", "S", 60, ("on_site",), "patient", NOTHING, NOTHING, 1, NOTHING, None, "time", 15, authorization_required=False,
        is_active=True,
    )  # fmt: skip
    rules = [{"name": "noon", "kind": "hard", "type": "time_range", "time_from": "12:00", "time_to": "13:00"}]
    directory = Directory(DirectoryDocument(
        1, 1, Organization("o", "O", "America/Phoenix", {}), [clinic], [room], people, [service], [], [], [], 1,
        [PolicyDocument("x", "practitioner", "a0", 1, rules)],
    ))  # fmt: skip
    timetable = Timetable(1)
    cells = {(who, midnight // DAY + n) for who in ("r", "a0", "a1") for n in range(-2, 4)}
    timetable.fill(cells, [StoredClaim("r", 0, midnight, midnight + DAY, "visit", "v")])
    wished = visit(service, people[1], midnight + 9 * 3600)
    grid = Grid(step_minutes=60, from_minute=9 * 60, to_minute=11 * 60)
    slots, _ = free_slots(directory, timetable, None, [], wished, people, [first], grid, 0, 9)
    assert [(slot.start, slot.practitioner_id) for slot in slots] == [
        (midnight + hour * 3600, "a1") for hour in (9, 10)
    ]
    nearest = nearest_slots(directory, timetable, None, [], wished, [first], grid, 0, 1)
    assert [slot.start for slot in nearest] == [midnight + 9 * 3600]

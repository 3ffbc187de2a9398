"""Hard rules only ever take rooms away, ties break in one order, and the same question gets the same room."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rules.worlds import DAYS, World, worlds

from holdfast.rules import rooms
from holdfast.rules.assess import question_about
from holdfast.rules.facts import Directory, DirectoryDocument, PolicyDocument, Room
from holdfast.rules.policy.question import Question
from holdfast.rules.rooms import RoomChoice, RoomRefusal, choose
from holdfast.rules.timetable import Claim
from holdfast.slot import MINUTE, overlaps


def chosen(world: World, among: tuple[Room, ...] | None = None) -> RoomChoice | list[RoomRefusal]:
    ask = question_about(world.directory, world.clinic, world.patient, world.visit, 0)
    return choose(
        world.directory, world.timetable(), world.directory.rooms_of["c"] if among is None else among, ask
    )


def refusals_by_hand(world: World, room: Room, ask: Question) -> set[str]:
    service = ask.service
    rules = {
        "room_type_match": bool(service.room_types) and room.room_type not in service.room_types,
        "equipment": not service.equipment <= room.equipment,
        "capacity": room.capacity < service.capacity,
        "accessibility": not ask.needs <= room.accessibility,
    }
    hard = {rule for rule, refuses in rules.items() if refuses}
    if hard:
        return hard
    closed = any(
        x.room_id == room.id and overlaps((x.start, x.end), ask.span) for x in world.directory.closures
    )
    if closed or not room.is_available:
        return {"room_unavailable"}
    end = ask.span[1] + max(room.cleaning_minutes, service.turnover_minutes or 0) * MINUTE
    seats = {
        c.seat for c in world.claims if c.resource_id == room.id and c.start < end and ask.span[0] < c.end
    }
    taken = bool(seats) if room.seats == 1 else seats >= set(range(room.seats))
    return {"room_conflict"} if taken else set()


@given(worlds(ruled=False))
def test_the_best_room_by_hand(world: World) -> None:
    ask = question_about(world.directory, world.clinic, world.patient, world.visit, 0)
    all_rooms = world.directory.rooms_of["c"]
    refused = {room.id: refusals_by_hand(world, room, ask) for room in all_rooms}

    def visits_that_day(room: Room) -> int:
        return sum(c.resource_id == room.id and ask.day[0] <= c.start < ask.day[1] for c in set(world.claims))

    order = sorted(
        (room for room in all_rooms if not refused[room.id]),
        key=lambda r: (
            r.capacity - ask.service.capacity,
            visits_that_day(r),
            r.display_order,
            r.number,
            r.id,
        ),
    )
    found = chosen(world)
    if order:
        assert isinstance(found, RoomChoice)
        assert found.room == order[0]
        assert found.score == rooms.BASE_SCORE
        assert found.turnover_minutes == max(order[0].cleaning_minutes, ask.service.turnover_minutes or 0)
    else:
        assert isinstance(found, list)
        assert {(r.room_id, r.rule) for r in found} == {
            (room, rule) for room, why in refused.items() for rule in why
        }


@given(worlds())
def test_the_same_question_gets_the_same_room_in_whatever_order_rooms_come(world: World) -> None:
    assert chosen(world) == chosen(world)
    backwards = world.directory.rooms_of["c"][::-1]
    found, again = chosen(world), chosen(anew(world), backwards)
    if isinstance(found, RoomChoice):
        assert again == found
    else:
        assert isinstance(again, list) and sorted(again) == sorted(found)


def anew(world: World, *rules: dict[str, Any]) -> World:
    """The same world remembering nothing, with these rules in force besides; no other has their names."""
    old = world.directory
    whose = ("practitioner", world.visit.lines[0].practitioner_id)
    own = [rule for each in old.policies if (each.scope, each.scope_id) == whose for rule in each.rules]
    others = [each for each in old.policies if (each.scope, each.scope_id) != whose]
    document = DirectoryDocument(
        1, 1, old.organization, list(old.clinics.values()), list(old.rooms.values()),
        list(old.practitioners.values()), list(old.services.values()), [], list(old.closures), list(old.time_off),
        1, [*others, PolicyDocument("9", *whose, 9, [*own, *rules])],
    )  # fmt: skip
    return World(
        Directory(document), world.claims, world.patient, world.authorizations, world.visit, world.first
    )


FURTHER: tuple[dict[str, Any], ...] = (
    {"type": "equipment", "equipment": ["mirror"]},
    {"type": "capacity", "people": 2},
    {"type": "accessibility", "features": ["step_free"]},
    {"type": "room_type_match", "room_types": ["gym"]},
    {"type": "reserved_time", "time_from": "02:00", "time_to": "12:00", "release_hours_before": 0},
    {"type": "cleaning_buffer", "minutes": 120},
)


@given(worlds(), st.sampled_from(FURTHER))
def test_a_further_hard_rule_never_admits_a_room(world: World, rule: dict[str, Any]) -> None:
    before = chosen(world)
    after = chosen(anew(world, {**rule, "name": "another", "kind": "hard"}))
    if isinstance(before, list):
        assert isinstance(after, list)
        assert {each.room_id for each in before} <= {each.room_id for each in after}


@given(worlds(), st.integers(0, 2))
def test_one_more_claim_never_admits_a_room(world: World, seat: int) -> None:
    room = world.directory.rooms_of["c"][:1]
    if not room:
        return
    ask = question_about(world.directory, world.clinic, world.patient, world.visit, 0)
    timetable = world.timetable()
    before = choose(world.directory, timetable, room, ask)
    timetable.add(room[0].id, Claim(*ask.span, seat, "visit", "another"))
    after = choose(world.directory, timetable, room, ask)
    if isinstance(before, list):
        assert after == before


def test_the_days_of_these_worlds_change_their_clocks() -> None:
    assert len(set(DAYS)) == 4

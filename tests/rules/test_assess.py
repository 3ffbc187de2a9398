"""Every reason at once and in the contract's order; the order in which things are known changes nothing."""

from datetime import date, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rules.worlds import NOTHING, World, worlds

from holdfast.errors import REFUSALS
from holdfast.rules import facts
from holdfast.rules.assess import Wish, assess, spans
from holdfast.rules.facts import Directory, DirectoryDocument
from holdfast.rules.timetable import Claim, Timetable
from holdfast.slot import DAY, MINUTE, day_span

FIRST = date(2026, 6, 10)
NINE = day_span(FIRST, "America/Phoenix")[0] + 9 * 3600


def verdict_of(world: World, timetable: Timetable | None = None, **wish: Any) -> Any:
    wished = Wish(visit=world.visit, **{"room": "chosen", **wish})
    return assess(
        world.directory, timetable or world.timetable(), world.patient, world.authorizations, wished
    )


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_facts_come_changes_nothing(world: World, chance: Any) -> None:
    verdict = verdict_of(world)
    old = world.directory
    rooms, people = list(old.rooms.values()), list(old.practitioners.values())
    closures, claims = list(old.closures), list(world.claims)
    for each in (rooms, people, closures, claims):
        chance.shuffle(each)
    other = World(
        Directory(DirectoryDocument(
            1, 1, old.organization, list(old.clinics.values()), rooms, people, list(old.services.values()), [],
            closures, list(old.time_off), old.policy_version, list(old.policies)[::-1],
        )), claims, world.patient, world.authorizations[::-1], world.visit, world.first,
    )  # fmt: skip
    assert verdict_of(other) == verdict


@given(worlds(), st.integers(0, 5))
def test_reasons_come_in_the_contracts_order_each_with_what_is_in_the_way(world: World, days: int) -> None:
    verdict = verdict_of(world, earliest=world.visit.start + (days - 3) * DAY)
    codes = [reason.code for reason in verdict.reasons]
    assert codes == sorted(codes, key=REFUSALS.index)
    assert ("start_in_past" in codes) == (days > 3)
    kinds = {conflict.kind for conflict in verdict.conflicts}
    assert {f"{kind}_conflict" for kind in kinds} == {c for c in codes if c.endswith("_conflict")}
    if not codes and world.visit.location == "on_site":
        assert verdict.room is not None


@given(worlds())
def test_deciding_looks_at_no_more_than_it_said_it_would(world: World) -> None:
    """`spans` is what is read before deciding: with nothing else known the verdict is the same."""
    looked_at = spans(world.directory, world.visit)
    narrow = Timetable(1)
    narrow.fill(narrow.missing(looked_at), world.claims)
    assert verdict_of(world, narrow) == verdict_of(world)


def crowded() -> World:
    """A wish against which there is everything at once that can be."""
    service = facts.Service(
        "s", "S", "97153", 60, ("on_site",), "patient", NOTHING, NOTHING, 1, frozenset({"RBT"}), None, "time", 15,
        authorization_required=True, is_active=False,
    )  # fmt: skip
    practitioner = facts.Practitioner(
        "a0", "Ana", 10, 1, False, frozenset({"c"}), (), (), (facts.HoursException("c", FIRST, None, None),)
    )
    room = facts.Room("r0", "c", "1", "", "talk", 1, 1, NOTHING, NOTHING, 10, True, 0)
    clinic = facts.Clinic("c", "C", "America/Phoenix", False, False, ((0, 480, 1080),))
    line = facts.Line(1, "a0", "s", NINE, NINE + 3600, buffer_minutes=10)
    visit = facts.Visit("", "c", "p", "r0", "on_site", NINE, NINE + 3600, "scheduled", [line])
    claims = [
        facts.StoredClaim(resource, 0, NINE - 1800, NINE + 1800, "visit", f"of {resource}")
        for resource in ("a0", "p", "r0")
    ]
    authorization = facts.Authorization(
        "z", "p", "y", frozenset({"97153"}), "time", 3, 0, 0, 0, FIRST, FIRST, "approved", 1
    )
    directory = Directory(DirectoryDocument(
        1, 1, facts.Organization("o", "O", "America/Phoenix", {}), [clinic], [room], [practitioner], [service], [],
        [], [],
    ))  # fmt: skip
    patient = facts.Patient("p", "G", "F", frozenset({"step_free"}), is_active=False)
    return World(directory, claims, patient, [authorization], visit, FIRST)


def test_every_reason_is_given_at_once() -> None:
    world = crowded()
    verdict = verdict_of(world, room="given", earliest=NINE + DAY)
    assert [reason.code for reason in verdict.reasons] == [
        "clinic_closed", "practitioner_unavailable", "start_in_past", "inactive_resource", "inactive_resource",
        "inactive_resource", "inactive_resource", "practitioner_conflict", "patient_conflict", "rule_violation",
        "credential_missing", "insufficient_units",
    ]  # fmt: skip
    assert {r.members["kind"] for r in verdict.reasons if r.code == "inactive_resource"} == {
        "clinic", "patient", "practitioner", "service",
    }  # fmt: skip
    assert {conflict.kind for conflict in verdict.conflicts} == {"practitioner", "patient"}
    # Once the room suits, that it is taken is said too.
    assert world.patient is not None
    world.patient = msgspec.structs.replace(world.patient, needs=NOTHING)
    codes = [reason.code for reason in verdict_of(world, room="given").reasons]
    assert "room_conflict" in codes and "rule_violation" not in codes
    world.visit.room_id = None
    assert "no_room_available" in [reason.code for reason in verdict_of(world).reasons]


def test_a_place_that_is_kept_is_had_again_else_the_best() -> None:
    world = crowded()
    world.visit.room_id = "r0"
    timetable = world.timetable()
    for claim in timetable.overlapping("r0", NINE - DAY, NINE + DAY):
        timetable.remove("r0", claim)
    assert world.patient is not None
    world.patient = msgspec.structs.replace(world.patient, needs=NOTHING)
    for room in ("given", "kept", "chosen"):
        verdict = verdict_of(world, timetable, room=room)
        assert verdict.room is not None and verdict.room.room.id == "r0"
    timetable.add("r0", Claim(NINE + 3600 + 5 * MINUTE, NINE + 7200, 0, "visit", "soon after"))
    for room, code in (
        ("given", "room_conflict"),
        ("kept", "no_room_available"),
        ("chosen", "no_room_available"),
    ):
        verdict = verdict_of(world, timetable, room=room)
        assert code in [reason.code for reason in verdict.reasons]
    assert verdict_of(world, timetable, unassigned=True).room is None
    assert "no_room_available" not in [r.code for r in verdict_of(world, timetable, unassigned=True).reasons]


def test_a_credential_counts_on_the_local_date_of_service() -> None:
    world = crowded()
    practitioner = world.directory.practitioners["a0"]
    cases: list[tuple[tuple[date | None, date | None], str | None]] = [
        ((None, None), None), ((FIRST, FIRST), None), ((FIRST + timedelta(days=1), None), "credential_expired"),
        ((None, FIRST - timedelta(days=1)), "credential_expired"),
    ]  # fmt: skip
    # Four in the afternoon in Phoenix is already tomorrow in UTC.
    late = day_span(FIRST, "America/Phoenix")[0] + 23 * 3600
    world.visit.start, world.visit.end = late, late + 1800
    world.visit.lines[0].start, world.visit.lines[0].end = late, late + 1800
    for (first, last), code in cases:
        held = (facts.Credential("RBT", first, last), facts.Credential("PT", None, None))
        world.directory.practitioners["a0"] = msgspec.structs.replace(practitioner, credentials=held)
        codes = [r.code for r in verdict_of(world).reasons if r.code.startswith("credential")]
        assert codes == ([code] if code else [])

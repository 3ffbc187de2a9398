"""Nine places where the system of seeds 000 and 001 contradicted itself, each with the law that rules it out here. The eighth
(lookups per room per rule) and the ninth (buffers that end at midnight) are seen over the API, in tests/api/test_rules.py."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
import pytest
from rules.worlds import NOTHING, visit

from holdfast.errors import Invalid
from holdfast.rules import rooms
from holdfast.rules.assess import Verdict, Wish, assess, question_about
from holdfast.rules.facts import (
    Clinic,
    Directory,
    DirectoryDocument,
    Organization,
    Patient,
    PolicyDocument,
    Practitioner,
    Room,
    Service,
    StoredClaim,
)
from holdfast.rules.policy.document import decode
from holdfast.rules.policy.policy import in_force
from holdfast.rules.policy.program import Program
from holdfast.rules.policy.rule import VisitJudge
from holdfast.rules.policy.types import TYPES
from holdfast.rules.policy.types.time_range import TimeRange
from holdfast.rules.timetable import Timetable
from holdfast.slot import DAY, MINUTE, day_span

ZONE = "America/Phoenix"
FIRST = date(2026, 6, 10)
MIDNIGHT = day_span(FIRST, ZONE)[0]
NINE = MIDNIGHT + 9 * 3600


def room(number: int, **more: Any) -> Room:
    usual: dict[str, Any] = {
        "id": f"r{number}", "clinic_id": "c", "number": str(number), "name": "", "room_type": "talk", "capacity": 1,
        "seats": 1, "equipment": NOTHING, "accessibility": NOTHING, "cleaning_minutes": 0, "is_available": True,
        "display_order": number,
    }  # fmt: skip
    return Room(**usual | more)


def practitioner(called: str) -> Practitioner:
    return Practitioner(called, called, 0, 1, True, frozenset(), (), (), ())


def service(called: str) -> Service:
    return Service(
        called, called, called, 60, ("on_site",), "patient", NOTHING, NOTHING, 1, NOTHING, None, "time", 15,
        authorization_required=False, is_active=True,
    )  # fmt: skip


def directory(*documents: tuple[str, str | None, list[dict[str, Any]]], rooms_there: int = 2) -> Directory:
    clinic = Clinic("c", "C", ZONE, allow_unassigned=False, is_active=True, hours=())
    active = [
        PolicyDocument(str(number), scope, scope_id, number, rules)
        for number, (scope, scope_id, rules) in enumerate(documents, start=1)
    ]
    return Directory(DirectoryDocument(
        1, 1, Organization("o", "O", ZONE, {}), [clinic], [room(number) for number in range(1, rooms_there + 1)],
        [practitioner("ana"), practitioner("ben")], [service("s"), service("other")], [], [], [], 1, active,
    ))  # fmt: skip


def organization(*rules: dict[str, Any]) -> Directory:
    return directory(("organization", None, list(rules)))


def timetable(there: Directory, claims: Iterable[StoredClaim] = ()) -> Timetable:
    found = Timetable(1)
    everyone = {"p", *there.rooms, *there.practitioners}
    found.fill({(each, MIDNIGHT // DAY + n) for each in everyone for n in range(-2, 4)}, claims)
    return found


def visits(who: str, many: int, at: int = MIDNIGHT) -> list[StoredClaim]:
    return [
        StoredClaim(who, 0, at + n * 10 * MINUTE, at + n * 10 * MINUTE + 5 * MINUTE, "visit", f"v{who}{n}")
        for n in range(many)
    ]


def verdict(
    there: Directory, claims: Iterable[StoredClaim] = (), start: int = NINE, who: str = "ana", what: str = "s"
) -> Verdict:
    wished = visit(there.services[what], there.practitioners[who], start)
    patient = Patient("p", "P", "P", NOTHING, is_active=True)
    wish = Wish(visit=wished, room="chosen", in_full=True)
    return assess(there, timetable(there, claims), patient, (), wish)


def scores(there: Directory, claims: Iterable[StoredClaim] = (), **asked: Any) -> dict[str, int]:
    account = verdict(there, claims, **asked).account
    assert account is not None
    return {each.suitable.room.id: each.score for each in account.free}


PREFERENCE = {
    "name": "Ana's rooms", "kind": "soft", "type": "practitioner_room_preference", "preferred_rooms": ["r1"],
    "practitioner_ids": ["ana"],
}  # fmt: skip


def test_1_a_weight_is_read_from_its_own_rule() -> None:
    heavy = PREFERENCE | {"score_modifier": 70, "penalty": 7}
    other = {
        "name": "mornings",
        "kind": "soft",
        "type": "time_preference",
        "time_from": "08:00",
        "time_to": "12:00",
    }
    assert scores(organization(PREFERENCE)) == {"r1": 110, "r2": 95}
    assert scores(organization(heavy)) == {"r1": 170, "r2": 93}
    assert scores(organization(heavy, other | {"score_modifier": 15})) == {"r1": 185, "r2": 108}


BALANCING = {
    "name": "balance", "kind": "soft", "type": "utilization_balancing", "visits_per_day_max": 10,
}  # fmt: skip


@pytest.mark.parametrize(("many", "effect"), [(0, 10), (4, 10), (5, 0), (6, 0), (8, 0), (9, -10), (10, -10)])
def test_2_between_the_bands_a_rule_says_nothing(many: int, effect: int) -> None:
    there = organization(BALANCING)
    assert scores(there, visits("r1", many))["r1"] == rooms.BASE_SCORE + effect
    chosen = verdict(there, [*visits("r1", many), *visits("r2", many)]).account
    assert chosen is not None
    assert [said.effect for said in chosen.free[0].said] == ([effect] if effect else [])


def test_3_an_empty_preference_punishes_nobody() -> None:
    assert scores(organization(PREFERENCE | {"preferred_rooms": []})) == {"r1": 100, "r2": 100}
    assert scores(organization(PREFERENCE), who="ben") == {"r1": 100, "r2": 100}
    nothing_allowed = {"name": "rooms", "kind": "hard", "type": "practitioner_room", "allowed_rooms": []}
    assert scores(organization(nothing_allowed)) == {"r1": 100, "r2": 100}


def test_4_the_narrowest_scope_holds() -> None:
    def named(minutes: int) -> list[dict[str, Any]]:
        return [{"name": "full day", "kind": "hard", "type": "workload", "visits_max": minutes}]

    there = directory(
        ("organization", None, named(1)), ("clinic", "c", named(2)), ("service", "s", named(3)),
        ("practitioner", "ana", named(4)),
    )  # fmt: skip
    for who, what, most in (("ana", "s", 4), ("ana", "other", 4), ("ben", "s", 3), ("ben", "other", 2)):
        assert not verdict(there, visits(who, most - 1), who=who, what=what).reasons
        reasons = verdict(there, visits(who, most), who=who, what=what).reasons
        assert [(each.code, each.members["rule"]) for each in reasons] == [("rule_violation", "full day")]
    switched_off = directory(
        ("organization", None, named(1)),
        ("clinic", "c", [{**named(1)[0], "enabled": False}]),
    )
    assert not verdict(switched_off, visits("ana", 5)).reasons


def test_5_every_visit_that_keeps_its_time_is_counted() -> None:
    """Not the confirmed ones only: who has claims counts, whatever the status."""
    there = organization({"name": "full day", "kind": "hard", "type": "workload", "visits_max": 15})
    assert not verdict(there, visits("ana", 14)).reasons
    assert verdict(there, visits("ana", 15)).reasons[0].code == "rule_violation"
    the_day_before = visits("ana", 15, MIDNIGHT - DAY)
    assert not verdict(there, the_day_before).reasons


@pytest.mark.parametrize("clock", ["8:00", "25:00", "08:60", "eight", "", "08:00:00", "8", None, 8])
def test_6_a_time_that_is_none_is_refused_when_saved(clock: Any) -> None:
    rule = {"name": "hours", "kind": "hard", "type": "time_range", "time_from": clock, "time_to": "18:00"}
    with pytest.raises(Invalid) as refused:
        decode([rule])
    assert [each.field for each in refused.value.errors] == ["rules[0].time_from"]
    assert "'hours'" in refused.value.errors[0].message


def test_6_what_was_stored_all_the_same_lets_nothing_pass() -> None:
    rule = {
        "name": "hours",
        "kind": "hard",
        "type": "time_range",
        "time_from": "8 o'clock",
        "time_to": "18:00",
    }
    there = organization(rule)
    found = verdict(there).reasons
    assert [each.members["rule"] for each in found] == ["hours"]
    assert "hours" in in_force(there).faults
    assert not verdict(organization(rule | {"kind": "soft"})).reasons


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "hard", "type": "workload"},
        {"kind": "hard", "type": "practitioner_room"},
        {"kind": "hard", "type": "reserved_time", "time_from": "01:00", "time_to": "02:00"},
        {"kind": "soft", "type": "practitioner_room_preference"},
        {"kind": "soft", "type": "workload"},
        {"kind": "soft", "type": "utilization_balancing"},
    ],
)
def test_7_a_rule_that_fails_lets_nothing_pass(monkeypatch: pytest.MonkeyPatch, rule: dict[str, Any]) -> None:
    def fails(*_asked: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(TYPES[rule["type"]], "judge", lambda _self: fails)
    there = organization({**rule, "name": "broken"})
    found = verdict(there)
    assert bool(found.reasons) == (rule["kind"] == "hard")
    assert in_force(there).faults["broken"].why == "ZeroDivisionError"
    if rule["kind"] == "soft":
        assert scores(there) == {"r1": 100, "r2": 100}


def test_8_rules_are_compiled_once_and_asked_many_times(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    original = TimeRange.judge

    def counted(rule: TimeRange) -> VisitJudge:
        compiled.append(rule)
        return original(rule)

    monkeypatch.setattr(TimeRange, "judge", counted)
    there = organization(
        {"name": "hours", "kind": "hard", "type": "time_range", "time_from": "08:00", "time_to": "18:00"}
    )
    for hour in range(8, 16):
        assert not verdict(there, start=MIDNIGHT + hour * 3600).reasons
    assert len(compiled) == 1


def test_9_a_visit_over_midnight_meets_tomorrows_break() -> None:
    lunch = {
        "name": "pause", "kind": "hard", "type": "time_range", "time_from": "00:15", "time_to": "00:45",
        "allow": "outside",
    }  # fmt: skip
    assert verdict(organization(lunch), start=MIDNIGHT + 23 * 3600 + 30 * MINUTE).reasons
    assert not verdict(organization(lunch), start=MIDNIGHT + 22 * 3600).reasons


def test_every_type_has_what_is_told_of_it() -> None:
    for name, kind in TYPES.items():
        assert kind.summary.endswith(".")
        assert kind.__struct_config__.tag == name
        if "soft" in kind.kinds:
            weights = {each.name: each.default for each in msgspec.structs.fields(kind)}
            assert {"score_modifier", "penalty"} <= weights.keys()


def test_programs_are_shared_by_visits_that_no_rule_tells_apart() -> None:
    there = organization(PREFERENCE)
    policy = in_force(there)

    def program(who: str) -> Program:
        wished = visit(there.services["s"], there.practitioners[who], NINE)
        return policy.program(question_about(there, there.clinics["c"], None, wished, 0))

    assert program("ana") is program("ana")
    assert program("ana") is not program("ben")

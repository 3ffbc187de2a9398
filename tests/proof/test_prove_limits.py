"""The scenarios' limits against those of the seeds and of the specification, and what is derived from figures. No server."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.plain import PlainError
from holdfast.proof.history.log import Line, Operation, Visit, Wish
from holdfast.proof.prove import profiles, run
from holdfast.proof.prove.client import Address
from holdfast.proof.prove.profiles import SCENARIOS, SOAK
from holdfast.proof.prove.run import Wanted
from holdfast.proof.prove.scenarios import (
    calendar,
    combined,
    conflict,
    contention,
    faults,
    mixed,
    rules,
    saturation,
    soak,
    storm,
    throughput,
)
from holdfast.proof.prove.scenarios.saturation import Step
from holdfast.proof.prove.seen import double_bookings
from holdfast.proof.prove.stage import P99_SAMPLES, Scale
from holdfast.proof.report import blanks
from holdfast.proof.report.baseline import BaselineError
from holdfast.proof.report.model import Figure, NotApplicable


def test_every_scenario_of_the_specification_is_there() -> None:
    assert tuple(SCENARIOS) == blanks.SCENARIOS


def test_the_limits_are_those_of_the_seeds() -> None:
    assert (storm.P95_MS, storm.PER_SECOND) == (100, 20)
    assert conflict.DETECTION_P95_MS == 50
    assert (rules.EVALUATION_P95_MS, rules.HIT_PERCENT) == (50, 80)
    assert (contention.GRANTED, contention.EACH, contention.P95_MS, contention.P99_MS) == (5, 10, 200, 500)
    assert (throughput.P95_MS, throughput.P99_MS, throughput.ERRORS_PERCENT, throughput.PER_SECOND) == (
        150,
        300,
        2,
        100,
    )
    assert (mixed.P95_MS, mixed.REFUSED_PERCENT) == (175, (5, 30))
    assert combined.P95_MS == 100
    assert (calendar.MEAN_MS, calendar.P95_MS, calendar.P99_MS, calendar.AT_ONCE_FACTOR) == (
        100,
        150,
        300,
        1.5,
    )
    assert calendar.SIZES == (("small", 10, 50), ("medium", 50, 500), ("large", 100, 1000))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "users", "seconds"),
    [
        ("storm", 50, 120), ("conflict", 50, 120), ("rules", 50, 120), ("contention", 50, 60), ("throughput", 200, 300),
        ("mixed", 100, 600), ("combined", 50, 300),
    ],
)  # fmt: skip
def test_the_full_profile_has_the_users_and_durations_of_the_seeds(
    name: str, users: int, seconds: int
) -> None:
    full = SCENARIOS[name].full
    assert (full.users, full.seconds) == (users, seconds)


def test_the_data_are_what_the_specification_asks_for() -> None:
    assert storm.FURNITURE.rooms == conflict.FURNITURE.rooms == 10
    assert storm.FURNITURE.practitioners >= 50
    assert storm.FURNITURE.patients >= 200
    assert rules.FURNITURE.rooms == 50
    assert len(contention.FURNITURE.authorizations) == 55


@pytest.mark.parametrize("profile", ["smoke", "full"])
def test_every_open_load_is_large_enough_for_a_p99(profile: str) -> None:
    for name, entry in SCENARIOS.items():
        scale = entry.scale(profile)
        if scale.rate is not None and name != "saturation":
            assert scale.requests >= P99_SAMPLES, name


def test_smoke_is_seconds_long() -> None:
    seconds = {
        name: entry.smoke.seconds for name, entry in SCENARIOS.items() if name not in {"calendar", SOAK}
    }
    assert max(seconds.values()) < 20
    assert set(profiles.WHAT) == set(profiles.PROFILES) == set(profiles.PLAN_WEEKS)  # fmt: skip


def test_what_is_offered_in_a_ramp_is_half_of_it() -> None:
    assert Scale(users=50, rate=25, seconds=120, ramp=5).requests == 2938
    assert Scale(users=50, rate=50, seconds=60).requests == 3000


def steps(*p99: float | None, goodput: float = 1.0) -> list[Step]:
    return [Step(100.0 * n, goodput * 100.0 * n, 1.0, each) for n, each in enumerate(p99, 1)]


@pytest.mark.parametrize(
    ("found", "knee"),
    [
        (steps(10, 11, 12), 300), (steps(10, 11, 80), 200), (steps(10, 11, 49), 300), (steps(30, 40, 160), 200),
        (steps(10, 11, None), 200), (steps(10), 100), (steps(100), 100),
    ],
)  # fmt: skip
def test_the_knee_is_the_last_step_before_p99_bends(found: list[Step], knee: float) -> None:
    assert saturation.knee(found).offered == knee


def test_load_that_is_not_carried_is_beyond_the_knee() -> None:
    found = [*steps(10, 11), Step(300.0, 280.0, 1.0, 12.0)]
    assert saturation.bent(found)
    assert saturation.knee(found).offered == 200


def test_steps_of_load_rise() -> None:
    assert all(one < other for one, other in pairwise(saturation.STEPS))


def test_sizes_follow_from_the_knee() -> None:
    facts = {fact.name: str(fact.value) for fact in saturation.sizing(400.0, 2)}
    assert set(facts) == set(blanks.SIZING)
    assert "one installation" in facts["per_second_100"]
    assert "3 installations" in facts["per_second_500"]


def test_growth_compares_the_last_quarter_with_the_first() -> None:
    flat = [(float(n), 100.0) for n in range(17)]
    rising = [(float(n), 100.0 + 10 * n) for n in range(17)]
    level = soak.growth(flat)
    grown = soak.growth(rising)
    assert isinstance(level, Figure)
    assert isinstance(grown, Figure)
    assert level.value == 0
    assert grown.value > 50
    assert isinstance(soak.growth(flat[:4]), NotApplicable)


def at(minute: int) -> datetime:
    return datetime(2030, 1, 7, tzinfo=UTC) + timedelta(minutes=minute)


def visit(number: int, room: str, minute: int) -> Operation:
    line = Line(line_no=1, practitioner_id="p", start=at(minute), end=at(minute + 15))
    seen = Visit(
        id=f"v{number}", version=1, status="scheduled", patient_id="x", start=at(minute), end=at(minute + 15),
        lines=(line,), room_id=room,
    )  # fmt: skip
    return Operation(wish=Wish(kind="book", key=f"{number}"), begin=0.0, end=1.0, status=201, visit=seen)


def test_a_room_given_twice_is_seen() -> None:
    apart = [visit(1, "a", 0), visit(2, "a", 15), visit(3, "b", 0)]
    assert double_bookings(apart).value == 0
    assert double_bookings([*apart, visit(4, "a", 20)]).value == 1
    assert double_bookings([*apart, visit(1, "a", 0)]).value == 0, "the same visit, answered twice"


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Wanted(profile="huge"), "no profile huge"),
        (Wanted(only="storm,hurricane"), "no scenario hurricane"),
        (Wanted(profile=SOAK, only="storm"), "nothing to choose"),
        (Wanted(url="http://127.0.0.1:1"), "--token"),
        (Wanted(url="http://127.0.0.1:1", token="t", only=faults.ABOUT.name), "kills what it runs on"),
        (Wanted(url="127.0.0.1:1", token="t"), "--url"),
    ],
)  # fmt: skip
def test_what_cannot_be_proved_is_refused_before_anything_begins(wanted: Wanted, why: str) -> None:
    with pytest.raises(PlainError, match=why):
        run.measured(wanted, lambda _text: None)


def test_an_earlier_report_must_be_one() -> None:
    with pytest.raises(BaselineError, match="is no report of a proof"):
        run.run(Wanted(baseline=Path(__file__)), lambda _text: None)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080", Address(host="127.0.0.1", port=8080)),
        ("https://clinic.example/", Address(host="clinic.example", port=443, tls=True)),
        ("http://clinic.example", Address(host="clinic.example", port=80)),
    ],
)
def test_an_address_is_read_as_a_person_types_it(url: str, address: Address) -> None:
    assert Address.of(url) == address


@pytest.mark.parametrize(
    "url", ["clinic.example", "ftp://clinic.example", "http://", "http://clinic.example/api"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(PlainError, match="--url"):
        Address.of(url)

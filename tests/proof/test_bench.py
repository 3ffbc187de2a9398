"""What the bench asks for, and the command on an engine of its own: short, but nothing in it may be invalid and
nothing may be left over.
"""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
import pytest
from sizes import size

from holdfast.proof.bench import data as bench_data
from holdfast.proof.bench import live as bench_live
from holdfast.proof.bench import rules as bench_rules
from holdfast.proof.bench import run as bench
from holdfast.proof.bench.data import EMPTY, LARGE, Organization, Requests, Size
from holdfast.proof.bench.report import Report
from holdfast.proof.bench.units import ORGANIZATIONS, UnitRequests

FIRST = datetime(2030, 1, 7, tzinfo=UTC)


def requests(seed: int = 1, size: Size = EMPTY) -> Requests:
    people = {name: [f"{name}-{n}" for n in range(count)] for name, count in (
        ("clinics", 1), ("rooms", 10), ("practitioners", 50), ("patients", 200))}  # fmt: skip
    organization = Organization(
        size=size, first=FIRST, stored_from=FIRST, id="o", email="e", service="s", **people
    )
    return Requests(organization, "token", "host", seed)


def bodies(made: list[bytes]) -> list[dict[str, str]]:
    return [msgspec.json.decode(one.rpartition(b"\r\n\r\n")[2]) for one in made]


def test_no_planned_booking_meets_another() -> None:
    planned = bodies(requests().bookings(30_000))
    for who, most in (("practitioner_id", 1), ("patient_id", 1), ("clinic_id", 10)):
        taken: dict[tuple[str, str], int] = {}
        for one in planned:
            taken[one["start"], one[who]] = taken.get((one["start"], one[who]), 0) + 1
        assert max(taken.values()) == most


def test_the_same_seed_asks_for_the_same() -> None:
    assert requests().bookings(100) == requests().bookings(100) != requests(2).bookings(100)
    one = requests()
    assert len({*one.bookings(50), *one.bookings(50)}) == 100


def test_bookings_are_spread_over_two_years() -> None:
    starts = {one["start"][:7] for one in bodies(requests().bookings(20_000))}
    assert len(starts) >= 24


def test_bookings_keep_out_of_the_hours_of_stored_visits() -> None:
    size = msgspec.structs.replace(EMPTY, out_of_hours=True)
    starts = [datetime.fromisoformat(one["start"]) for one in bodies(requests(size=size).bookings(150_000))]
    assert not [one for one in starts if one.weekday() < 5 and 8 <= one.hour < 18]
    assert {one.weekday() for one in starts} == set(range(7))


def test_whoever_races_wants_the_same_time_and_is_somebody_else() -> None:
    one = requests()
    raced = bodies(one.races(3, 50))
    for race in (raced[:50], raced[50:100], raced[100:]):
        assert len({each["start"] for each in race}) == 1
        assert (
            len({each["practitioner_id"] for each in race})
            == len({each["patient_id"] for each in race})
            == 50
        )
    assert len({each["start"] for each in raced}) == 3
    assert not {each["start"] for each in raced} & {each["start"] for each in bodies(one.bookings(20_000))}


@pytest.mark.parametrize("rooms", bench_rules.ROOMS)
def test_rules_alone_are_thirty_and_choose(rooms: int) -> None:
    found = bench_rules.rules_alone(rooms, 1)
    assert (found.hard, found.soft, found.rooms) == (10, 20, rooms)
    assert 0 < found.chosen <= found.slots and found.median_us > 0


def test_the_sizes_are_what_they_say() -> None:
    assert LARGE.visits == 100_000
    assert bench_data.SMALL.visits == 1_000


@pytest.mark.parametrize("day", range(1, 15))
def test_the_first_day_is_a_monday_a_month_away(day: int) -> None:
    today = datetime(2026, 11, day, 13, 5, tzinfo=UTC)
    found = bench_data.monday(today)
    assert found.weekday() == found.hour == found.minute == 0
    assert 29 <= (found - today).days <= 37


def test_units_are_asked_for_in_the_shares_of_a_day() -> None:
    of = Organization(
        size=ORGANIZATIONS[0], first=FIRST, stored_from=FIRST, id="o", email="e", service="s", clinics=["c"], rooms=[],
        practitioners=[], patients=["p"], authorizations=[f"z{n}" for n in range(19)],
    )  # fmt: skip
    one = UnitRequests([Requests(of, "token", "host", 1)], 1)
    made = one.mixed(10_000)
    assert len(set(made)) == 10_000, "each has a key of its own"
    shares = {
        kind: sum(f"/{kind} ".encode() in each for each in made) for kind in ("reserve", "release", "consume")
    }
    assert all(
        abs(shares[kind] - 10_000 * share / 100) < 250
        for kind, share in zip(shares, (70, 20, 10), strict=True)
    )
    hot = sum(b"/z0/" in each for each in made)
    assert abs(hot - 10_000 * (0.2 + 0.8 / 19)) < 250
    assert one.expected["o"] == {
        "entries": 10_000, "reserved": 5 * shares["reserve"] - 5 * shares["release"] - 3 * shares["consume"],
        "used": 3 * shares["consume"],
    }  # fmt: skip


@pytest.mark.slow
def test_units_are_stored_as_they_were_granted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without yardsticks, which a busy machine may not even start in so short a time; every way grants exactly what there
    is."""
    monkeypatch.setattr(bench, "_NEEDS", ())
    monkeypatch.setattr(bench, "ROUNDS", size(1, 3))
    file = tmp_path / "out.json"
    bench.run(file, 0.3, lambda _text: None, "S1,S2,S3,isolation", lambda _text: None)
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    assert not report.invalid
    assert [one.name for one in report.measures] == ["S1", "S2", "S3"]
    assert [one.granted for one in report.isolations] == [one.grantable for one in report.isolations]
    assert len(report.isolations) == 3
    assert all(one.is_exact for one in report.isolations)


@pytest.mark.slow
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So short a run carries no percentile of races and searches; but every answer to them is compared with what is
    stored."""
    monkeypatch.setattr(bench_live, "_STARTS", size(1, 5))
    said: list[str] = []
    # Our own children only: the run's engine is one of them and has backends that come and go.
    before = {process.pid for process in psutil.Process().children()}
    file = tmp_path / "out.json"
    code = bench.run(file, 0.3, lambda _text: None, "S4,S5,S9,S11,S12", said.append)
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    assert not report.invalid
    names = {goal.name for goal in report.goals}
    invalid = {goal.name for goal in report.goals if goal.verdict == "invalid"}
    assert invalid <= {"S5 / S4", "S9"}
    assert code == 2 if invalid else code in (0, 1)
    assert {"S4 / Y3", "S5 / S4", "S9", "S11", "S12 memory", "S12 start"} <= names
    assert all(len(one.rounds) == bench.ROUNDS for one in report.measures)
    assert "PostgreSQL 18" in said[0]
    assert {process.pid for process in psutil.Process().children()} <= before

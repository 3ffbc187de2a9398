"""Invented organizations as data: repeatable, whole at any moment, and as practice.md describes them."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest

from holdfast import ids
from holdfast.rules.recurrence import spans
from holdfast.seed import harbor, juniper, profiles
from holdfast.seed.chance import Chance
from holdfast.seed.plan import minutes_of, suits
from holdfast.seed.world import World
from holdfast.slot import instant, local_date

# A Saturday morning, a Sunday, noon on a weekday, after closing, both changes of the clock, a leap day.
MOMENTS = (
    "2026-11-21T17:00:00Z", "2026-11-22T17:00:00Z", "2026-11-23T19:00:00Z", "2026-11-24T06:30:00Z",
    "2026-03-08T18:00:00Z", "2026-10-28T22:00:00Z", "2028-02-29T15:00:00Z",
)  # fmt: skip


def spelled(world: World) -> bytes:
    return msgspec.json.encode([
        world.documents, world.logins, world.used_units, world.absences,
        [(each.book, each.steps) for each in world.visits],
    ])  # fmt: skip


def test_the_same_number_gives_the_same_data() -> None:
    now = instant(MOMENTS[0])
    for build in (juniper.build, harbor.build):
        assert spelled(build(7, now)) == spelled(build(7, now))
        assert spelled(build(7, now)) != spelled(build(8, now))
    for profile in profiles.SIZES:
        one, again, other = (profiles.build(profile, number, now) for number in (7, 7, 8))
        assert [spelled(each) for each in one] == [spelled(each) for each in again]
        assert spelled(one[0]) != spelled(other[0])


def test_ids_are_uuids_of_version_7_that_sort_as_they_were_made() -> None:
    chance = Chance("ids")
    made = [chance.new_id() for _ in range(3000)]
    assert made == sorted(made)
    assert all(ids.canonical(each) == each and each[14] == "7" and each[19] in "89ab" for each in made)


@pytest.mark.parametrize("moment", MOMENTS)
def test_juniper_is_as_described(moment: str) -> None:
    world = juniper.build(1, instant(moment))
    counts = Counter(kind for kind, _ in world.documents)
    assert (counts["clinic"], counts["practitioner"], counts["room"], counts["patient"]) == (2, 12, 10, 200)
    assert [clinic["time_zone"] for clinic in world.all("clinic")] == ["America/Phoenix", "America/Denver"]
    four = {room["name"] for room in world.all("room") if room["concurrent_visits_max"] == 4}
    assert four == {"Playroom", "PT Gym"}
    assert {absence.of for absence in world.absences} == {"clinic", "room", "practitioner"}
    assert any(visit.book.location == "home" for visit in world.visits)
    fates = Counter(_fate(world, visit) for visit in world.visits)
    past = {name: count for name, count in fates.items() if name.startswith("past ")}
    shares = {name: count / sum(past.values()) for name, count in past.items()}
    assert shares["past complete"] == pytest.approx(0.82, abs=0.005)
    assert shares["past cancel"] == pytest.approx(0.10, abs=0.005)
    assert shares["past no-show"] == pytest.approx(0.05, abs=0.005)


def _fate(world: World, visit: object) -> str:
    zones = {clinic["id"]: clinic["time_zone"] for clinic in world.all("clinic")}
    book, steps = visit.book, visit.steps  # type: ignore[attr-defined]
    zone = zones[book.clinic_id]
    when = "past" if local_date(book.start, zone) < world.today(zone) else "later"
    return f"{when} {steps[-1].call if steps else 'none'}"


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_happened_that_is_still_to_come(moment: str) -> None:
    now = instant(moment)
    for world in (juniper.build(1, now), harbor.build(1, now)):
        for visit in world.visits:
            assert all(step.at is None or step.at <= now for step in visit.steps)
            if visit.book.start > now:
                assert not {step.call for step in visit.steps} & {"complete", "start", "no-show"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_three_weeks_are_filled_as_practice_fills_them(moment: str) -> None:
    world = juniper.build(1, instant(moment))
    zones = {clinic["id"]: clinic["time_zone"] for clinic in world.all("clinic")}
    ahead = [world.today() + timedelta(days=day) for day in range(1, 21)]
    shares = []
    for practitioner in world.all("practitioner"):
        works = sum(
            minutes_of(hours["end"]) - minutes_of(hours["start"])
            for on in ahead
            for hours in practitioner["working_hours"]
            if hours["weekday"] == on.weekday()
        )
        lunch = sum(
            (end - start) // 60
            for block in world.blocks
            if block.kind == "break" and practitioner["id"] in block.practitioner_ids
            for start, end in spans(block.rrule, (block.start, block.end), block.time_zone)
            if local_date(start, block.time_zone) in ahead
        )
        given = {
            (line.start or visit.book.start, line.end or visit.end)
            for visit in world.visits
            if local_date(visit.book.start, zones[visit.book.clinic_id]) in ahead
            for _, line in visit.book.lines
            if line.practitioner_id == practitioner["id"]
        }
        shares.append(sum(end - start for start, end in given) / 60 / (works - lunch))
    assert 0.70 <= sum(shares) / len(shares) <= 0.75
    assert min(shares) > 0.5
    assert max(shares) < 0.82


@pytest.mark.parametrize("moment", MOMENTS)
def test_somebody_is_off_sick_with_four_visits(moment: str) -> None:
    world = juniper.build(1, instant(moment))
    (sick,) = (absence for absence in world.absences if absence.of == "practitioner")
    left = [
        visit
        for visit in world.visits
        if visit.book.first.practitioner_id == sick.id
        and visit.is_open
        and visit.end > sick.start
        and visit.book.start < sick.end
    ]
    assert (sick.why, len(left)) == ("sick", 4)


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_story_is_there_whatever_the_day(moment: str) -> None:
    world = juniper.build(1, instant(moment))
    codes = {service["id"]: service["code"] for service in world.all("service")}
    ahead = [visit for visit in world.visits if visit.book.start > world.now and visit.is_open]
    lines = [[codes[line.service_id] for _, line in visit.book.lines] for visit in ahead]
    assert ["97153", "97155"] in lines, "a supervisor joins"
    assert ["97110", "97140", "97530"] in lines, "treatments follow each other"
    groups = Counter(visit.book.start for visit in ahead if codes[visit.book.first.service_id] == "97154")
    assert set(groups.values()) == {4}
    assert any(line.travel_before_minutes for visit in ahead for _, line in visit.book.lines)
    assert any(line.caregiver_id for visit in ahead for _, line in visit.book.lines)
    assert len(world.holds) == 1
    (wheelchair,) = (patient for patient in world.all("patient") if patient["needs"] == ["wheelchair"])
    evaluation = next(service for service in world.all("service") if service["code"] == "97161")
    clinic = world.all("clinic")[0]["id"]
    admitted = [
        room
        for room in world.all("room")
        if room["clinic_id"] == clinic and suits(room, evaluation, wheelchair)
    ]
    assert len(admitted) == 3


@pytest.mark.parametrize("moment", MOMENTS)
def test_children_have_six_to_fourteen_hours_a_week(moment: str) -> None:
    world = juniper.build(1, instant(moment))
    codes = {service["id"]: service["code"] for service in world.all("service")}
    weekly: Counter[str] = Counter()
    for visit in world.visits:
        if codes[visit.book.first.service_id] in {"97153", "97154"}:
            weekly[visit.book.patient] += (visit.end - visit.book.start) // 60
    hours = [minutes / 60 / 5 for minutes in weekly.values()]
    assert len(hours) == 14
    assert 6 <= min(hours) <= max(hours) <= 14


def test_siblings_share_a_parent() -> None:
    for world in (juniper.build(1, instant(MOMENTS[0])), harbor.build(1, instant(MOMENTS[0]))):
        of_contact = Counter(
            link["contact_id"] for patient in world.all("patient") for link in patient["contacts"]
        )
        assert max(of_contact.values()) == 2


def test_the_dentist_goes_between_two_chairs() -> None:
    world = harbor.build(1, instant(MOMENTS[2]))
    dentist = world.all("practitioner")[0]["id"]
    chairs = [visit for visit in world.visits if visit.book.others]
    middles = []
    for visit in chairs:
        ((_, part),) = visit.book.others
        assert part.practitioner_id == dentist
        assert visit.book.start < (part.start or 0) < (part.end or 0) < visit.end
        middles.append((part.start or 0, part.end or 0))
    assert all(before[1] <= after[0] for before, after in pairwise(sorted(middles)))
    ordered = sorted((visit.book.start, visit.end) for visit in chairs)
    assert any(after[0] < before[1] for before, after in pairwise(ordered)), "two chairs at once"


def test_the_authorizations_tell_their_stories() -> None:
    world = juniper.build(1, instant(MOMENTS[0]))
    today, used = world.today(), dict(world.used_units)
    known = world.all("authorization")
    shares = sorted(used[each["id"]] / each["total_units"] for each in known if each["id"] in used)
    assert shares == [0.92, 1.0]
    assert sum(each["approval"] == "pending" for each in known) == 1
    assert sum(each["end_date"] < today.isoformat() for each in known) == 1
    assert sum(each["end_date"] == (today + timedelta(days=9)).isoformat() for each in known) >= 1


@pytest.mark.parametrize("profile", profiles.SIZES)
def test_profiles_have_their_sizes(profile: str) -> None:
    size = profiles.SIZES[profile]
    worlds = profiles.build(profile, 1, instant(MOMENTS[0]))
    assert len(worlds) == size.organizations
    for world in worlds:
        assert len(world.all("patient")) == size.patients
        assert len(world.all("practitioner")) == size.practitioners
        assert len(world.all("room")) == size.rooms
        assert len(world.visits) == size.visits
    assert sum(len(world.all("authorization")) for world in worlds) == size.authorizations

"""Data for tests under load (proof.md): calendars of three sizes, and an empty one to storm. Data only."""

from datetime import timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from holdfast.commands.book import Book
from holdfast.commands.line_wish import LineWish
from holdfast.commands.save import Document
from holdfast.seed.chance import Chance
from holdfast.seed.world import Login, Planned, World
from holdfast.slot import MINUTE, wall

_ZONE = "America/Phoenix"


class Size(NamedTuple):
    practitioners: int
    rooms: int
    patients: int
    visits: int
    organizations: int = 1
    authorizations: int = 0
    """In all organizations together."""


SIZES: Final = MappingProxyType({
    "small": Size(practitioners=3, rooms=3, patients=10, visits=50),
    "medium": Size(practitioners=6, rooms=6, patients=50, visits=500),
    "large": Size(practitioners=10, rooms=10, patients=100, visits=1000),
    "storm": Size(practitioners=50, rooms=10, patients=200, visits=0, organizations=3, authorizations=55),
})  # fmt: skip


def build(profile: str, number: int, now: int) -> list[World]:
    size = SIZES[profile]
    worlds = [_organization(profile, size, number, n, now) for n in range(size.organizations)]
    for n in range(size.authorizations):
        world = worlds[n % len(worlds)]
        _authorization(world, n // len(worlds))
    return worlds


def _organization(profile: str, size: Size, number: int, n: int, now: int) -> World:
    """One clinic that is open around the clock but on Sundays, whose rooms suit every service."""
    chance = Chance(profile, number, n)
    name = f"{profile}-{number}" + (f"-{n + 1}" if size.organizations > 1 else "")
    world = World(chance, now, f"Load {name}", f"{name}.example", _ZONE)
    hours = [{"weekday": day, "start": "00:00", "end": "24:00"} for day in range(6)]
    clinic = world.add("clinic", name=f"Clinic {name}", time_zone=_ZONE, opening_hours=hours)["id"]
    for room in range(size.rooms):
        world.add(
            "room",
            clinic_id=clinic,
            number=f"{room + 1:03}",
            room_type="therapy",
            capacity=4,
            display_order=room,
        )
    for _ in range(size.practitioners):
        world.add("practitioner", name=" ".join(chance.person()), clinic_ids=[clinic])
    world.add("service", code="VISIT30", name="Visit", duration_minutes=30)
    world.add(
        "service", code="97153", name="Behaviour session", duration_minutes=60, authorization_required=True
    )
    world.add("payer", name="Saguaro Health Plan")
    for _ in range(size.patients):
        given, family = chance.person()
        born = chance.birth_date(world.today(), 3, 85)
        world.add("patient", given_name=given, family_name=family, birth_date=born)
    world.logins += [
        Login(role="admin", word="admin", name="Admin"),
        Login(role="scheduler", word="scheduler", name="Scheduler"),
    ]
    world.visits = _visits(world, size)
    return world


def _visits(world: World, size: Size) -> list[Planned]:
    """Spread over the week before, this one and the two after: at each time no more than there are practitioners and
    rooms, and nobody twice."""
    if not size.visits:
        return []
    at_once = min(size.practitioners, size.rooms, size.patients)
    clinic, service = world.all("clinic")[0], world.all("service")[0]
    staff, patients = world.all("practitioner"), world.all("patient")
    times = [
        wall(on, minute, _ZONE)
        for day in range(-7, 21)
        if (on := world.today() + timedelta(days=day)).weekday() < 6
        for minute in range(8 * 60, 17 * 60, 60)
    ]
    cells = [(start, n) for start in times for n in range(at_once)]
    planned: list[Planned] = []
    whom: list[Document] = []
    before = 0
    for start, n in sorted(world.chance.sample(cells, size.visits)):
        if start != before:
            whom, before = world.chance.sample(patients, at_once), start
        end = start + service["duration_minutes"] * MINUTE
        book = Book(
            clinic_id=clinic["id"], patient=whom[n]["id"], start=start,
            first=LineWish(practitioner_id=staff[n]["id"], service_id=service["id"], end=end),
        )  # fmt: skip
        planned.append(Planned(book=book, end=end))
    return planned


def _authorization(world: World, n: int) -> None:
    """The first of an organization has 50 units, to contend for; the others more than anyone uses."""
    today = world.today()
    world.add(
        "authorization", patient_id=world.all("patient")[n]["id"], payer_id=world.all("payer")[0]["id"],
        service_codes=["97153"], total_units=50 if n == 0 else 1_000_000,
        start_date=(today - timedelta(days=30)).isoformat(), end_date=(today + timedelta(days=335)).isoformat(),
    )  # fmt: skip

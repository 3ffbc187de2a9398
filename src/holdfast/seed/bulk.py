"""A large calendar for benchmarks and for looking at query plans: 100,000 visits in seconds, and ten million with
patience. Written past the lanes, as the tables' owner, by COPY and set by set; the constraints hold of it all the
same, and what is left is what booking each visit would have left: every invariant is true of it, and a test says so.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

import asyncpg
import msgspec

from holdfast import ids
from holdfast.db.database import transaction
from holdfast.db.statements import filled, statement
from holdfast.errors import NotFound
from holdfast.plain import PlainError
from holdfast.rules import rooms
from holdfast.rules.facts import Clinic, Directory, Practitioner, Room, Service
from holdfast.seed.chance import Chance
from holdfast.seed.house import opened
from holdfast.seed.load import load
from holdfast.seed.world import Login, World
from holdfast.settings import Settings
from holdfast.slot import MINUTE, local_date, moment, rfc3339, units_to_reserve, wall

VISIT_MINUTES = 30
_STRIDE_MINUTES = 45
_SLOTS = tuple(range(8 * 60, 18 * 60 - VISIT_MINUTES + 1, _STRIDE_MINUTES))
VISITS_A_DAY = 10
"""Of each practitioner: of the slots of a day some stay free."""
_VISITS_PER_TRANSACTION = 20_000
_YEARS = 5
_FATES = ("completed",) * 82 + ("cancelled",) * 10 + ("no_show",) * 5 + ("scheduled",) * 3
_COLUMNS = (
    "n", "id", "clinic_id", "patient_id", "room_id", "turnover_minutes", "practitioner_id", "buffer_minutes",
    "service_id", "authorization_id", "units", "starts_at", "ends_at", "status",
)  # fmt: skip


class BulkError(PlainError):
    """The organization cannot be filled; the message says why."""


class Filled(msgspec.Struct, frozen=True):
    """`first`, `last`: the local dates of the visits."""

    organization_id: str
    visits: int
    first: date
    last: date


class Place(msgspec.Struct, frozen=True):
    """A clinic with the pairs of practitioner and room that visits are given in."""

    clinic: Clinic
    pairs: list[tuple[Practitioner, Room]]


async def organization(
    settings: Settings, word: str, number: int, now: int, practitioners: int, patients: int
) -> str:
    """A new organization for `fill`: a clinic and as many rooms as practitioners for each fifty of these, half of the
    patients with an authorization. `word` makes its addresses its own; nobody knows its password."""
    world = World(
        Chance("bulk", word, number), now, f"Bulk {word}-{number}", f"bulk-{word}-{number}.example", "UTC"
    )
    today, chance = world.today(), world.chance
    clinics = [
        world.add("clinic", name=f"Clinic {n + 1}", time_zone="America/Phoenix")["id"]
        for n in range(-(-practitioners // 50))
    ]
    for n in range(practitioners):
        clinic = clinics[n // 50]
        world.add("room", clinic_id=clinic, number=f"{n + 1:04}", room_type="therapy", capacity=4)
        world.add("practitioner", name=f"{chance.name()[0]} {n + 1}", clinic_ids=[clinic])
    world.add("service", code="VISIT", name="Visit", duration_minutes=VISIT_MINUTES)
    world.add(
        "service", code="97153", name="Behaviour session", duration_minutes=VISIT_MINUTES, authorization_required=True
    )  # fmt: skip
    payer = world.add("payer", name="Saguaro Health Plan")["id"]
    for n in range(patients):
        given, family = chance.name()
        born = chance.birth_date(today, 3, 85)
        patient = world.add("patient", given_name=given, family_name=f"{family} {n}", birth_date=born)["id"]
        if n % 2:
            world.add(
                "authorization", patient_id=patient, payer_id=payer, service_codes=["97153"], total_units=1_000_000,
                start_date=(today - timedelta(days=366 * _YEARS)).isoformat(),
                end_date=(today + timedelta(days=366 * _YEARS)).isoformat(),
            )  # fmt: skip
    world.logins.append(Login(role="admin", word="admin", name="Bulk Admin"))
    async with opened(settings) as house:
        made = await load(house, world, password_hash="!")  # noqa: S106 - no password has this hash
    return made.organization_id


async def fill(admin_url: str, organization_id: str, visits: int, now: int, number: int = 1) -> Filled:
    """Fills the empty calendar of an organization with visits on weekdays, half before `now` (epoch seconds) and half
    after, between 8 and 18 o'clock. `admin_url`: the tables' owner.

    Raises NotFound; BulkError when there are too few rooms, practitioners or patients, or visits already.
    """
    connection = await asyncpg.connect(admin_url)
    try:
        plan = await _planned(connection, organization_id, visits, now)
        rows = islice(_rows(plan, Chance("bulk visits", number), now), visits)
        for n in range(0, visits, _VISITS_PER_TRANSACTION):
            chunk = list(islice(rows, _VISITS_PER_TRANSACTION))
            await _chunk(connection, organization_id, chunk, now, is_first=n == 0)
    finally:
        await connection.close()
    return Filled(organization_id, visits, plan.days[0], plan.days[-1])


class _Plan(msgspec.Struct, frozen=True):
    """`plain`: a service without authorization; `paid`: one with, for patients who have one."""

    places: list[Place]
    plain: Service
    paid: Service | None
    patients: list[tuple[str, str | None]]
    days: list[date]


async def _planned(connection: Any, organization_id: str, visits: int, now: int) -> _Plan:
    async with transaction(connection, "begin_reading", organization_id):
        document = await connection.fetchval(statement("directory"), organization_id)
        if document is None:
            raise NotFound("organization_id")
        directory = Directory.decode(document)
        services = sorted(
            (each for each in directory.services.values() if each.is_active), key=lambda s: s.id
        )
        plain = next((each for each in services if not each.authorization_required), None)
        paid = next((each for each in services if each.authorization_required), None)
        places = _places(directory)
        at_once = sum(len(place.pairs) for place in places)
        if plain is None or not at_once:
            raise BulkError(
                "Needed are a service without authorization, practitioners, and rooms beside them."
            )
        days = _days(places[0].clinic, -(-visits // (VISITS_A_DAY * at_once)), now)
        rows = await connection.fetch(
            statement("bulk_patients"),
            organization_id,
            paid.code if paid else "",
            days[0],
            days[-1],
            visits * 2,
        )
    if len(rows) < at_once:
        raise BulkError(f"Needed are {at_once} patients at least; there are {len(rows)}.")
    patients = [(str(patient), str(each) if each else None) for patient, each in rows]
    return _Plan(places, plain, paid, patients, days)


def _places(directory: Directory) -> list[Place]:
    """Each practitioner and each room once; those whose tails would reach into the next visit are left out."""
    most, placed, found = _STRIDE_MINUTES - VISIT_MINUTES, set[str](), []
    for clinic in sorted(directory.clinics.values(), key=lambda each: each.id):
        staff = [
            each
            for each in sorted(directory.practitioners.values(), key=lambda each: each.id)
            if clinic.id in each.clinic_ids
            and each.id not in placed
            and each.is_active
            and each.buffer_minutes <= most
        ]
        free = [
            room
            for room in directory.rooms_of[clinic.id]
            if room.is_available and room.cleaning_minutes <= most
        ]
        pairs = list(zip(staff, free, strict=False))
        placed |= {practitioner.id for practitioner, _ in pairs}
        if pairs:
            found.append(Place(clinic, pairs))
    return found


def _days(clinic: Clinic, count: int, now: int) -> list[date]:
    """So many weekdays, as many before today as from today on. Raises BulkError when they reach too far."""
    if count > _YEARS * 260:
        raise BulkError(f"That many visits would fill {count} days: more practitioners and rooms are needed.")
    today = local_date(now, clinic.time_zone)
    weekdays = [
        on
        for days in range(-count * 2 - 7, count * 2 + 7)
        if (on := today + timedelta(days=days)).weekday() < 5
    ]
    middle = sum(on < today for on in weekdays)
    return weekdays[middle - count // 2 : middle + (count + 1) // 2]


def _rows(plan: _Plan, chance: Chance, now: int) -> Iterator[tuple[Any, ...]]:
    """Visits in order of time, without end of the plan's days: at any time everyone is in one place only, because all
    visits keep to the same grid, on which patients are dealt out anew each time."""
    n, patients = 0, plan.patients
    for on in plan.days:
        slots_of = [
            (place.clinic, pair, set(chance.sample(_SLOTS, VISITS_A_DAY)))
            for place in plan.places
            for pair in place.pairs
        ]
        for minute in _SLOTS:
            dealt = chance.randrange(len(patients))
            for clinic, (practitioner, room), slots in slots_of:
                dealt += 1
                if minute not in slots:
                    continue
                n += 1
                start = wall(on, minute, clinic.time_zone)
                patient, authorization = patients[dealt % len(patients)]
                yield (
                    n, chance.new_id(), clinic.id, patient, room.id,
                    *_given(plan, authorization, room, practitioner), moment(start),
                    moment(start + VISIT_MINUTES * MINUTE), _fate(chance, start + VISIT_MINUTES * MINUTE, now),
                )  # fmt: skip


def _given(
    plan: _Plan, authorization: str | None, room: Room, practitioner: Practitioner
) -> tuple[int, str, int, str, str | None, int]:
    """Turnover, practitioner and buffer, service, authorization and units."""
    service = plan.plain if authorization is None or plan.paid is None else plan.paid
    units = 0
    if service is plan.paid:
        units = units_to_reserve(VISIT_MINUTES, service.unit_basis, service.unit_minutes)
    turnover = rooms.turnover(room, service)
    return turnover, practitioner.id, practitioner.buffer_minutes, service.id, authorization, units


def _fate(chance: Chance, end: int, now: int) -> str:
    if end <= now:
        return chance.choice(_FATES)
    return "cancelled" if chance.some(0.03) else "scheduled"


async def _chunk(
    connection: Any, organization_id: str, chunk: list[tuple[Any, ...]], now: int, *, is_first: bool
) -> None:
    """One transaction with the organization's turn, one batch of the audit chain."""
    async with transaction(connection, "begin_writing", organization_id):
        turn = await connection.fetchrow(statement("take_turn"), organization_id)
        standing = await connection.fetchrow(statement("bulk_standing"), organization_id)
        if is_first and not standing["is_empty"]:
            raise BulkError("There are visits in the organization's calendar already.")
        await connection.execute(statement("bulk_stage"))
        await connection.copy_records_to_table("bulk_visits", records=chunk, columns=_COLUMNS)
        admin = standing["admin"]
        await connection.execute(filled(
            "bulk_apply", organization=organization_id, seq_before=str(turn["seq"]), batch=ids.new(),
            decided_at=rfc3339(now), admin=str(admin) if admin else None,
        ))  # fmt: skip

"""The organizations that the bench measures on, and the requests it sends to them. Written as the tables' owner, since
there is nobody else yet; the same seed gives the same ids and the same order.
"""

import base64
import random
import uuid
from datetime import UTC, datetime, time, timedelta
from typing import Any

import argon2
import asyncpg
import msgspec

from holdfast.proof import driver
from holdfast.proof.statements import statement
from holdfast.vault import Vault

CLINIC_ROOMS = 10
CLINIC_PRACTITIONERS = 50
QUARTERS = 70_080
"""Quarters of an hour in the two years that bookings are spread over: room-time for 700,800 of them."""
SEARCH_DAYS = 30
SEARCH_SLOTS = 20
_AHEAD_DAYS = 30
_WEEKDAYS, _HOURS = 5, (8, 18)
"""When stored visits are (bench_visits.sql, seed/bulk.py)."""
_PASSWORD = "only for the bench, on loopback"  # noqa: S105

_LOG_SEGMENTS_WARMED = 64


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """What an organization is made of. `weeks`: of stored visits, so many in each clinic and week."""

    name: str
    clinics: int
    patients_each: int
    weeks: int
    minutes: int
    rooms_each: int = CLINIC_ROOMS
    week_visits: int = 100
    ruled: bool = False
    """Whether a policy of one hard rule and two soft ones is in force."""
    authorizations: int = 0
    out_of_hours: bool = False
    """Whether planned bookings keep out of Monday to Friday from 8 to 18 o'clock."""

    @property
    def visits(self) -> int:
        return self.clinics * self.weeks * self.week_visits


EMPTY = Size(name="bookings", clinics=1, patients_each=200, weeks=0, minutes=15, ruled=True)
SMALL = Size(name="1k", clinics=1, patients_each=100, weeks=10, minutes=60)
LARGE = Size(name="100k", clinics=10, patients_each=100, weeks=100, minutes=60)
HALF_FULL = Size(
    name="half full", clinics=1, patients_each=1250, weeks=10, minutes=60, rooms_each=50, week_visits=1250
)
"""25 of 50 practitioners and rooms are taken at every hour of the clinic's week."""
IN_USE = Size(name="in use", clinics=1, patients_each=100, weeks=40, minutes=60, ruled=True)
"""Its days are partly taken; the evenings are free for series of weeks."""
SERIES_DATES = 36


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """One organization as its clients know it."""

    size: Size
    first: datetime
    """The Monday from which on bookings are asked for."""
    stored_from: datetime
    """The Monday on which its stored visits begin."""
    id: str
    email: str
    service: str
    clinics: list[str]
    rooms: list[str]
    practitioners: list[str]
    patients: list[str]
    authorizations: list[str] = []

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": _PASSWORD}


def monday(today: datetime) -> datetime:
    """The first Monday, midnight UTC, that is a month away: everything the bench writes lies after it."""
    day = (today + timedelta(days=_AHEAD_DAYS)).date()
    day += timedelta(days=-day.weekday() % 7)
    return datetime.combine(day, time(), UTC)


async def make(
    connection: Any, size: Size, key: bytes, first: datetime, seed: int, stored_from: datetime | None = None
) -> Organization:
    """Writes an organization without visits. `key`: the installation's secret. `stored_from`: `first`, if not given."""
    chance = random.Random(f"{seed} {size.name}")  # noqa: S311 - the same data for the same seed

    def some(count: int) -> list[str]:
        return [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(count)]

    made = Organization(
        size=size, first=first, stored_from=stored_from or first, id=some(1)[0], email=f"bench-{size.name.replace(' ', '-')}@holdfast.example", service=some(1)[0],
        clinics=some(size.clinics), rooms=some(size.clinics * size.rooms_each),
        practitioners=some(size.clinics * CLINIC_PRACTITIONERS),
        patients=some(size.clinics * size.patients_each), authorizations=some(size.authorizations),
    )  # fmt: skip
    await connection.execute(
        statement("bench_organization"), made.id, size.name, Vault(key).new_data_key(made.id), made.service,
        made.clinics, made.rooms, made.practitioners, made.patients, some(1)[0], made.email,
        argon2.PasswordHasher().hash(_PASSWORD), size.minutes,
    )  # fmt: skip
    if size.ruled:
        rules = msgspec.json.encode(_rules(made)).decode()
        await connection.execute(statement("bench_policy"), made.id, some(1)[0], rules)
    if size.authorizations:
        await connection.execute(
            statement("bench_authorizations"), made.id, some(1)[0], made.patients, made.authorizations
        )
    return made


async def visits(connection: Any, made: Organization) -> None:
    size = made.size
    await connection.execute(
        statement("bench_visits"), made.id, made.service, made.clinics, made.rooms, made.practitioners,
        made.patients, made.stored_from, size.weeks, size.week_visits,
    )  # fmt: skip


def _rules(of: Organization) -> list[dict[str, Any]]:
    """Hours, preferred rooms, and a balance between rooms: of each kind of rule one, none of which refuses a booking here."""
    return [
        {"name": "hours", "kind": "hard", "type": "time_range", "time_from": "00:00", "time_to": "24:00"},
        {
            "name": "preferred",
            "kind": "soft",
            "type": "practitioner_room_preference",
            "preferred_rooms": of.rooms[:3],
        },
        {"name": "balance", "kind": "soft", "type": "utilization_balancing", "visits_per_day_max": 10},
    ]


async def fill(admin_url: str, secret: str, sizes: list[Size], seed: int) -> dict[str, Organization]:
    """Makes every size, then lets the database settle."""
    connection = await asyncpg.connect(admin_url)
    try:
        first, key = monday(datetime.now(UTC)), base64.b64decode(secret)
        made = {size.name: await make(connection, size, key, first, seed) for size in sizes}
        for each in made.values():
            if each.size.weeks:
                await visits(connection, each)
        for size in sizes:
            stored = await connection.fetchval(statement("stored_appointments"), made[size.name].id)
            if stored != size.visits:
                raise RuntimeError(f"{size.name}: {stored} visits stored, {size.visits} planned")
        await settle(connection)
    finally:
        await connection.close()
    return made


async def settle(connection: Any) -> None:
    """What a database does by itself before long, and has done when it is in use."""
    await connection.execute(statement("settle"))
    # A cluster in use writes its log into files that it has written before, and its buffers lie in memory that it has
    # had before. A new one makes each file anew, which stops everybody for 50 ms every 16 MB, and each page of
    # memory is found for it when it first writes there: neither is a property of what is measured.
    await connection.execute(statement("warm_memory"))
    for _ in range(_LOG_SEGMENTS_WARMED):
        await connection.execute(statement("warm_log"))
    await connection.execute(statement("checkpoint"))


class Requests:
    """Makes the requests of one organization; `token` is an access token of its scheduler."""

    def __init__(self, organization: Organization, token: str, host: str, seed: int) -> None:
        self._of = organization
        self._first, self._stored_from = organization.first, organization.stored_from
        # Whoever books does so in the first clinic.
        self._staff = organization.practitioners[:CLINIC_PRACTITIONERS]
        self._patients = organization.patients[: organization.size.patients_each]
        self.headers = {"host": host, "authorization": f"Bearer {token}"}
        self._chance = random.Random(f"{seed} requests of {organization.size.name}")  # noqa: S311
        self._quarters = [
            n for n in range(QUARTERS) if not organization.size.out_of_hours or _is_out_of_hours(n)
        ]
        self._chance.shuffle(self._quarters)
        self.booked = 0
        """Planned bookings made out so far."""
        self._raced = 0
        self._singles = self._series = 0
        self.won = 0
        """Bookings that races have granted."""

    @property
    def organization(self) -> Organization:
        return self._of

    @property
    def organization_id(self) -> str:
        return self._of.id

    def booking_body(self) -> bytes:
        """The next planned booking: ten in each quarter of an hour, whose practitioners and patients differ."""
        number = self.booked
        self.booked += 1
        start = self._first + timedelta(minutes=15 * self._quarters[number // CLINIC_ROOMS])
        return self._wish(
            self._patients[number % len(self._patients)], self._staff[number % len(self._staff)], start
        )

    def _wish(self, patient: str, practitioner: str, start: datetime) -> bytes:
        return msgspec.json.encode({
            "clinic_id": self._of.clinics[0], "patient_id": patient, "practitioner_id": practitioner,
            "service_id": self._of.service, "start": _spelled(start),
        })  # fmt: skip

    def bookings(self, count: int) -> list[bytes]:
        """Planned bookings, none of which meets another; each with a key of its own, as a careful client sends it."""
        made = []
        for _ in range(count):
            headers = self.headers | {"idempotency-key": f"bench-{self.booked}"}
            made.append(driver.request("POST", "/api/v1/appointments", headers, self.booking_body()))
        return made

    def singles(self, count: int) -> list[bytes]:
        """Bookings of one evening each, none of which meets another."""
        made = []
        for _ in range(count):
            number = self._singles
            self._singles += 1
            start = self._first + timedelta(days=number % (7 * self._of.size.weeks), hours=20)
            made.append(self._evening("/api/v1/appointments", f"single-{number}", number, start))
        return made

    def series(self, count: int) -> list[bytes]:
        """Series of so many weeks, ten on each evening of the week, none of which meets another or a booking."""
        made = []
        for _ in range(count):
            number = self._series
            self._series += 1
            start = self._first + timedelta(days=number % 7, hours=18 + number // (7 * CLINIC_ROOMS))
            rule = f"FREQ=WEEKLY;COUNT={SERIES_DATES}"
            made.append(
                self._evening("/api/v1/appointments/series", f"series-{number}", number, start, rrule=rule)
            )
        return made

    def _evening(self, path: str, key: str, number: int, start: datetime, **more: str) -> bytes:
        wish = msgspec.json.decode(
            self._wish(
                self._patients[number % len(self._patients)],
                self._staff[number % len(self._staff)],
                start,
            )
        )
        headers = self.headers | {"idempotency-key": f"bench-{key}"}
        return driver.request("POST", path, headers, msgspec.json.encode(wish | more))

    def conflict_checks(self, count: int) -> list[bytes]:
        """May this practitioner see this patient in this room then? Any clinic, any hour of the stored weeks."""
        of, chance, made = self._of, self._chance, []
        for _ in range(count):
            clinic = chance.randrange(len(of.clinics))
            day = chance.randrange(of.size.weeks) * 7 + chance.randrange(5)
            start = self._stored_from + timedelta(days=day, minutes=8 * 60 + 15 * chance.randrange(37))
            made.append(self._get("/api/v1/appointments/conflicts", {
                "start": _spelled(start), "end": _spelled(start + timedelta(hours=1)),
                "practitioner_id": of.practitioners[clinic * CLINIC_PRACTITIONERS + chance.randrange(50)],
                "patient_id": of.patients[clinic * of.size.patients_each + chance.randrange(of.size.patients_each)],
                "room_id": of.rooms[clinic * CLINIC_ROOMS + chance.randrange(CLINIC_ROOMS)],
            }))  # fmt: skip
        return made

    def week_views(self, count: int, clinics: int = 1) -> list[bytes]:
        """The first page of 50 of a week of one clinic (or of any of the first `clinics`)."""
        made = []
        for _ in range(count):
            start = self._stored_from + timedelta(days=7 * self._chance.randrange(self._of.size.weeks))
            made.append(self._get("/api/v1/appointments", {
                "clinic_id": self._of.clinics[self._chance.randrange(clinics)],
                "start_date": f"{start:%Y-%m-%d}", "end_date": f"{start + timedelta(days=6):%Y-%m-%d}",
                "page_size": "50",
            }))  # fmt: skip
        return made

    def searches(self, count: int) -> list[bytes]:
        """The next 20 free hours of the clinic's day within 30 days of any day of the first four weeks, for a patient."""
        made = []
        for _ in range(count):
            start = self._first + timedelta(days=self._chance.randrange(28))
            target = self.search_target(start, self._chance.choice(self._of.patients))
            made.append(driver.request("GET", target, self.headers))
        return made

    def search_target(self, start: datetime, patient: str) -> str:
        return _target("/api/v1/availability", {
            "clinic_id": self._of.clinics[0], "service_id": self._of.service, "patient_id": patient,
            "start_date": f"{start:%Y-%m-%d}", "end_date": f"{start + timedelta(days=SEARCH_DAYS - 1):%Y-%m-%d}",
            "time_from": "08:00", "time_to": "18:00", "limit": str(SEARCH_SLOTS),
        })  # fmt: skip

    def races(self, count: int, rivals: int) -> list[bytes]:
        """Bookings of different people of whom only as many as there are rooms can be granted, race after race."""
        made = []
        for _ in range(count):
            start = self._first + timedelta(minutes=15 * self._quarters[-1 - self._raced])
            self._raced += 1
            for rival in range(rivals):
                body = self._wish(self._patients[rival], self._staff[rival % len(self._staff)], start)
                made.append(driver.request("POST", "/api/v1/appointments", self.headers, body))
        return made

    def too_late(self) -> bytes:
        """A booking for the time of the last race, by somebody who was not in it."""
        number = self._quarters[-self._raced]
        start = self._first + timedelta(minutes=15 * number)
        return self._wish(self._patients[-1], self._staff[-1], start)

    def event_stream(self) -> bytes:
        return self._get("/api/v1/calendar/events", {})

    def _get(self, path: str, query: dict[str, str]) -> bytes:
        return driver.request("GET", _target(path, query), self.headers)


def _is_out_of_hours(quarter: int) -> bool:
    day, hour = quarter // 96 % 7, quarter // 4 % 24
    return day >= _WEEKDAYS or not _HOURS[0] <= hour < _HOURS[1]


def _target(path: str, query: dict[str, str]) -> str:
    """Instants and ids need no escaping: UTC is spelled Z."""
    return path + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")


def _spelled(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"

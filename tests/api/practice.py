"""A small clinic that is ready to be booked, made over the API by its admin; what the tests of visits ask for."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
from api.people import Organization

from holdfast.app import Application

API = "/api/v1"
VISITS = f"{API}/appointments"
ZONE = "America/Phoenix"
OPENS, CLOSES = "08:00", "18:00"


def monday() -> date:
    """A Monday some weeks ahead: nobody's clock makes it the past."""
    today = datetime.now(ZoneInfo(ZONE)).date()
    return today + timedelta(days=28 - today.weekday())


def at(hour: float, day: int = 0, zone: str = ZONE) -> str:
    """The instant of a wall-clock hour, some days after Monday, in UTC as the API writes it."""
    midnight = datetime.combine(monday() + timedelta(days=day), datetime.min.time())
    there = (midnight + timedelta(hours=hour)).replace(tzinfo=ZoneInfo(zone))
    return there.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")


def week(opens: str = OPENS, closes: str = CLOSES, **more: Any) -> list[dict[str, Any]]:
    return [{"weekday": day, "start": opens, "end": closes, **more} for day in range(6)]


class Practice:
    """Ids by name in `made`; `admin` is signed in. The clinic is open from eight to six except on Sundays."""

    def __init__(
        self,
        application: Application,
        organization: Organization,
        admin: httpx2.AsyncClient,
        made: dict[str, str] | None = None,
    ) -> None:
        self.application, self.organization, self.admin = application, organization, admin
        self.made = made or {}

    async def make(self, noun: str, called: str, **fields: Any) -> str:
        answer = await self.admin.post(f"{API}/{noun}", json=fields)
        assert answer.status_code == 201, answer.text
        self.made[called] = answer.json()["id"]
        return self.made[called]

    async def change(self, noun: str, called: str, **fields: Any) -> dict[str, Any]:
        answer = await self.admin.patch(f"{API}/{noun}/{self.made[called]}", json=fields)
        assert answer.status_code == 200, answer.text
        changed: dict[str, Any] = answer.json()
        return changed

    def booking(self, start: str, **more: Any) -> dict[str, Any]:
        """Wanted: Ana with Pat for talk at the clinic; names of `made` are given as ids, None leaves out."""
        wanted: dict[str, Any] = {
            "clinic_id": "clinic", "patient_id": "pat", "practitioner_id": "ana", "service_id": "talk", "start": start,
        } | more  # fmt: skip
        return {
            name: self.made.get(value, value) if name.endswith("_id") else value
            for name, value in wanted.items()
            if value is not None
        }

    async def book(self, start: str, **more: Any) -> Any:
        """The booked visit."""
        answer = await self.admin.post(VISITS, json=self.booking(start, **more))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def refused(self, start: str, **more: Any) -> Any:
        """The problem of a booking that is refused, its members held against one another."""
        answer = await self.admin.post(VISITS, json=self.booking(start, **more))
        return self.problem(answer, 409)

    @staticmethod
    def problem(answer: httpx2.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status
        assert problem["request_id"] == answer.headers["x-request-id"]
        if "reasons" in problem:
            assert problem["code"] == problem["reasons"][0]["code"]
            assert isinstance(problem["as_of_seq"], int)
            assert set(problem["alternatives"]) == {"rooms", "slots"}
        return problem

    async def move(self, visit: Any, **fields: Any) -> httpx2.Response:
        given = {n: self.made.get(v, v) if n.endswith("_id") else v for n, v in fields.items()}
        return await self.admin.patch(f"{VISITS}/{visit['id']}", json=given)

    async def call(self, visit: Any, call: str, **body: Any) -> httpx2.Response:
        return await self.admin.post(f"{VISITS}/{visit['id']}/{call}", json=body)

    async def done(self, answer: httpx2.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def get(self, visit: Any) -> Any:
        return (await self.admin.get(f"{VISITS}/{visit['id']}")).json()

    async def units(self, called: str = "authorization") -> tuple[int, int]:
        """Scheduled and available."""
        found = (await self.admin.get(f"{API}/authorizations/{self.made[called]}")).json()
        return found["scheduled_units"], found["available_units"]

    async def entries(self, called: str = "authorization") -> list[tuple[str, int]]:
        """The ledger, oldest first."""
        found = (await self.admin.get(f"{API}/authorizations/{self.made[called]}/entries")).json()["items"]
        return [(entry["kind"], entry["units"]) for entry in reversed(found)]

    async def stored(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows as the tables' owner sees them; $1 is the organization."""
        assert self.application.house is not None
        connection = await asyncpg.connect(self.application.house.settings.database_admin_url)
        try:
            return list(await connection.fetch(statement, self.organization.id, *arguments))
        finally:
            await connection.close()

    async def claims(self, visit: Any) -> list[tuple[str, str, str, str]]:
        """A visit's claims: whose, of which kind, from when until when (Phoenix), in order."""
        rows = await self.stored(
            "select resource_id::text, kind, starts_at, ends_at from claims"
            " where organization_id = $1 and appointment_id = $2 order by starts_at, kind, resource_id",
            visit["id"],
        )
        names = {made: called for called, made in self.made.items()}
        clock = [[row[n].astimezone(ZoneInfo(ZONE)).strftime("%H:%M") for n in (2, 3)] for row in rows]
        return sorted((names[row[0]], row[1], *times) for row, times in zip(rows, clock, strict=True))


async def make_practice(
    application: Application, organization: Organization, admin: httpx2.AsyncClient
) -> Practice:
    practice = Practice(application, organization, admin)
    clinic = await practice.make("clinics", "clinic", name="North", time_zone=ZONE, opening_hours=week())
    for number, cleaning in (("1", 10), ("2", 0)):
        await practice.make(
            "rooms", f"room {number}", clinic_id=clinic, number=number, room_type="talk", cleaning_minutes=cleaning,
            display_order=int(number),
        )  # fmt: skip
    for name, buffer in (("ana", 0), ("ben", 15)):
        await practice.make(
            "practitioners", name, name=name.title(), working_hours=week(clinic_id=clinic), buffer_minutes=buffer,
            credentials=[{"code": "RBT"}],
        )  # fmt: skip
    for name in ("pat", "quin"):
        await practice.make(
            "patients", name, given_name=name.title(), family_name="Person", birth_date="2015-05-05"
        )
    await practice.make("services", "talk", name="Talk", code="TALK", duration_minutes=60)
    await practice.make(
        "services", "funded", name="Therapy", code="97153", duration_minutes=60, authorization_required=True,
        locations=["on_site", "home", "telehealth"],
    )  # fmt: skip
    await practice.make("payers", "payer", name="Payer")
    await practice.make(
        "authorizations", "authorization", patient_id=practice.made["pat"], payer_id=practice.made["payer"],
        service_codes=["97153"], total_units=20, start_date=str(monday() - timedelta(days=30)),
        end_date=str(monday() + timedelta(days=30)),
    )  # fmt: skip
    return practice

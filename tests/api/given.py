"""A practice in which yesterday can be booked and practitioners sign in: what the tests of sessions ask for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
from api.people import PASSWORD, Client, sign_in
from api.practice import API, ZONE, Practice

SESSIONS = f"{API}/sessions"
ALWAYS = [{"weekday": weekday, "start": "00:00", "end": "24:00"} for weekday in range(7)]
TODAY = datetime.now(ZoneInfo(ZONE)).date()
WORDS = "Played a game of turns; waited twice."


def on(days: int, hour: float = 12) -> str:
    """The instant of a wall-clock hour some days from the day on which the tests began."""
    local = datetime.combine(TODAY + timedelta(days=days), datetime.min.time(), ZoneInfo(ZONE))
    return (local + timedelta(hours=hour)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Given:
    """Yesterday can be booked; Ana and Ben sign in."""

    def __init__(self, practice: Practice, clients: dict[str, httpx2.AsyncClient]) -> None:
        self.practice, self.clients = practice, clients

    async def visit(self, hour: float = 12, minutes: int = 60, day: int = -1, **more: Any) -> Any:
        wanted = {"service_id": "funded", "duration_minutes": minutes} | more
        return await self.practice.book(on(day, hour), **wanted)

    async def draft(self, visit: Any, who: str = "ana", **fields: Any) -> Any:
        body = {"appointment_id": visit["id"], "narrative": WORDS} | fields
        answer = await self.clients[who].post(SESSIONS, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def sign(self, session: Any, who: str = "ana", **body: Any) -> httpx2.Response:
        return await self.clients[who].post(f"{SESSIONS}/{session['id']}/sign", json=body)

    async def signed(self, session: Any, who: str = "ana", **body: Any) -> Any:
        return await self.practice.done(await self.sign(session, who, **body))

    async def amend(self, session: Any, **body: Any) -> httpx2.Response:
        return await self.clients["ana"].post(f"{SESSIONS}/{session['id']}/amend", json=body)

    async def counters(self, called: str = "authorization") -> tuple[int, int, int]:
        """Used, scheduled, available."""
        path = f"{API}/authorizations/{self.practice.made[called]}"
        found = (await self.practice.admin.get(path)).json()
        return found["used_units"], found["scheduled_units"], found["available_units"]

    async def line(self, visit: Any, number: int = 0) -> tuple[Any, ...]:
        """Status, minutes, units reserved, used and unfunded of a line."""
        found = (await self.practice.get(visit))["lines"][number]
        names = ("line_status", "minutes_actual", "units_reserved", "units_used", "unfunded_units")
        return tuple(found[name] for name in names)


async def make_given(practice: Practice, client: Client) -> Given:
    """The clinic is always open; Ana and Ben always work there."""
    clinic = practice.made["clinic"]
    await practice.change("clinics", "clinic", opening_hours=ALWAYS)
    clients = {}
    for name in ("ana", "ben"):
        hours = [{"clinic_id": clinic, **each} for each in ALWAYS]
        await practice.change("practitioners", name, working_hours=hours, clinic_ids=[clinic])
        await practice.make(
            "users", f"{name}'s user", email=f"{name}@juniper.example", name=name.title(), role="practitioner",
            password=PASSWORD, practitioner_id=practice.made[name],
        )  # fmt: skip
        pair = await sign_in(client, f"{name}@juniper.example")
        clients[name] = client(pair["access_token"])
    return Given(practice, clients)

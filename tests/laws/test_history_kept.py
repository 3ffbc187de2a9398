"""Histories of real servers: crowds that book, move, cancel, reserve and give back over two servers, one of which is killed;
what every client saw agrees with itself and with what is stored, and a row that somebody alters is found.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import asyncpg
import msgspec
from laws.conftest import Open
from laws.wire import PATIENCE_SECONDS
from laws.world import World, at, day

from holdfast.proof import driver, serving
from holdfast.proof.history import stored as history_stored
from holdfast.proof.history.check import check
from holdfast.proof.history.log import BY_HAND, Kind, Operation, Wish, merged

CLIENTS, SECONDS, REQUESTS = 10, 2.0, 1_500
"""Of each of two drivers."""


async def test_what_clients_saw_is_what_is_stored(open_world: Open, tmp_path: Path) -> None:
    world = await open_world(2, rooms=3, practitioners=4, patients=5)
    authorizations = [await world.authorization(patient, 60) for patient in range(3)]
    crowd = Crowd(world, authorizations, tmp_path)
    await crowd.drive("begun")
    await crowd.drive("mixed")
    await crowd.drive("killed", kills=True)

    history, outcomes = crowd.history, Counter((each.wish.kind, each.outcome) for each in crowd.history)
    for kind in get_args(Kind):
        assert outcomes[kind, "ok"], outcomes
    assert sum(each.outcome == "unknown" for each in history) >= 1, "nobody was asked when it was killed"
    assert any(each.refusal and each.refusal.code == "insufficient_units" for each in history)
    keys = Counter(each.wish.key for each in history if each.outcome == "ok")
    assert max(keys.values()) > 1, "no key was sent twice"
    assert not await crowd.findings()

    visit = next(each.visit for each in reversed(history) if each.visit and each.visit.status == "scheduled")
    assert "differs" in await crowd.altered(_MOVED, _MOVED_BACK, visit.id)
    assert "ledger" in await crowd.altered(_TAKEN, _GIVEN_BACK, authorizations[0])


_ANSWERED = "select count(*) from idempotency_keys where organization_id = $1 and key like $2"
_MOVED = "update appointments set starts_at = starts_at - interval '5 minutes' where id = $2 and organization_id = $1"
_MOVED_BACK = _MOVED.replace(" - ", " + ")
_TAKEN = "update authorizations set total_units = total_units + 1 where id = $2 and organization_id = $1"
_GIVEN_BACK = _TAKEN.replace(" + ", " - ")


class Crowd:
    """Clients of both servers, each server's in a driver process of its own, and all that they saw."""

    def __init__(self, world: World, authorizations: list[str], folder: Path) -> None:
        self._world, self._authorizations, self._folder = world, authorizations, folder
        self._chance = random.Random(5)
        self._made = 0
        self._files: list[Path] = []

    @property
    def history(self) -> list[Operation]:
        return merged(self._files)

    async def drive(self, name: str, *, kills: bool = False) -> None:
        """Both servers at once; the first may be killed while it is busy."""
        visits = sorted({each.visit.id for each in self.history if each.visit is not None})
        work: list[Coroutine[Any, Any, Any]] = []
        for number, server in enumerate(self._world.servers):
            home = self._folder / f"{name}-{number}"
            home.mkdir()
            self._files.append(home / "history")
            wishes = [wish for _ in range(REQUESTS) for wish in self._wishes(f"{name}-{number}", visits)]
            plan = driver.Plan(
                host=serving.HOST, port=server.port, clients=CLIENTS, expected_status=200, also_expected=409,
                requests=[self._request(each) for each in wishes], seconds=SECONDS, wishes=wishes,
                history_file=str(self._files[-1]),
            )  # fmt: skip
            work.append(asyncio.to_thread(serving.drive, home, plan))
        if kills:
            work.append(self._kill(name))
        await asyncio.gather(*work)

    async def _kill(self, name: str) -> None:
        """When the clients of the first server are at work: some of them have been answered."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self._world.stored(_ANSWERED, f"{name}-0-%"))[0]["count"] < CLIENTS:
                await asyncio.sleep(0.01)
        self._world.servers[0].kill()

    def _wishes(self, who: str, visits: list[str]) -> list[Wish]:
        """The next request; now and then it is sent twice at once, with one key."""
        self._made += 1
        chance, world, key = self._chance, self._world, f"{who}-{self._made}"
        start = day(chance.randrange(3)) + timedelta(minutes=15 * chance.randrange(16))
        room = chance.choice(world.rooms)
        kinds: list[Kind] = ["book", "book", "reserve", "reserve", "release", "consume"]
        kinds += ["move", "cancel"] if visits else []
        kind = chance.choice(kinds)
        if kind == "book":
            wish = Wish(
                kind=kind, key=key, patient_id=chance.choice(world.patients), room_id=room, start=start,
                practitioner_id=chance.choice(world.practitioners),
            )  # fmt: skip
        elif kind == "move":
            wish = Wish(kind=kind, key=key, subject=chance.choice(visits), start=start, room_id=room)
        elif kind == "cancel":
            wish = Wish(kind=kind, key=key, subject=chance.choice(visits))
        else:
            wish = Wish(
                kind=kind, key=key, subject=chance.choice(self._authorizations), units=chance.randint(1, 3)
            )
        return [wish] * chance.choice([1] * 9 + [2])

    def _request(self, wish: Wish) -> bytes:
        world = self._world
        headers = {"host": "laws", "authorization": f"Bearer {world.token}", "idempotency-key": wish.key}

        def asked(method: str, path: str, body: Any = None) -> bytes:
            content = b"" if body is None else msgspec.json.encode(body)
            return driver.request(method, f"/api/v1{path}", headers, content)

        if wish.kind in BY_HAND:
            return asked("POST", f"/authorizations/{wish.subject}/{wish.kind}", {"units": wish.units})
        if wish.kind == "cancel":
            return asked("POST", f"/appointments/{wish.subject}/cancel")
        assert wish.start is not None
        if wish.kind == "move":
            return asked(
                "PATCH", f"/appointments/{wish.subject}", {"start": at(wish.start), "room_id": wish.room_id}
            )
        has_units = wish.patient_id in world.patients[: len(self._authorizations)]
        return asked("POST", "/appointments", {
            "clinic_id": world.clinic, "patient_id": wish.patient_id, "practitioner_id": wish.practitioner_id,
            "service_id": world.funded_service if has_units else world.service, "room_id": wish.room_id,
            "start": at(wish.start),
        })  # fmt: skip

    async def findings(self) -> list[str]:
        connection = await asyncpg.connect(self._world.settings.database_admin_url)
        try:
            stored = await history_stored.read(connection, self._world.organization)
        finally:
            await connection.close()
        return [f"{each.kind}: {each.sentence}" for each in check(self.history, stored)]

    async def altered(self, statement: str, undone: str, subject: str) -> str:
        """What is found while somebody has altered a row behind everybody's back."""
        await self._world.stored(statement, subject)
        found = await self.findings()
        await self._world.stored(undone, subject)
        return " ".join(found)

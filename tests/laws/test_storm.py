"""A storm on few rooms, practitioners and patients: who is refused clashes with somebody who was accepted."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import PATIENCE_SECONDS, settled, together
from laws.world import World, crowd, day

ROUNDS, CLIENTS, REQUESTS = 20, 20, 60
_CLAIMS = """
  select resource_id::text as resource, starts_at, ends_at from claims where organization_id = $1"""


@pytest.mark.parametrize("servers", [1, 2])
async def test_winners_form_a_maximal_set(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=5, practitioners=5, patients=5)
    clients = await crowd(world, CLIENTS)
    chance = random.Random(7)
    refused: list[dict[str, Any]] = []
    for number in range(ROUNDS // servers):
        wishes = [_wish(world, number, chance) for _ in range(REQUESTS)]
        replies = await together(
            clients[n % CLIENTS].post("/appointments", wish) for n, wish in enumerate(wishes[:CLIENTS])
        )
        # The rest meet a schedule that is already half full.
        for begin in range(CLIENTS, REQUESTS, CLIENTS):
            replies += await together(
                client.post("/appointments", wish)
                for client, wish in zip(clients, wishes[begin : begin + CLIENTS], strict=True)
            )
        assert {reply.status for reply in replies} == {201, 409}
        refused += [wish for wish, reply in zip(wishes, replies, strict=True) if reply.status == 409]
    taken = [tuple(row.values()) for row in await world.stored(_CLAIMS)]
    for wish in refused:
        assert _clashes(world, wish, taken), f"refused for nothing: {wish}"


def _wish(world: World, number: int, chance: random.Random) -> dict[str, Any]:
    start = day(number) + timedelta(minutes=15 * chance.randrange(8))
    room = chance.choice([None, *range(5)])
    return world.booking(start, room, chance.randrange(5), chance.randrange(5))


def _clashes(world: World, wish: dict[str, Any], taken: list[Any]) -> bool:
    start = datetime.fromisoformat(wish["start"])
    end = start + timedelta(minutes=30)
    buffer = timedelta(minutes=5 * (world.practitioners.index(wish["practitioner_id"]) % 2))

    def is_taken(resource: str, until: Any) -> bool:
        return any(each == resource and start < ends and begins < until for each, begins, ends in taken)

    rooms = [wish["room_id"]] if "room_id" in wish else world.rooms
    return (
        is_taken(wish["patient_id"], end)
        or is_taken(wish["practitioner_id"], end + buffer)
        or all(is_taken(room, end + timedelta(minutes=10)) for room in rooms)
    )


@pytest.mark.parametrize("servers", [1, 2])
async def test_moves_cancellations_and_swaps_race(open_world: Open, servers: int) -> None:
    """Visits change places, times and people at once, are cancelled and taken back, with units held all along."""
    world = await open_world(servers, rooms=4, practitioners=4, patients=4)
    for patient in range(4):
        await world.authorization(patient, 24)
    clients = await crowd(world, 16)
    visits: list[str] = []
    for number in range(12):
        booking = world.booking(
            day(number // 4) + timedelta(minutes=45 * (number % 4)), number % 4, number % 4, number % 4,
            service_id=world.funded_service if number % 3 else world.service,
        )  # fmt: skip
        booked = await clients[0].post("/appointments", booking)
        assert booked.status == 201, booked.content
        visits.append(booked.body["id"])
    chance = random.Random(11)
    seen: set[int] = set()
    for _ in range(20):
        replies = await together(_act(client, world, visits, chance) for client in clients)
        seen |= {reply.status for reply in replies}
        assert all(reply.status in {200, 409} for reply in replies), [r.content for r in replies]
    assert seen == {200, 409}


async def _act(client: Any, world: World, visits: list[str], chance: random.Random) -> Any:
    path = f"/appointments/{chance.choice(visits)}"
    act = chance.choice(
        ["place", "place", "time", "person", "cancel", "reinstate", "no-show", "confirm", "long"]
    )
    if act == "place":
        return await client.patch(path, {"room_id": chance.choice(world.rooms)})
    if act == "time":
        start = day(chance.randrange(3)) + timedelta(minutes=15 * chance.randrange(12))
        return await client.patch(path, {"start": start.strftime("%Y-%m-%dT%H:%M:%SZ")})
    if act == "person":
        return await client.patch(path, {"practitioner_id": chance.choice(world.practitioners)})
    if act == "long":
        start = day(chance.randrange(3)) + timedelta(minutes=15 * chance.randrange(12))
        end = start + timedelta(minutes=chance.choice([15, 60, 90]))
        return await client.patch(
            path, {"start": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "end": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        )
    return await client.post(f"{path}/{act}")


@pytest.mark.parametrize("servers", [1, 2])
async def test_a_ring_of_visits_moves_on(open_world: Open, servers: int) -> None:
    """Every visit wants the place of the next, and there is one hole: all get there, whatever the order of asking."""
    world = await open_world(servers, rooms=6, practitioners=5, patients=5)
    client = world.client()
    visits = []
    for number in range(5):
        booked = await client.post("/appointments", world.booking(day(0), number, number, number))
        visits.append(booked.body["id"])
    clients = await crowd(world, 5)
    # The last one's next place is the hole; each place is free once the visit in it has gone on.
    moved = await together(
        _until_moved(clients[n], f"/appointments/{visit}", world.rooms[n + 1])
        for n, visit in enumerate(visits)
    )
    assert [reply.body["room_id"] for reply in moved] == list(world.rooms[1:])
    again = await settled(clients[0], "PATCH", f"/appointments/{visits[4]}", {"room_id": world.rooms[0]})
    assert again.status == 200


async def _until_moved(client: Any, path: str, room: str) -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        reply = await client.patch(path, {"room_id": room})
        while reply.status == 409:
            reply = await client.patch(path, {"room_id": room})
    return reply

"""A calendar's state at `as_of_seq` and the events after it are the calendar asked for again, while others write."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import Client
from laws.world import World, at, crowd, day
from live.listening import Stream

WRITERS, WRITES = 6, 40


@pytest.mark.parametrize("servers", [1, 2])
async def test_state_and_events_are_the_state(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=4, practitioners=4, patients=4)
    for patient in range(4):
        await world.authorization(patient, 60)
    clients = await crowd(world, WRITERS)
    writing = [asyncio.create_task(_write(world, client, number)) for number, client in enumerate(clients)]
    watching = [asyncio.create_task(_watch(world, number, writing)) for number in range(3)]
    await asyncio.gather(*writing, *watching)


async def _watch(world: World, number: int, writing: list["asyncio.Task[None]"]) -> None:
    """Takes a snapshot somewhere on the way, follows the events of another server, and compares as it goes."""
    client = world.client(number)
    await asyncio.sleep(0.1 * number)
    state, seq = await _calendar(world, client)
    stream = await Stream.open(world.servers[-1].port, world.token, after=seq)
    is_last = False
    while not is_last:
        await asyncio.sleep(0.2)
        is_last = all(task.done() for task in writing)
        wanted, until = await _calendar(world, client)
        while seq < until:
            event = await stream.event()
            assert event is not None, "the stream ended"
            assert event.kind != "reset"
            assert event.seq > seq
            seq = event.seq
            if event.kind.startswith("appointment."):
                state[event.data["id"]] = event.data
            if seq > until:  # told past the calendar: look again
                wanted, until = await _calendar(world, client)
        assert _shared(state) == _shared(wanted)
    assert state, "nobody wrote"
    stream.close()


async def _calendar(world: World, client: Client) -> tuple[dict[str, Any], int]:
    first, last = day(-1).date(), day(10).date()
    path = f"/calendar?clinic_id={world.clinic}&start_date={first}&end_date={last}"
    reply = await client.get(path)
    assert reply.status == 200, reply.content
    return {each["id"]: each for each in reply.body["appointments"]}, reply.body["as_of_seq"]


def _shared(state: dict[str, Any]) -> dict[str, Any]:
    return {each: dict(sorted(body.items())) for each, body in state.items()}


async def _write(world: World, client: Client, number: int) -> None:
    chance = random.Random(number)
    visits: list[str] = []
    for _ in range(WRITES):
        start = day(chance.randrange(8)) + timedelta(minutes=15 * chance.randrange(32))
        act = chance.choice(["book", "book", "move", "room", "cancel", "reinstate", "confirm"])
        if act == "book" or not visits:
            booking = world.booking(
                start, chance.randrange(4), chance.randrange(4), chance.randrange(4),
                service_id=chance.choice([world.service, world.funded_service]),
            )  # fmt: skip
            reply = await client.post("/appointments", booking)
            if reply.status == 201:
                visits.append(reply.body["id"])
        elif act == "move":
            reply = await client.patch(f"/appointments/{chance.choice(visits)}", {"start": at(start)})
        elif act == "room":
            reply = await client.patch(
                f"/appointments/{chance.choice(visits)}", {"room_id": chance.choice(world.rooms)}
            )
        else:
            reply = await client.post(f"/appointments/{chance.choice(visits)}/{act}")
        assert reply.status in {200, 201, 409}, reply.content

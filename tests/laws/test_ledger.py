"""Units under a crowd: exactly what there is is granted, whoever asks where, and what comes back comes back once."""

import asyncio
import os
from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import Client, Reply, together
from laws.world import World, crowd, day, statuses

ROUNDS = int(os.environ.get("HOLDFAST_TEST_ROUNDS", "2"))
"""How often each law is tried; a thousand times at night."""
CLIENTS, REQUESTS_EACH = 50, 60


async def counters(world: World, authorization: str) -> tuple[int, int, int]:
    found = (await world.client().get(f"/authorizations/{authorization}")).body
    return found["used_units"], found["scheduled_units"], found["manual_units"]


@pytest.mark.parametrize("servers", [1, 2])
async def test_five_of_three_thousand_are_granted(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=1, practitioners=1, patients=1)
    clients = await crowd(world, CLIENTS)

    async def ask(client: Client, authorization: str) -> list[Reply]:
        path = f"/authorizations/{authorization}/reserve"
        return [await client.post(path, {"units": 10}) for _ in range(REQUESTS_EACH)]

    for _ in range(ROUNDS):
        authorization = await world.authorization(0, 50)
        asked = await together(ask(client, authorization) for client in clients)
        replies = [reply for each in asked for reply in each]
        assert statuses(replies) == [200] * 5 + [409] * (CLIENTS * REQUESTS_EACH - 5)
        assert sorted(reply.body["version"] for reply in replies if reply.status == 200) == [2, 3, 4, 5, 6]
        for refused in (reply.body for reply in replies if reply.status == 409):
            assert (refused["code"], refused["available"], refused["requested"]) == (
                "insufficient_units",
                0,
                10,
            )
            assert (refused["version"], refused["scheduled_units"], refused["total_units"]) == (6, 50, 50)
        assert await counters(world, authorization) == (0, 50, 50)


@pytest.mark.parametrize("servers", [1, 2])
async def test_what_a_visit_holds_comes_back_once(open_world: Open, servers: int) -> None:
    """50 cancel, 10 move and 10 consume at once: the visit's units go back, once; only what was reserved by hand is
    consumed."""
    world = await open_world(servers, rooms=1, practitioners=1, patients=1)
    clients = await crowd(world, 70)
    for number in range(ROUNDS):
        authorization = await world.authorization(0, 20)
        by_hand = await world.client().post(f"/authorizations/{authorization}/reserve", {"units": 5})
        assert by_hand.status == 200
        booking = world.booking(day(number), service_id=world.funded_service, authorization_id=authorization)
        booked = await world.client().post("/appointments", booking)
        assert (booked.status, booked.body["units_reserved"]) == (201, 2), booked.content
        visit = f"/appointments/{booked.body['id']}"
        moves = [{"end": f"{booked.body['end'][:11]}{10 + n // 4}:{n % 4 * 15:02}:00Z"} for n in range(10)]
        cancels, moved, consumed = await asyncio.gather(
            together(client.post(f"{visit}/cancel") for client in clients[:50]),
            together(c.patch(visit, move) for c, move in zip(clients[50:60], moves, strict=True)),
            together(
                client.post(f"/authorizations/{authorization}/consume", {"units": 1})
                for client in clients[60:]
            ),
        )
        assert statuses(cancels) == [200] + [409] * 49
        assert {reply.status for reply in moved} <= {200, 409}
        assert statuses(consumed) == [200] * 5 + [409] * 5
        assert {reply.body["code"] for reply in consumed if reply.status == 409} == {"units_not_reserved"}
        assert (await world.client().get(visit)).body["status"] == "cancelled"
        assert await counters(world, authorization) == (5, 0, 0)
        assert await ledger(world, authorization) == (5, 0)


async def ledger(world: World, authorization: str) -> tuple[int, int]:
    """Used and promised as the entries add up."""
    rows: list[Any] = await world.stored(
        "select kind, sum(units)::int from authorization_entries"
        " where organization_id = $1 and authorization_id = $2 group by kind",
        authorization,
    )
    sums = {"reserve": 0, "release": 0, "consume": 0} | {row[0]: row[1] for row in rows}
    return sums["consume"], sums["reserve"] - sums["release"] - sums["consume"]


@pytest.mark.parametrize("servers", [1, 2])
async def test_a_retried_reservation_reserves_once(open_world: Open, servers: int) -> None:
    """In another system each retry reserved again. Here all tries of one key, wherever they arrive, are one."""
    world = await open_world(servers, rooms=1, practitioners=1, patients=1)
    clients = await crowd(world, CLIENTS)
    for number in range(ROUNDS):
        authorization = await world.authorization(0, 50)
        replies = await together(
            client.post(f"/authorizations/{authorization}/reserve", {"units": 10}, idempotency_key=f"again-{number}")
            for client in clients
        )  # fmt: skip
        assert {(reply.status, reply.content) for reply in replies} == {(200, replies[0].content)}
        assert [reply.replayed for reply in replies].count(False) == 1
        assert await counters(world, authorization) == (0, 10, 10)

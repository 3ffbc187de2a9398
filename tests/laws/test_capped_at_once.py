"""Twelve clients book units of one patient and day at once, in one process and in two: a cap that denies is never passed, and
what is counted is what the visits hold.
"""

from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import together
from laws.world import crowd, day, statuses

CLIENTS, ROUNDS = 12, 6


@pytest.mark.parametrize("servers", [1, 2])
async def test_a_cap_that_denies_is_never_passed(open_world: Open, servers: int) -> None:
    """Each visit asks for 2 of the 7 units of its day: three are granted, whoever asks where."""
    world = await open_world(servers, rooms=CLIENTS, practitioners=CLIENTS, patients=1)
    clients = await crowd(world, CLIENTS)
    caps = {"cap_policy": "deny", "unit_caps": [{"code": "FUNDED", "units": 7}]}
    changed = await clients[0].patch(f"/payers/{world.payer}", caps)
    assert changed.status == 200, changed.content
    authorization = await world.authorization(0, 1_000)
    booked: list[Any] = []
    for round_ in range(ROUNDS):
        bookings = [
            world.booking(
                day(round_).replace(hour=hour), hour, hour, service_id=world.funded_service,
                authorization_id=authorization,
            )
            for hour in range(CLIENTS)
        ]  # fmt: skip
        replies = await together(c.post("/appointments", b) for c, b in zip(clients, bookings, strict=True))
        assert statuses(replies) == [201] * 3 + [409] * 9
        assert {reply.body["code"] for reply in replies if reply.status == 409} == {"cap_exceeded"}
        booked += [reply.body for reply in replies if reply.status == 201]
    # Days exchange their visits while others are called off: still nowhere more than three.
    movers = await crowd(world, len(booked))
    moves = [
        c.patch(f"/appointments/{visit['id']}", {"start": f"{day(n % ROUNDS):%Y-%m-%d}{visit['start'][10:]}"})
        if n % 3
        else c.post(f"/appointments/{visit['id']}/cancel")
        for n, (c, visit) in enumerate(zip(movers, booked, strict=True))
    ]
    await together(moves)
    rows = await world.stored(
        "select on_date, units from unit_counts where organization_id = $1 and units > 7"
    )
    assert rows == []

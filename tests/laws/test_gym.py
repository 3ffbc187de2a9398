"""A room of several seats holds as many at once as it has seats, and nobody is refused while one is left."""

import random
from datetime import timedelta

import pytest
from laws.conftest import Open
from laws.wire import together
from laws.world import crowd, day

from holdfast.rules.seats import most_at_once

_SEATS, _CLIENTS, _ROUNDS, _TURNOVER = 4, 12, 20, 10


@pytest.mark.parametrize("servers", [1, 2])
async def test_a_gym_of_four_never_holds_five(open_world: Open, servers: int) -> None:
    """Visits of different lengths that begin at different times, all at once: some must change seats for others."""
    world = await open_world(servers, rooms=1, practitioners=_CLIENTS, patients=_CLIENTS)
    clients = await crowd(world, _CLIENTS)
    gym = await world.client().patch(f"/rooms/{world.rooms[0]}", {"concurrent_visits_max": _SEATS})
    assert gym.status == 200, gym.content
    chance = random.Random(servers)
    for number in range(_ROUNDS):
        spans = [(begin, begin + chance.choice((20, 30, 45, 60)))
                 for begin in (chance.randrange(0, 90, 5) for _ in clients)]  # fmt: skip
        replies = await together(
            client.post("/appointments", world.booking(
                day(number) + timedelta(minutes=begin), 0, n, n, duration_minutes=end - begin))
            for n, (client, (begin, end)) in enumerate(zip(clients, spans, strict=True))
        )  # fmt: skip
        taken = [
            (begin, end + _TURNOVER)
            for (begin, end), reply in zip(spans, replies, strict=True)
            if reply.status == 201
        ]
        for (begin, end), reply in zip(spans, replies, strict=True):
            if reply.status != 201:
                assert (reply.status, reply.body["code"]) == (409, "room_conflict"), reply.content
                assert most_at_once(taken, begin, end + _TURNOVER) == _SEATS, "refused though a seat was left"
        assert most_at_once(taken, 0, 24 * 60) <= _SEATS
    rows = await world.stored(
        "select distinct seat from claims where organization_id = $1 and kind = 'turnover'"
    )
    assert {row["seat"] for row in rows} == set(range(_SEATS))

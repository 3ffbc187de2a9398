"""A hold races bookings of its time, its own booking, its release and its end: whoever wins, the time is had once."""

import asyncio
from datetime import timedelta

import pytest
from laws.conftest import Open
from laws.wire import together
from laws.world import crowd, day

_ROUNDS, _RIVALS = 20, 6
_VISITS = (
    "select count(*) from appointments where organization_id = $1 and starts_at >= $2 and starts_at < $3"
)
_HELD = "select count(*) from claims where organization_id = $1 and kind = 'hold'"
_OPEN = "select count(*) from holds where organization_id = $1 and ended_as is null"


@pytest.mark.parametrize("servers", [1, 2])
async def test_hold_against_booking_against_release(open_world: Open, servers: int) -> None:
    """While the hold stands only its own booking gets the time; once it is released, one of the others may."""
    world = await open_world(servers, rooms=1, practitioners=1, patients=_RIVALS)
    clients = await crowd(world, _RIVALS + 2)
    seen: set[str] = set()
    for number in range(_ROUNDS):
        placed = await clients[0].post("/holds", world.booking(day(number)))
        assert placed.status == 201, placed.content
        hold = placed.body["hold_id"]
        turn = number % 2  # who is asked first wins more often than not
        first, second, *rivals = await together([
            *[clients[0].post("/appointments", world.booking(day(number), hold_id=hold)),
              clients[1].delete(f"/holds/{hold}")][:: -1 if turn else 1],
            *(client.post("/appointments", world.booking(day(number) + timedelta(minutes=n % 2 * 15), 0, 0, n))
              for n, client in enumerate(clients[2:])),
        ])  # fmt: skip
        own, released = (second, first) if turn else (first, second)
        winners = [reply for reply in (own, *rivals) if reply.status == 201]
        assert len(winners) <= 1
        assert {reply.status for reply in rivals} <= {201, 409}
        assert (own.status, released.status) in {(201, 410), (410, 204), (409, 204)}, (
            own.content,
            released.content,
        )
        stored = await world.stored(_VISITS, day(number), day(number) + timedelta(hours=3))
        assert stored[0][0] == len(winners)
        seen.add("own" if own.status == 201 else "rival" if winners else "nobody")
    assert (await world.stored(_HELD))[0][0] == (await world.stored(_OPEN))[0][0] == 0
    assert "own" in seen
    assert len(seen) > 1, f"there was no race: {seen}"


@pytest.mark.parametrize("servers", [1, 2])
async def test_hold_against_booking_against_expiry(open_world: Open, servers: int) -> None:
    """Holds of one second, each booked about when it ends, while others ask for the time without one."""
    world = await open_world(servers, rooms=1, practitioners=1, patients=_RIVALS)
    clients = await crowd(world, _RIVALS)
    placed = [
        await clients[0].post("/holds", world.booking(day(number), ttl_seconds=1))
        for number in range(_ROUNDS)
    ]
    assert {reply.status for reply in placed} == {201}
    outcomes: set[tuple[int, bool]] = set()
    for number, reply in enumerate(placed):
        await asyncio.sleep(0.06)
        own, *rivals = await together([
            clients[0].post("/appointments", world.booking(day(number), hold_id=reply.body["hold_id"])),
            *(client.post("/appointments", world.booking(day(number), 0, 0, n))
              for n, client in enumerate(clients[1:], start=1)),
        ])  # fmt: skip
        winners = [each for each in (own, *rivals) if each.status == 201]
        assert own.status in {201, 410}
        if not winners:  # the others came while it was held, and its own booking after it was over
            assert own.status == 410, own.content
            winners = [await clients[1].post("/appointments", world.booking(day(number), 0, 0, 1))]
        assert [each.status for each in winners] == [201], [each.content for each in (own, *rivals, *winners)]
        outcomes.add((own.status, winners[0] is own))
    assert (await world.stored(_HELD))[0][0] == 0
    assert (410, False) in outcomes, "nothing expired"

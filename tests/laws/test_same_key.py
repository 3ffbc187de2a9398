"""One idempotency key, twenty times at once, in two processes of which one is killed: one effect, equal answers."""

import asyncio

from laws.conftest import Open
from laws.wire import NO_ANSWER, PATIENCE_SECONDS, Client, Reply, together
from laws.world import World, crowd, day, statuses

TIMES, ROUNDS = 20, 20
_COUNT = "select count(*) as n from appointments where organization_id = $1"


async def test_an_equal_key_has_one_effect(open_world: Open) -> None:
    world = await open_world(2)
    clients = await crowd(world, TIMES)
    for number in range(ROUNDS):
        booking = world.booking(day(number))
        replies = await together(
            c.post("/appointments", booking, idempotency_key=f"same-{number}") for c in clients
        )
        assert statuses(replies) == [201] * TIMES
        assert len({reply.content for reply in replies}) == 1
        assert [reply.replayed for reply in replies].count(False) == 1
        assert {reply.headers.get("etag") for reply in replies} == {'"1"'}
    stored = await world.stored(_COUNT)
    assert stored[0]["n"] == ROUNDS


async def test_another_body_is_another_request(open_world: Open) -> None:
    world = await open_world(2)
    first, second = await crowd(world, 2)
    await first.post("/appointments", world.booking(day(0)), idempotency_key="key")
    for path, body in (
        ("/appointments", world.booking(day(1))),
        ("/appointments", world.booking(day(0), notes="other")),
        ("/clinics", {"name": "South", "time_zone": "UTC"}),
    ):
        reply = await second.post(path, body, idempotency_key="key")
        assert (reply.status, reply.body["code"]) == (422, "idempotency_key_reused")


async def test_a_refusal_is_not_kept(open_world: Open) -> None:
    """What had no effect is decided anew."""
    world = await open_world(1)
    client = world.client()
    taken = await client.post("/appointments", world.booking(day(0)))
    assert (await client.post("/appointments", world.booking(day(0)), idempotency_key="k")).status == 409
    await client.post(f"/appointments/{taken.body['id']}/cancel")
    assert (await client.post("/appointments", world.booking(day(0)), idempotency_key="k")).status == 201


async def test_a_killed_process_in_between(open_world: Open) -> None:
    world = await open_world(2)
    for number in range(4):
        doomed, other = world.servers[number % 2], world.servers[1 - number % 2]
        clients = [Client((doomed, other)[n % 2].port, world.token) for n in range(TIMES)]
        asking = [asyncio.create_task(_until_answered(world, c, number, f"killed-{number}")) for c in clients]
        await asyncio.sleep(0.002 * number)  # at another moment each time
        doomed.kill()
        replies = await asyncio.gather(*asking)
        assert statuses(replies) == [201] * TIMES
        assert len({reply.content for reply in replies}) == 1
        stored = await world.stored(_COUNT)
        assert stored[0]["n"] == number + 1
        doomed.start()
        await doomed.answering()


async def _until_answered(world: World, client: Client, number: int, key: str) -> Reply:
    """A client that goes to the other server when its own does not answer."""
    reply = Reply(NO_ANSWER)
    ports = [server.port for server in world.servers]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while reply.status in {NO_ANSWER, 503}:
            reply = await client.post("/appointments", world.booking(day(number)), idempotency_key=key)
            if reply.status == NO_ANSWER:
                client.port = ports[1 - ports.index(client.port)]
                await asyncio.sleep(0.02)
    return reply

"""The wire between server and database is cut or freezes around COMMIT: nothing is done twice, nothing that was done
is denied, and those who wait are answered.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest
from laws.conftest import Open
from laws.wire import Reply, settled, together
from laws.world import World, changed, crowd, day, statuses, with_port

from holdfast.proof.wire_proxy import Fate, Proxy, proxied
from holdfast.settings import Settings

DEADLINE = 1.5
"""Of a request, in seconds; a lane's attempt may take two thirds of it."""
_COUNT = "select count(*) as n from appointments where organization_id = $1"
Behind = Callable[[int], Awaitable[World]]


@pytest.fixture
async def proxy(settings: Settings) -> AsyncIterator[Proxy]:
    async with proxied(urlsplit(settings.database_url).port or 0) as proxy:
        yield proxy


@pytest.fixture
def behind(settings: Settings, proxy: Proxy, open_world: Open) -> Behind:
    """Servers that reach their database through the proxy only."""
    through = changed(
        settings, database_url=with_port(settings.database_url, proxy.port), request_deadline_seconds=DEADLINE,
        lane_attempt_seconds_max=DEADLINE * 2 / 3,
    )  # fmt: skip

    async def make(servers: int = 1) -> World:
        return await open_world(servers, through, rooms=8, practitioners=8, patients=8)

    return make


async def visits(world: World) -> int:
    return int((await world.stored(_COUNT))[0]["n"])


@pytest.mark.parametrize("fate", ["cut before", "cut at once", "cut after"])
@pytest.mark.parametrize("keyed", [True, False])
async def test_a_cut_wire_has_one_effect(behind: Behind, proxy: Proxy, fate: Fate, keyed: bool) -> None:
    world = await behind(1)
    client = world.client()
    for number in range(3):
        proxy.on_write = fate
        headers = {"idempotency_key": f"cut-{number}"} if keyed else {}
        reply = await client.post("/appointments", world.booking(day(number)), **headers)
        assert reply.status == 201, (reply.content, world.servers[0].log)
        assert proxy.fell(), "the wire was never cut"
        assert await visits(world) == number + 1
        assert (await client.get(f"/appointments/{reply.body['id']}")).status == 200
        if keyed:
            again = await client.post("/appointments", world.booking(day(number)), **headers)
            assert again.replayed
            assert again.body == reply.body


@pytest.mark.parametrize("fate", ["cut before", "cut at once", "cut after"])
async def test_a_whole_batch_keeps_its_outcomes(behind: Behind, proxy: Proxy, fate: Fate) -> None:
    """Eight at once, every second one in another's way; the wire is cut in the middle of it."""
    world = await behind(1)
    clients = await crowd(world, 8)
    for number in range(3):
        wishes = [world.booking(day(number), n // 2 * 2, n // 2 * 2, n // 2 * 2) for n in range(8)]
        proxy.on_write = fate
        replies = await together(c.post("/appointments", w) for c, w in zip(clients, wishes, strict=True))
        assert statuses(replies) == [201] * 4 + [409] * 4, world.servers[0].log
        assert proxy.fell()
        assert await visits(world) == 4 * (number + 1)


@pytest.mark.parametrize("fate", ["cut before", "cut at once", "cut after"])
async def test_a_change_outside_the_lanes_has_one_effect(behind: Behind, proxy: Proxy, fate: Fate) -> None:
    world = await behind(1)
    client = world.client()
    for number in range(3):
        patient = {"given_name": "Cut", "family_name": f"Number {number}", "birth_date": "2001-02-03"}
        proxy.on_write = fate
        made = await client.post("/patients", patient, idempotency_key=f"change-{number}")
        assert made.status == 201, (made.content, world.servers[0].log)
        assert proxy.fell()
        again = await client.post("/patients", patient, idempotency_key=f"change-{number}")
        assert (again.replayed, again.body) == (True, made.body)
        stored = await world.stored(
            "select count(*) as n from patients where organization_id = $1 and given_name = 'Cut'"
        )
        assert stored[0]["n"] == number + 1


async def test_two_processes_and_a_cut(behind: Behind, proxy: Proxy) -> None:
    """While one looks for what became of its batch, the other goes on."""
    world = await behind(2)
    clients = await crowd(world, 8)
    for number in range(6):
        proxy.on_write = "cut after"
        replies = await together(c.post("/appointments", world.booking(day(number))) for c in clients)
        assert statuses(replies) == [201] + [409] * 7
    assert await visits(world) == 6


@pytest.mark.slow
async def test_a_frozen_wire_is_said_to_be_unknown(behind: Behind, proxy: Proxy) -> None:
    """Those who ask meanwhile are answered in their time too; afterwards the key finds the truth and all is well."""
    world = await behind(1)
    clients = await crowd(world, 12)
    asker = clients.pop()
    assert (await asker.post("/appointments", world.booking(day(9)))).status == 201
    # several connections of the pool are there when the wire freezes
    assert statuses(await together(each.get(f"/clinics/{world.clinic}") for each in clients)) == [200] * 11
    proxy.on_write = "freeze"
    unknown = asyncio.create_task(
        asker.post("/appointments", world.booking(day(0)), idempotency_key="frozen")
    )
    await proxy.struck.wait()
    waiting = [asyncio.create_task(_keep_asking(world, n, unknown)) for n in range(6)]
    reply = await unknown
    answers = await asyncio.gather(*waiting)
    met = [each for answered in answers for each in answered]
    assert (reply.status, reply.body["code"]) == (503, "outcome_unknown")
    assert reply.headers["retry-after"]
    assert {each.status for each in met} == {503}
    looks = await together(
        [
            asker.get("/appointments"),
            clients[0].get(f"/clinics/{world.clinic}"),
            clients[1].patch("/organization", {}),
        ]
    )
    assert statuses(looks) == [503] * 3, "who meets a frozen wire in the pool is answered too"
    met += looks
    late = [each.seconds for each in (*met, reply) if each.seconds > 2 * DEADLINE]
    assert not late, f"a deadline of {DEADLINE} s, and answers after {late}"

    proxy.thaw()
    truth = await settled(asker, "POST", "/appointments", world.booking(day(0)), key="frozen")
    assert truth.status == 201
    same = await asker.post("/appointments", world.booking(day(0)), idempotency_key="frozen")
    assert same.replayed
    assert same.body == truth.body
    afterwards = await together(
        settled(client, "POST", "/appointments", world.booking(day(20), n, n, n))
        for n, client in enumerate(clients[:8])
    )
    assert statuses(afterwards) == [201] * 8
    stored = await world.stored(
        "select count(*) as n from appointments where organization_id = $1 and starts_at = $2", day(0)
    )
    assert stored[0]["n"] == 1
    for number, answered in enumerate(answers):
        await _was_honest(world, number, answered)


async def _keep_asking(world: World, number: int, until: "asyncio.Task[Reply]") -> list[Reply]:
    """Books one thing after the other while the wire is frozen, and a little longer."""
    client = world.client()
    replies: list[Reply] = []
    while not until.done() or len(replies) < 2:
        replies.append(
            await client.post("/appointments", world.booking(day(1 + number), number, number, number))
        )
    return replies


async def _was_honest(world: World, number: int, answered: list[Reply]) -> None:
    """Something may be stored for who was told that it is unknown, and nothing for who was told to come again."""
    stored = await world.stored(
        "select count(*) as n from appointments where organization_id = $1 and starts_at = $2",
        day(1 + number),
    )
    assert stored[0]["n"] <= [reply.body["code"] for reply in answered].count("outcome_unknown")

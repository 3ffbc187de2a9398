"""Everybody wants into one group: as many as it may have get in, whoever asks, and nobody's units are held twice. Who joins,
leaves and moves it at once leaves it whole (the invariants are looked at after every law's test)."""

from functools import partial

import pytest
from laws.conftest import Open
from laws.wire import Client, Reply, together
from laws.world import World, at, crowd, day

_MEMBERS_MAX, _CLIENTS, _UNITS, _ROUNDS = 6, 50, 8, 15


async def _group(world: World, hour: int, members_max: int = _MEMBERS_MAX) -> str:
    reply = await world.client().post("/groups", {
        "clinic_id": world.clinic, "service_id": world.funded_service, "practitioner_id": world.practitioners[0],
        "start": at(day(0).replace(hour=hour)), "duration_minutes": 30, "members_min": 1, "members_max": members_max,
    })  # fmt: skip
    assert reply.status == 201, reply.content
    return str(reply.body["id"])


async def _room_for_all(world: World) -> None:
    for room in world.rooms:
        reply = await world.client().patch(f"/rooms/{room}", {"capacity": 100})
        assert reply.status == 200, reply.content


async def _joining(client: Client, group: str, patient: str) -> Reply:
    """A busy machine may have no time for everybody at once: whoever is told so asks again."""
    asked = partial(client.post, f"/groups/{group}/members", {"patient_id": patient})
    reply, tries = await asked(), 1
    while reply.status == 503 and tries < 20:
        reply, tries = await asked(), tries + 1
    return reply


async def _kept(world: World, group: str) -> list[str]:
    """The patients who keep a place."""
    rows = await world.stored(
        "select a.patient_id::text as patient_id from appointments a"
        " where a.organization_id = $1 and a.group_id = $2 and a.status not in ('cancelled', 'no_show')", group
    )  # fmt: skip
    return [row["patient_id"] for row in rows]


async def _held(world: World) -> int:
    rows = await world.stored(
        "select coalesce(sum(z.scheduled_units), 0)::integer as held from authorizations z where z.organization_id = $1"
    )
    held: int = rows[0]["held"]
    return held


@pytest.mark.parametrize("servers", [1, 2])
async def test_a_group_has_exactly_as_many_members_as_it_may(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=1, practitioners=1, patients=_CLIENTS)
    await _room_for_all(world)
    for patient in range(_CLIENTS):
        await world.authorization(patient, _UNITS)
    group = await _group(world, 9)
    clients = await crowd(world, _CLIENTS)
    replies = await together([
        _joining(client, group, world.patients[patient]) for patient, client in enumerate(clients)
    ])  # fmt: skip
    won = [reply for reply in replies if reply.status == 201]
    assert len(won) == _MEMBERS_MAX
    lost = [reply.body for reply in replies if reply.status != 201]
    told = {(body["code"], body.get("members"), body.get("members_max")) for body in lost}
    assert told == {("group_full", _MEMBERS_MAX, _MEMBERS_MAX)}
    assert sorted(await _kept(world, group)) == sorted(reply.body["patient_id"] for reply in won)
    assert await _held(world) == _MEMBERS_MAX * 2, "half an hour is two units, each held once"


@pytest.mark.parametrize("servers", [1, 2])
async def test_who_joins_leaves_and_moves_a_group_at_once_leaves_it_whole(
    open_world: Open, servers: int
) -> None:
    world = await open_world(servers, rooms=2, practitioners=2, patients=4)
    await _room_for_all(world)
    for patient in range(4):
        await world.authorization(patient, _UNITS * _ROUNDS)
    clients = await crowd(world, 6)
    granted = 0
    for number in range(_ROUNDS):
        group = await _group(world, number, members_max=2)
        first = await clients[0].post(f"/groups/{group}/members", {"patient_id": world.patients[0]})
        assert first.status == 201, first.content
        member = first.body["id"]
        replies: list[Reply] = await together([
            clients[0].post(f"/appointments/{member}/cancel", {}),
            clients[1].post(f"/groups/{group}/members", {"patient_id": world.patients[1]}),
            clients[2].post(f"/groups/{group}/members", {"patient_id": world.patients[2]}),
            clients[3].patch(f"/groups/{group}", {"practitioner_id": world.practitioners[1]}),
            clients[4].post("/appointments", world.booking(day(0).replace(hour=number), 1, 1, 3)),
            clients[5].post(f"/groups/{group}/cancel" if number % 3 == 0 else f"/appointments/{member}/no-show", {}),
        ])  # fmt: skip
        assert {reply.status for reply in replies} <= {200, 201, 409, 503}, [
            reply.content for reply in replies
        ]
        assert len(await _kept(world, group)) <= 2
        granted += sum(reply.status < 300 for reply in replies)
    assert granted >= 2 * _ROUNDS

"""Fifty clients, one slot: exactly one has it, and each of the others is told by whom and what could be had."""

from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import Reply, together
from laws.world import World, at, crowd, day, statuses

CLIENTS, ROUNDS = 50, 20


@pytest.mark.parametrize("servers", [1, 2])
async def test_one_of_fifty_wins(open_world: Open, servers: int) -> None:
    world = await open_world(servers)
    clients = await crowd(world, CLIENTS)
    for number in range(ROUNDS):
        booking = world.booking(day(number))
        replies = await together(c.post("/appointments", booking) for c in clients)
        assert statuses(replies) == [201] + [409] * (CLIENTS - 1)
        winner = next(reply.body for reply in replies if reply.status == 201)
        for reply in replies:
            if reply.status == 409:
                _explains(world, reply, winner)
    stored = await world.stored("select count(*) as n from appointments where organization_id = $1")
    assert stored[0]["n"] == ROUNDS


def _explains(world: World, reply: Reply, winner: dict[str, Any]) -> None:
    problem = reply.body
    assert reply.headers["content-type"] == "application/problem+json"
    assert problem["code"] == "practitioner_conflict"
    found = [reason["code"] for reason in problem["reasons"]]
    assert found == ["practitioner_conflict", "patient_conflict", "room_conflict"]
    in_the_way = {
        (each["kind"], each["resource_id"], each["appointment_id"]) for each in problem["conflicts"]
    }
    assert in_the_way == {
        ("practitioner", world.practitioners[0], winner["id"]),
        ("patient", world.patients[0], winner["id"]),
        ("room", world.rooms[0], winner["id"]),
    }
    assert problem["alternatives"]["slots"], "nothing else is offered"
    assert problem["as_of_seq"] > 0


async def test_alternatives_can_be_booked(open_world: Open) -> None:
    world = await open_world(1)
    client = world.client()
    await client.post("/appointments", world.booking(day(0)))
    refused = await client.post("/appointments", world.booking(day(0)))
    for slot in refused.body["alternatives"]["slots"]:
        booking = world.booking(day(0)) | {
            "start": slot["start"], "end": slot["end"], "practitioner_id": slot["practitioner_id"],
            "room_id": slot["room_id"],
        }  # fmt: skip
        booked = await client.post("/appointments", booking)
        assert booked.status == 201, slot
        await client.post(
            f"/appointments/{booked.body['id']}/cancel"
        )  # each is offered alone, not all together
    assert at(day(0)) not in {slot["start"] for slot in refused.body["alternatives"]["slots"]}


@pytest.mark.parametrize("servers", [1, 2])
async def test_units_are_never_promised_twice(open_world: Open, servers: int) -> None:
    """Each visit asks for 2 of 7 units: three are granted, whoever asks where."""
    world = await open_world(servers, rooms=12, practitioners=12, patients=1)
    clients = await crowd(world, 12)
    for round_ in range(5):
        authorization = await world.authorization(0, 7)
        bookings = [
            world.booking(
                day(round_).replace(hour=hour), hour, hour, service_id=world.funded_service,
                authorization_id=authorization,
            )
            for hour in range(12)
        ]  # fmt: skip
        replies = await together(c.post("/appointments", b) for c, b in zip(clients, bookings, strict=True))
        assert statuses(replies) == [201] * 3 + [409] * 9
        refused = [reply.body for reply in replies if reply.status == 409]
        assert {each["code"] for each in refused} == {"insufficient_units"}
        left = (await world.client().get(f"/authorizations/{authorization}")).body
        assert (left["scheduled_units"], left["available_units"]) == (6, 1)


async def test_a_visit_keeps_its_authorization_in_sight(open_world: Open) -> None:
    """However many later ones the patient has: what the visit holds can be given back."""
    world = await open_world(1)
    client = world.client()
    authorization = await world.authorization(0, 7)
    visit = await client.post("/appointments", world.booking(day(0), service_id=world.funded_service))
    await world.stored(  # all others end later
        "update authorizations set end_date = '2050-01-01' where organization_id = $1 and id = $2",
        authorization,
    )
    for _ in range(201):
        await world.authorization(0, 7)
    moved = await client.patch(f"/appointments/{visit.body['id']}", {"room_id": world.rooms[1]})
    assert moved.status == 200, moved.content
    cancelled = await client.post(f"/appointments/{visit.body['id']}/cancel")
    assert cancelled.status == 200, cancelled.content
    left = (await client.get(f"/authorizations/{authorization}")).body
    assert (left["scheduled_units"], left["available_units"]) == (0, 7)

"""A sick day's plan is applied while others book what it counts on: all of it comes about or nothing, and once."""

from datetime import timedelta
from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import Client, together
from laws.world import World, at, crowd, day

_ROUNDS, _VISITS, _BOOKINGS = 20, 4, 4
_STORED = """
  select id::text, version, status, needs_action, starts_at from appointments
  where organization_id = $1 and id = any ($2::uuid[]) order by starts_at, id"""


@pytest.mark.parametrize("servers", [1, 2])
async def test_a_plan_comes_about_as_a_whole_or_not_at_all(open_world: Open, servers: int) -> None:
    world = await open_world(
        servers, rooms=_VISITS + _BOOKINGS, practitioners=3, patients=_VISITS + _BOOKINGS
    )
    clients = await crowd(world, 2 + _BOOKINGS)
    outcomes: set[str] = set()
    for number in range(_ROUNDS):
        start = day(number)
        decided = await _planned(world, clients[0], start)
        # In most rounds others want the substitutes' time; in some they have it already, in some nobody does.
        rivals = [
            world.booking(start + timedelta(minutes=30 * n), None, 1 + n % 2, _VISITS + n)
            for n in range(_BOOKINGS if number % 4 else 0)
        ]
        early = rivals[: number % 4 == 1]
        assert [(await clients[2].post("/appointments", each)).status for each in early] in ([], [201])
        rivals = rivals[len(early) :]
        path = f"/practitioners/{world.practitioners[0]}/absence-plan/apply"
        body = {"date": str(start.date()), "visits": decided}
        *booked, first, second = await together([
            *(client.post("/appointments", each) for client, each in zip(clients[2:], rivals, strict=False)),
            *(client.post(path, body) for client in clients[:2]),
        ])  # fmt: skip
        assert {reply.status for reply in booked} <= {201, 409}
        applied = [reply for reply in (first, second) if reply.status == 200]
        refused = [reply for reply in (first, second) if reply.status != 200]
        assert [reply.body["code"] for reply in refused] in (["plan_outdated"], ["plan_outdated"] * 2)
        rows = await world.stored(_STORED, [each["appointment_id"] for each in decided])
        versions = {each["appointment_id"]: each["version"] for each in decided}
        moved = [row["version"] == versions[row["id"]] + 1 and row["needs_action"] is None for row in rows]
        assert len(applied) <= 1
        assert moved == [bool(applied)] * len(rows)
        outcomes.add("applied" if applied else "outdated")
    assert outcomes == {"applied", "outdated"}


async def _planned(world: World, client: Client, start: Any) -> list[dict[str, Any]]:
    """Half-hour visits of one practitioner, who is away from then on; two for substitutes, one later, one cancelled."""
    for number in range(_VISITS):
        reply = await client.post(
            "/appointments", world.booking(start + timedelta(minutes=30 * number), number, 0, number)
        )
        assert reply.status == 201, reply.content
    end = start + timedelta(hours=3)
    reply = await client.post(
        f"/practitioners/{world.practitioners[0]}/time-off",
        {"start": at(start), "end": at(end), "kind": "sick"},
    )
    assert reply.status == 201, reply.content
    reply = await client.get(f"/practitioners/{world.practitioners[0]}/absence-plan?date={start.date()}")
    assert reply.status == 200, reply.content
    assert len(reply.body["visits"]) == _VISITS
    return [
        {"appointment_id": visit["appointment_id"], "version": visit["version"], **decision}
        for visit, decision in zip(
            reply.body["visits"],
            [
                {"action": "substitute", "practitioner_id": world.practitioners[1]},
                {"action": "substitute", "practitioner_id": world.practitioners[2]},
                {"action": "move", "start": at(end)},
                {"action": "cancel"},
            ],
            strict=True,
        )
    ]

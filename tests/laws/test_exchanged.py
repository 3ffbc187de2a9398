"""Two practitioners who each sit beside a colleague exchange their places, all at once: nobody is at two places, and
nobody who could have gone is refused for good.
"""

from datetime import timedelta
from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import Client, together
from laws.world import at, crowd, day

_ROUNDS = 20
_DOUBLED = """
  select 1 from claims a join claims b on a.organization_id = $1 and b.organization_id = $1
    and a.resource_id = b.resource_id and a.seat = b.seat and a.starts_at < b.ends_at and b.starts_at < a.ends_at
    and (a.starts_at, a.appointment_id) < (b.starts_at, b.appointment_id)"""


@pytest.mark.parametrize("servers", [1, 2])
async def test_overlapping_lines_are_exchanged(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=2, practitioners=4, patients=2)
    clients = await crowd(world, 6)
    left, right = world.practitioners[2:]
    outcomes: set[int] = set()
    for number in range(_ROUNDS):
        start = day(number)
        visits = [await _visit(clients[n], world.booking(start, n, n, n), each, start, world.service)
                  for n, each in enumerate((left, right))]  # fmt: skip
        wanted = dict(zip(visits, (right, left), strict=True))
        replies = await together([
            *(clients[n].patch(f"/appointments/{visit}/lines/2", {"practitioner_id": who})
              for n, (visit, who) in enumerate(wanted.items())),
            *(clients[n + 2].delete(f"/appointments/{visit}/lines/2") for n, visit in enumerate(visits)),
            *(clients[n + 4].post(f"/appointments/{visit}/lines", _line(who, start, world.service))
              for n, (visit, who) in enumerate(wanted.items())),
        ])  # fmt: skip
        outcomes |= {reply.status for reply in replies}
        assert {reply.status for reply in replies} <= {200, 201, 404, 409}, [
            reply.content for reply in replies
        ]
        assert await world.stored(_DOUBLED) == []
        # Whoever is left where they were leaves now, and then everybody can come to where they wish.
        for visit in visits:
            found = await clients[0].get(f"/appointments/{visit}")
            for line in found.body["lines"][1:]:
                gone = await clients[0].delete(f"/appointments/{visit}/lines/{line['line_no']}")
                assert gone.status == 200, gone.content
        done = await together(
            client.post(f"/appointments/{visit}/lines", _line(who, start, world.service))
            for client, (visit, who) in zip(clients, wanted.items(), strict=False)
        )
        assert {reply.status for reply in done} == {201}, [reply.content for reply in done]
        assert {reply.body["lines"][1]["practitioner_id"] for reply in done} == {left, right}
    assert outcomes >= {200, 409}, "there was no race"


def _line(practitioner: str, start: Any, service: str) -> dict[str, Any]:
    times = {"start": at(start + timedelta(minutes=10)), "end": at(start + timedelta(minutes=25))}
    return {"practitioner_id": practitioner, "service_id": service, **times}


async def _visit(client: Client, booking: dict[str, Any], beside: str, start: Any, service: str) -> str:
    """Booked with a second line, given by somebody else, within the first."""
    reply = await client.post("/appointments", booking | {"lines": [_line(beside, start, service)]})
    assert reply.status == 201, reply.content
    return str(reply.body["id"])

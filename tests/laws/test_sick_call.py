"""A sick call races the bookings of its day: none of them is inside it unflagged, and what is given back is the absence's."""

from datetime import timedelta

import pytest
from laws.conftest import Open
from laws.wire import together
from laws.world import at, crowd, day

_ROUNDS, _BOOKINGS = 20, 8
_VISITS = "select id::text, needs_action from appointments where organization_id = $1 and starts_at >= $2 and starts_at < $3"
_ABSENT = """
  select coalesce(sum(ends_at - starts_at), interval '0') as taken from claims
  where organization_id = $1 and resource_id = $2 and time_off_id = $3"""


@pytest.mark.parametrize("servers", [1, 2])
async def test_no_booking_is_inside_an_absence_unflagged(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=_BOOKINGS, practitioners=2, patients=_BOOKINGS)
    clients = await crowd(world, _BOOKINGS + 1)
    away, stands_in = world.practitioners
    outcomes: set[int] = set()
    for number in range(_ROUNDS):
        start = day(number)
        end = start + timedelta(hours=_BOOKINGS)
        asked = [
            clients[_BOOKINGS].post(
                f"/practitioners/{away}/time-off", {"start": at(start), "end": at(end), "kind": "sick"}),
            *(client.post("/appointments", world.booking(start + timedelta(hours=n), n, 0, n))
              for n, client in enumerate(clients[:_BOOKINGS])),
        ]  # fmt: skip
        # Who is asked first wins more often than not.
        turn = 1 if number % 2 else -1
        recorded, *replies = (await together(asked[::turn]))[::turn]
        assert recorded.status == 201, recorded.content
        outcomes |= {reply.status for reply in replies}
        booked = {reply.body["id"] for reply in replies if reply.status == 201}
        refused = [reply.body["code"] for reply in replies if reply.status != 201]
        assert set(refused) <= {"practitioner_unavailable"}, refused
        stored = {row["id"]: row["needs_action"] for row in await world.stored(_VISITS, start, end)}
        assert stored == dict.fromkeys(booked, "practitioner_absent")
        assert {each["id"] for each in recorded.body["affected"]} == booked

        # Each is dealt with: cancelled, or given to somebody else. Then the whole time is the absence's.
        done = await together(
            clients[n].post(f"/appointments/{visit}/cancel") if n % 2
            else clients[n].patch(f"/appointments/{visit}", {"practitioner_id": stands_in})
            for n, visit in enumerate(sorted(booked))
        )  # fmt: skip
        assert {reply.status for reply in done} <= {200}, [reply.content for reply in done]
        (absent,) = await world.stored(_ABSENT, away, recorded.body["id"])
        assert absent["taken"] == end - start
    assert outcomes == {201, 409}, "there was no race"

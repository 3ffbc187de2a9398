"""A room plan that is carried out races a booking of a room that it needs: one of them has it, and the plan is carried out
as a whole or not at all.
"""

from datetime import timedelta

import pytest
from laws.conftest import Open
from laws.wire import together
from laws.world import crowd, day

_ROUNDS, _VISITS = 20, 3
_ROOMS = (
    "select id::text, room_id::text from appointments where organization_id = $1 and id = any($2::uuid[])"
)


@pytest.mark.parametrize("servers", [1, 2])
async def test_a_plan_is_carried_out_whole_or_not_at_all(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=3, practitioners=2, patients=2)
    planner, booker = await crowd(world, 2)
    closing = f"/rooms/{world.rooms[0]}"
    outcomes: set[int] = set()
    for number in range(_ROUNDS):
        hours = [day(number) + timedelta(hours=n) for n in range(_VISITS)]
        for hour in hours:
            assert (await planner.post("/appointments", world.booking(hour))).status == 201
        assert (await planner.patch(closing, {"is_available": False})).status == 200
        proposed = await planner.post(f"/clinics/{world.clinic}/room-plan?date={hours[0].date()}")
        assert proposed.status == 201, proposed.content
        moves = {each["appointment_id"]: each["room_id_after"] for each in proposed.body["moves"]}
        assert len(moves) == _VISITS
        needed = proposed.body["moves"][number % _VISITS]
        asked = [
            planner.post(f"/room-plans/{proposed.body['id']}/apply"),
            booker.post("/appointments", {
                **world.booking(hours[0], None, 1, 1), "start": needed["start"], "room_id": needed["room_id_after"],
            }),
        ]  # fmt: skip
        # Who is asked first wins more often than not.
        turn = 1 if number % 2 else -1
        applied, booked = (await together(asked[::turn]))[::turn]
        outcomes.add(applied.status)
        assert {applied.status, booked.status} in ({200, 409}, {409, 201}), (applied.content, booked.content)
        stored = {row["id"]: row["room_id"] for row in await world.stored(_ROOMS, list(moves))}
        if applied.status == 200:
            assert stored == moves
            assert booked.body["code"] == "room_conflict"
        else:
            assert stored == dict.fromkeys(moves, world.rooms[0])
            assert applied.body["code"] == "plan_outdated"
            assert [each["appointment_id"] for each in applied.body["outdated"]] == [needed["appointment_id"]]
        assert (await planner.patch(closing, {"is_available": True})).status == 200
    assert outcomes == {200, 409}, "there was no race"

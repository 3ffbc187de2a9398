"""Absences are shortened, lengthened and removed while their visits are booked and cancelled. Whatever the order: a visit
inside an absence is flagged, one outside is not, and no time inside an absence is free.
"""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from laws.conftest import Open
from laws.wire import Client, together
from laws.world import World, at, crowd, day

_ROUNDS, _VISITS, _ABSENCES = 12, 8, 3
# A visit is in the way of its practitioner's time off, of its room's closure and of its clinic's.
_WRONG = """
  with away as (
    select x.practitioner_id as resource_id, x.starts_at, x.ends_at, 'practitioner_absent' as flag
    from time_off x where x.organization_id = $1
    union all
    select r.id, x.starts_at, x.ends_at, case when x.room_id is null then 'clinic_closed' else 'room_closed' end
    from closures x join rooms r on r.organization_id = $1 and r.clinic_id = x.clinic_id
      and coalesce(x.room_id, r.id) = r.id
    where x.organization_id = $1
  )
  select a.id, a.starts_at, a.needs_action, array_agg(w.flag) as held
  from appointments a
  join appointment_lines l on l.organization_id = $1 and l.appointment_id = a.id
  left join away w on w.resource_id in (l.practitioner_id, a.room_id) and w.starts_at < a.ends_at
    and a.starts_at < w.ends_at
  where a.organization_id = $1 and a.status <> 'cancelled'
  group by a.id, a.starts_at, a.needs_action
  having (a.needs_action is null) <> (count(w.flag) = 0) or a.needs_action <> all (array_agg(w.flag))"""
_FREE = """
  select s.resource_id, x.starts_at, held.during
  from (
    select practitioner_id, null::uuid as room_id, null::uuid as clinic_id, starts_at, ends_at from time_off
    where organization_id = $1
    union all
    select null, room_id, clinic_id, starts_at, ends_at from closures where organization_id = $1) x
  join resource_seats s on s.organization_id = $1 and (
    s.resource_id = x.practitioner_id or s.resource_id = x.room_id or x.room_id is null and exists (
      select from rooms r where r.organization_id = $1 and r.id = s.resource_id and r.clinic_id = x.clinic_id))
  cross join lateral (
    select tstzmultirange(tstzrange(x.starts_at, x.ends_at)) - coalesce(range_agg(c.during), '{}') as during
    from claims c
    where c.organization_id = $1 and c.resource_id = s.resource_id and c.seat = s.seat) held
  where not isempty(held.during)"""


@pytest.mark.parametrize("servers", [1, 2])
async def test_flags_and_claims_follow_absences_that_change(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=2, practitioners=2, patients=_VISITS)
    clients = await crowd(world, _VISITS + _ABSENCES)
    statuses: set[int] = set()
    flagged = 0
    for number in range(_ROUNDS):
        start = day(number)
        chance = random.Random(number)
        places = _places(world)
        absences = [await _recorded(clients[0], path, start, chance) for path in places]
        replies = await together([
            *(_changed(client, path, start, chance) for client, path in zip(clients, absences, strict=False)),
            *(_visited(client, world, start + timedelta(hours=n), n) for n, client in enumerate(clients[_ABSENCES:])),
        ])  # fmt: skip
        for several in replies:
            statuses |= {reply.status for reply in several}
            assert {reply.status for reply in several} <= {200, 201, 204, 409}, several
        assert await world.stored(_WRONG) == []
        assert await world.stored(_FREE) == []
        stored = "select count(*) as flags from appointments where organization_id = $1 and needs_action is not null"
        flagged += (await world.stored(stored))[0]["flags"]
        for path in absences:  # so that one round's absences are not the next one's
            gone = await clients[0].delete(path)
            assert gone.status in {204, 404}
        assert await world.stored(_WRONG) == []
        absent = "select 1 from claims where organization_id = $1 and kind in ('closure', 'time_off')"
        assert await world.stored(absent) == []
    assert statuses >= {200, 201, 204, 409}, "there was no race"
    assert flagged, "nothing was ever in the way"


def _places(world: World) -> list[str]:
    return [
        f"/practitioners/{world.practitioners[0]}/time-off", f"/rooms/{world.rooms[0]}/closures",
        f"/clinics/{world.clinic}/closures",
    ]  # fmt: skip


def _times(start: datetime, chance: random.Random) -> dict[str, str]:
    first = chance.randrange(_VISITS)
    last = chance.randrange(first, _VISITS) + 1
    return {"start": at(start + timedelta(hours=first)), "end": at(start + timedelta(hours=last))}


async def _recorded(client: Client, path: str, start: datetime, chance: random.Random) -> str:
    reply = await client.post(path, _times(start, chance))
    assert reply.status == 201, reply.content
    return f"{path}/{reply.body['id']}"


async def _changed(client: Client, path: str, start: datetime, chance: random.Random) -> list[Any]:
    """Made longer and shorter a few times, and now and then removed."""
    replies = [await client.patch(path, _times(start, chance)) for _ in range(3)]
    if chance.randrange(3) == 0:
        replies.append(await client.delete(path))
    return replies


async def _visited(client: Client, world: World, start: datetime, number: int) -> list[Any]:
    """Booked until it is granted or often enough, and every second one cancelled and booked again."""
    replies = []
    for _ in range(4):
        booked = await client.post("/appointments", world.booking(start, number % 2, number % 2, number))
        replies.append(booked)
        if booked.status == 201 and number % 4 > 1:
            replies.append(await client.post(f"/appointments/{booked.body['id']}/cancel"))
        elif booked.status == 201:
            break
    return replies

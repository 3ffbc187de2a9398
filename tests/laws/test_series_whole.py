"""A series races bookings and other series for the same time: it is booked as a whole or not at all, whoever wins."""

from datetime import datetime, timedelta

import pytest
from laws.conftest import Open
from laws.wire import Reply, together
from laws.world import World, crowd, day

_ROUNDS, _DATES = 20, 6
_VISITS = (
    "select count(a.id) as visits"
    " from series s left join appointments a on a.organization_id = $1 and a.series_id = s.id"
    " where s.organization_id = $1 group by s.id"
)


def _hour(number: int) -> datetime:
    """Rounds lie beside each other on the same days."""
    return day(0).replace(hour=0) + timedelta(hours=number)


def _series(world: World, number: int, practitioner: int = 0, patient: int = 0) -> dict[str, object]:
    rule = {"rrule": f"FREQ=DAILY;COUNT={_DATES}"}
    return world.booking(_hour(number), None, practitioner, patient, **rule)


def _is_whole(reply: Reply) -> bool:
    """Whether all dates were booked; else every one that cannot be had was named."""
    assert reply.status in {201, 409}, reply.content
    if reply.status == 201:
        assert len(reply.body["booked"]) == _DATES
        assert reply.body["skipped"] == []
        return True
    assert reply.body["code"] == "series_conflict"
    assert reply.body["dates"]
    return False


async def _none_is_half(world: World, whole: int) -> None:
    rows = await world.stored(_VISITS)
    assert [row["visits"] for row in rows] == [_DATES] * whole


@pytest.mark.parametrize("servers", [1, 2])
async def test_a_series_beside_bookings_of_its_dates(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=3, practitioners=1, patients=2)
    planner, *bookers = await crowd(world, 3)
    whole, lost = 0, 0
    for number in range(_ROUNDS):
        dates = [(number + n) % _DATES for n in (0, 3)]
        asked = [
            planner.post("/appointments/series", _series(world, number)),
            *(
                booker.post("/appointments", world.booking(_hour(number) + timedelta(days=on), None, 0, 1))
                for booker, on in zip(bookers, dates, strict=True)
            ),
        ]
        # Who is asked first wins more often than not.
        turn = 1 if number % 2 else -1
        series, *booked = (await together(asked[::turn]))[::turn]
        if _is_whole(series):
            whole += 1
            assert [each.status for each in booked] == [409, 409], [each.content for each in booked]
        else:
            lost += 1
            won = {at for each, at in zip(booked, dates, strict=True) if each.status == 201}
            named = {each["start"][:10] for each in series.body["dates"]}
            assert named
            assert named <= {str((_hour(number) + timedelta(days=at)).date()) for at in won}
    await _none_is_half(world, whole)
    assert whole, "no series ever won"
    assert lost, "no booking ever won"


@pytest.mark.parametrize("servers", [1, 2])
async def test_two_series_of_one_practitioner(open_world: Open, servers: int) -> None:
    world = await open_world(servers, rooms=3, practitioners=1, patients=2)
    clients = await crowd(world, 2)
    for number in range(_ROUNDS):
        replies = await together(
            [
                client.post("/appointments/series", _series(world, number, patient=patient))
                for patient, client in enumerate(clients)
            ]
        )
        winners = [_is_whole(reply) for reply in replies]
        assert sorted(winners) == [False, True]
        loser = replies[winners.index(False)]
        assert len(loser.body["dates"]) == _DATES
    await _none_is_half(world, _ROUNDS)

"""Every change reaches every listener once and in order."""

import asyncio
import contextlib
import random
import time
from typing import Any

import msgspec
import pytest
import uvicorn
from api.people import Client, make_organization, sign_in
from live.listening import (
    HOUR,
    MONDAY,
    Process,
    Stream,
    World,
    alter,
    book,
    make_world,
    seq_of,
    served,
    stored_seq,
    tell,
    visit,
)

from holdfast.commands.change import Turn
from holdfast.settings import Settings

Owner = Any


async def test_a_booking_is_told_whole(process: Process, port: int, world: World) -> None:
    stream = await Stream.open(port, world.organization.tokens["scheduler"])
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["cache-control"] == "no-store"
    assert stream.headers["x-accel-buffering"] == "no"
    assert "x-request-id" in stream.headers
    opening = await stream.block()
    assert opening is not None
    assert int(opening.fields["retry"]) >= 1000
    assert int(opening.fields["id"]) == await seq_of(process, world)
    booked = visit(world)
    await book(process, world, booked)
    (event,) = await stream.events(1)
    assert (event.seq, event.kind) == (await seq_of(process, world), "appointment.booked")
    assert event.data["id"] == booked.id
    assert event.data["start"] == "2027-05-10T16:00:00Z"
    assert (event.data["patient_name"], event.data["practitioner_name"]) == (
        "Juniper Person",
        "Juniper Therapist",
    )
    assert (event.data["room_number"], event.data["service_code"]) == ("7", "CANARY97153")
    assert event.data["practitioner_id"] == world.practitioner
    assert event.data["lines"][0]["service_id"] == world.service


async def test_only_the_own_organization_is_heard(
    process: Process, port: int, world: World, client: Client, settings: Settings
) -> None:
    foreign = await make_world(
        settings.database_admin_url, await make_organization(process, client, "Foreign")
    )
    stream = await Stream.open(port, foreign.organization.tokens["admin"], after=0)
    await book(process, world, visit(world))
    await book(process, foreign, visit(foreign))
    heard = await stream.until(await seq_of(process, foreign))
    assert [event.data["patient_name"] for event in heard if event.kind == "appointment.booked"] == [
        "Foreign Person"
    ]


@pytest.mark.parametrize("where", ["after_seq", "last_event_id"])
async def test_it_goes_on_where_the_listener_was(
    process: Process, port: int, world: World, where: str
) -> None:
    for hour in range(5):
        await book(process, world, visit(world, start=MONDAY + hour * HOUR))
    seq, token = await seq_of(process, world), world.organization.tokens["scheduler"]
    if where == "after_seq":
        stream = await Stream.open(port, token, after=seq - 3)
    else:
        stream = await Stream.open(port, token, after=seq - 5, last_event_id=seq - 3)
    await book(process, world, visit(world, start=MONDAY + 6 * HOUR))
    assert [event.seq for event in await stream.until(seq + 1)] == [seq - 2, seq - 1, seq, seq + 1]
    await stream.silence()


async def test_no_gap_and_no_repeat(settings: Settings, process: Process, port: int, world: World) -> None:
    """Two processes write at once; listeners of both come and go at random points."""
    other = Process(msgspec.structs.replace(settings, live_listener_events_max=20))
    async with other.running(), served(other) as other_port:
        began, token = await seq_of(process, world), world.organization.tokens["scheduler"]
        writing = True

        async def write(server: Process, seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(60):
                day = MONDAY + chance.randrange(300) * 24 * HOUR
                await book(server, world, *(visit(world, start=day) for _ in range(chance.randrange(1, 4))))
                await asyncio.sleep(chance.random() * 0.01)

        async def listen(at: int, seed: int) -> list[int]:
            chance = random.Random(seed)
            heard: list[int] = []
            while writing or not heard or heard[-1] < await seq_of(process, world):
                last = heard[-1] if heard else began
                stream = await Stream.open(at, token, after=began, last_event_id=last if heard else None)
                for _ in range(chance.randrange(1, 40)):
                    try:
                        event = await stream.event(0.5)
                    except TimeoutError:
                        break
                    if event is None:
                        break
                    heard.append(event.seq)
                stream.close()
            return heard

        listening = [asyncio.create_task(listen(at, seed)) for seed, at in enumerate((port, other_port) * 4)]
        await asyncio.gather(*(write(server, seed) for seed, server in enumerate((process, other) * 2)))
        writing = False
        ended = await seq_of(process, world)
        for heard in await asyncio.gather(*listening):
            assert heard == list(range(began + 1, ended + 1))


async def test_both_processes_hear(settings: Settings, process: Process, port: int, world: World) -> None:
    other = Process(settings)
    async with other.running(), served(other) as other_port:
        token = world.organization.tokens["scheduler"]
        streams = [await Stream.open(at, token) for at in (port, other_port)]
        for server in (process, other):
            began = time.perf_counter()
            await book(server, world, visit(world))
            events = await asyncio.gather(*(stream.event() for stream in streams))
            assert time.perf_counter() - began < 1
            assert [event.seq for event in events if event] == [await seq_of(process, world)] * 2


async def test_too_old_begins_anew(settings: Settings, world: World) -> None:
    small = Process(msgspec.structs.replace(settings, live_replay_events_max=3))
    async with small.running(), served(small) as port:
        await book(small, world, *(visit(world) for _ in range(5)))
        seq, token = await seq_of(small, world), world.organization.tokens["scheduler"]
        for after in (seq - 4, seq + 100):
            stream = await Stream.open(port, token, after=after)
            (event,) = await stream.events(1)
            assert (event.kind, event.seq, event.data) == ("reset", seq, {"seq": seq})
            await stream.silence(0.1)
            await book(small, world, visit(world))
            seq += 1
            assert [event.seq for event in await stream.events(1)] == [seq]
        stream = await Stream.open(port, token, after=seq - 3)
        assert [event.kind for event in await stream.events(3)] == ["appointment.booked"] * 3


async def test_what_is_no_longer_kept_begins_anew(
    process: Process, port: int, world: World, owner: Owner
) -> None:
    await book(process, world, *(visit(world) for _ in range(5)))
    seq, token = await seq_of(process, world), world.organization.tokens["scheduler"]
    await owner.execute("delete from events where seq <= $1", seq - 2)
    stream = await Stream.open(port, token, after=seq - 3)
    assert [event.kind for event in await stream.events(1)] == ["reset"]
    stream = await Stream.open(port, token, after=seq - 2)
    assert [event.seq for event in await stream.events(2)] == [seq - 1, seq]
    await owner.execute("delete from events")
    stream = await Stream.open(port, token, after=seq - 1)
    assert [event.kind for event in await stream.events(1)] == ["reset"]
    stream = await Stream.open(port, token, after=seq)
    await stream.silence()


async def test_a_slow_reader_is_dropped_and_comes_back(settings: Settings, world: World) -> None:
    small = Process(msgspec.structs.replace(settings, live_listener_events_max=50))
    async with small.running(), served(small) as port:
        token = world.organization.tokens["scheduler"]
        slow, quick = await Stream.open(port, token), await Stream.open(port, token)
        began = await seq_of(small, world)
        # More than the sockets hold: what is not read then waits in the server.
        heard = []
        for _ in range(150):
            await book(small, world, *(visit(world) for _ in range(40)))
            heard += await quick.until(await seq_of(small, world))
            if small.hub.listeners_count == 1:
                break
        assert small.hub.listeners_count == 1, "the slow reader was not dropped"
        ended = await seq_of(small, world)
        assert [event.seq for event in heard] == list(range(began + 1, ended + 1))
        late = []
        while (event := await slow.event()) is not None:
            late.append(event.seq)
        assert late == list(range(began + 1, late[-1] + 1))
        assert late[-1] < ended
        back = await Stream.open(port, token, last_event_id=late[-1])
        assert [event.seq for event in await back.until(ended)] == list(range(late[-1] + 1, ended + 1))


async def test_a_client_that_goes_away_costs_nothing_more(process: Process, port: int, world: World) -> None:
    stream = await Stream.open(port, world.organization.tokens["scheduler"])
    await stream.block()
    assert process.hub.listeners_count == 1
    stream.close()
    async with asyncio.timeout(2):
        while process.hub.listeners_count:
            await asyncio.sleep(0.01)
    assert not process.hub._channels


async def test_a_quiet_stream_beats_and_says_where_it_is(settings: Settings, world: World) -> None:
    """A patient hears nothing of others' visits, but is not left behind by them."""
    quick = Process(msgspec.structs.replace(settings, live_heartbeat_seconds=0.1))
    async with quick.running(), served(quick) as port:
        began = await seq_of(quick, world)
        stream = await Stream.open(port, world.organization.tokens["patient"], after=began)
        await stream.block()
        first = await stream.block()
        assert first is not None
        assert (first.fields, first.comments) == ({}, ["heartbeat"])
        await book(quick, world, visit(world, own=False))
        async with asyncio.timeout(2):
            while (block := await stream.block()) is not None and not block.fields:
                pass
        assert block is not None
        assert block.fields == {"id": str(began + 1)}


async def test_a_revoked_session_ends_its_stream(settings: Settings, world: World, client: Client) -> None:
    strict = Process(msgspec.structs.replace(settings, session_recheck_seconds=0.2))
    async with strict.running(), served(strict) as port:
        stays = await Stream.open(port, world.organization.tokens["admin"])
        pair = await sign_in(client, world.organization.emails["scheduler"])
        stream = await Stream.open(port, pair["access_token"])
        await stream.block()
        async with client(pair["access_token"]) as user:
            assert (await user.post("/api/v1/auth/logout")).status_code == 204
        assert await stream.event() is None
        await stays.silence()


async def test_other_nouns_are_told_by_role(process: Process, port: int, world: World) -> None:
    tokens, began = world.organization.tokens, await seq_of(process, world)
    streams = {role: await Stream.open(port, tokens[role]) for role in tokens}
    authorization = {"id": world.clinic, "patient_id": world.patient, "version": 1}

    async def work(turn: Turn) -> None:
        turn.tell("room.changed", {"id": world.room, "version": 2})
        turn.tell("user.changed", {"id": world.organization.user_ids["admin"], "version": 2})
        turn.tell("authorization.changed", authorization)
        turn.tell("authorization.changed", {**authorization, "patient_id": world.other_patient})
        turn.tell("patient.changed", {"id": world.patient, "version": 2})

    await tell(process, world, work)
    await book(process, world, visit(world))
    all_of_it = [1, 2, 3, 4, 5, 6]
    expected = {
        "admin": all_of_it, "scheduler": [1, 3, 4, 5, 6], "biller": [1, 3, 4, 5, 6], "auditor": [1, 3, 4, 5, 6],
        "practitioner": [1, 5, 6], "patient": [3, 6],
    }  # fmt: skip
    for role, stream in streams.items():
        heard = await stream.until(began + 6)
        assert [event.seq - began for event in heard] == expected[role], role
        assert {event.seq - began: event.data for event in heard}.get(3, authorization) == authorization


async def test_what_cannot_be_a_place_is_refused(
    process: Process, port: int, world: World, client: Client
) -> None:
    async with client(world.organization.tokens["scheduler"]) as user:
        for query, headers, field in (
            ("?after_seq=-1", {}, "after_seq"),
            ("?after_seq=x", {}, "after_seq"),
            ("?after_seq=99999999999999999999", {}, "after_seq"),
            ("?since=1", {}, "since"),
            ("", {"Last-Event-ID": "-1"}, "Last-Event-ID"),
            ("", {"Last-Event-ID": "9" * 30}, "Last-Event-ID"),
            ("", {"Last-Event-ID": "soon"}, "Last-Event-ID"),
        ):
            answer = await user.get(f"/api/v1/calendar/events{query}", headers=headers)
            assert answer.status_code == 422
            assert [error["field"] for error in answer.json()["errors"]] == [field]
    stream = await Stream.open(port, "nobody")
    assert stream.status == 401


async def test_listeners_are_bounded(settings: Settings, world: World) -> None:
    small = Process(msgspec.structs.replace(settings, live_listeners_max=1))
    async with small.running(), served(small) as port:
        token = world.organization.tokens["scheduler"]
        first, second = await Stream.open(port, token), await Stream.open(port, token)
        assert (first.status, second.status) == (200, 503)
        assert "retry-after" in second.headers


async def test_the_database_going_away_loses_nothing(
    process: Process, port: int, world: World, owner: Owner
) -> None:
    stream = await Stream.open(port, world.organization.tokens["scheduler"])
    began = seq = await seq_of(process, world)
    for _ in range(3):
        await owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        while await stored_seq(owner, world) == seq:
            with contextlib.suppress(Exception):
                await book(process, world, visit(world))
        seq = await stored_seq(owner, world)
        assert [event.seq for event in await stream.until(seq)][-1] == seq
    again = await Stream.open(port, world.organization.tokens["scheduler"], after=began)
    assert [event.seq for event in await again.until(seq)] == list(range(began + 1, seq + 1))


async def test_an_organization_that_is_deleted_is_told_no_more(
    settings: Settings, process: Process, port: int, world: World, client: Client, owner: Owner
) -> None:
    gone = await make_organization(process, client, "Gone")
    ends = await Stream.open(port, gone.tokens["admin"])
    stays = await Stream.open(port, world.organization.tokens["admin"])
    await owner.execute("delete from turns where organization_id = $1", gone.id)
    assert await ends.event() is None
    other = Process(settings)
    async with other.running():
        await book(other, world, visit(world))
    assert await stays.event() is not None


async def test_a_change_is_told_as_it_is_now(process: Process, port: int, world: World) -> None:
    booked = visit(world)
    await book(process, world, booked)
    stream = await Stream.open(port, world.organization.tokens["scheduler"])
    moved = await alter(
        process, world, "appointment.moved", booked, start=MONDAY + HOUR, end=MONDAY + 2 * HOUR
    )
    await alter(process, world, "appointment.cancelled", moved, status="cancelled", room_id=None)
    first, second = await stream.events(2)
    assert (first.kind, first.data["start"], first.data["version"]) == (
        "appointment.moved",
        "2027-05-10T17:00:00Z",
        2,
    )
    assert (second.kind, second.data["status"], second.data["room_number"]) == (
        "appointment.cancelled", "cancelled", None,
    )  # fmt: skip


async def test_streams_end_at_shutdown(process: Process, world: World) -> None:
    """A server told to stop says goodbye to every stream, and is gone in well under two seconds."""
    server = uvicorn.Server(uvicorn.Config(process, port=0, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    token = world.organization.tokens["scheduler"]
    streams = [await Stream.open(port, token) for _ in range(50)]
    await book(process, world, visit(world))
    await asyncio.gather(*(stream.event() for stream in streams))
    began = time.perf_counter()
    server.should_exit = True
    await serving
    assert time.perf_counter() - began < 2
    assert [await stream.event() for stream in streams] == [None] * 50
    assert all(stream.ended_well for stream in streams)
    assert process.hub.listeners_count == 0

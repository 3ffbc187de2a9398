"""What is seen of a real server and its database while something happens to them."""

import asyncio
import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from holdfast.db import engine as embedded
from holdfast.db.engine import Engine
from holdfast.proof import driver, serving
from holdfast.proof.bench import data as bench_data
from holdfast.proof.bench.data import Requests
from holdfast.proof.bench.run import PROFILE, home_on_disk, migrated
from holdfast.proof.bench.search import asked
from holdfast.proof.evidence.database import hot_paths, index_use
from holdfast.proof.evidence.plans import plan_pairs
from holdfast.proof.evidence.watched import Eyes, eyes_on, metrics_of, watched
from holdfast.proof.report.blanks import HOT_PATHS, PLANS, POOL_USAGES, SPANS, USAGES
from holdfast.proof.report.model import Cell, Figure, LaneBatches, Locks, NotApplicable, Plan, Pool, Table
from holdfast.proof.serving import Server

SIZE = bench_data.Size(name="evidence", clinics=1, patients_each=40, weeks=2, minutes=15, ruled=True)
BOOKINGS = 240


class Place(NamedTuple):
    home: Path
    engine: Engine
    server: Server
    requests: Requests


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A server on an engine of its own, with an organization that has rules and visits."""

    def quiet(_text: str) -> None:
        return

    with home_on_disk(quiet) as home, embedded.running(home, quiet) as engine:
        secret = migrated(engine, quiet)
        made = asyncio.run(_made(engine.admin_url, base64.b64decode(secret)))
        with serving.holdfast(home, dict(PROFILE)) as server:
            server.wait_until_answers("/health/ready")
            token = serving.sign_in(server, made.credentials)
            yield Place(home, engine, server, Requests(made, token, server.host_header, 1))


async def _made(url: str, key: bytes) -> bench_data.Organization:
    connection = await asyncpg.connect(url)
    try:
        made = await bench_data.make(connection, SIZE, key, bench_data.monday(datetime.now(UTC)), 1)
        await bench_data.visits(connection, made)
    finally:
        await connection.close()
    return made


def value(cell: Cell) -> float:
    assert isinstance(cell, Figure), cell
    return cell.value


def booked(place: Place) -> driver.Result:
    """So many bookings within two seconds, by eight clients."""
    plan = driver.Plan(
        host=serving.HOST, port=place.server.port, clients=8, requests=place.requests.bookings(BOOKINGS),
        expected_status=201, seconds=20, rate=BOOKINGS / 2,
    )  # fmt: skip
    result = serving.drive(place.home, plan)
    assert result.answered == BOOKINGS, result.unexpected
    return result


def test_a_load_is_seen_inside(place: Place) -> None:
    with watched(eyes_on(place.server, place.engine)) as seen:
        took = booked(place).samples
    inside = seen.inside
    assert not isinstance(inside.spans, NotApplicable)
    spans = {each.name: each for each in inside.spans}
    assert set(SPANS) <= set(spans)
    for name in ("authenticate", "lane_wait", "decide", "write"):
        assert spans[name].distribution.n == BOOKINGS, name
    assert 0 < spans["rules"].distribution.n <= BOOKINGS
    parts = {name: value(each.share) for name, each in spans.items() if each.distribution.n}
    together = sum(part for name, part in parts.items() if name != "rules")
    assert together == pytest.approx(100, abs=1)
    assert parts["rules"] <= parts["decide"]
    seconds = sum(value(each.distribution.mean) * each.distribution.n for name, each in spans.items()
                  if each.distribution.n and name != "rules") / 1000  # fmt: skip
    assert seconds < sum(took), "what the clients saw is more than what the server tells"
    assert isinstance(inside.lanes, LaneBatches)
    assert value(inside.lanes.mean) * inside.lanes.n == pytest.approx(BOOKINGS)
    assert not isinstance(inside.usages, NotApplicable)
    usages = {each.name: each for each in inside.usages}
    assert set(usages) == set(USAGES)
    for name in (name for name in USAGES if name != "disk_reads"):
        assert value(usages[name].peak) > 0, name
    assert value(usages["server_memory"].average) < 1000
    assert isinstance(inside.pool, Pool)
    assert [each.name for each in inside.pool.usages] == list(POOL_USAGES)
    assert value(inside.pool.max) >= value(inside.pool.min) >= 1
    assert value(inside.pool.idle_timeout) > 0
    assert isinstance(seen.statements, Table)
    sent = {row[0]: row for row in seen.statements.rows}
    written = next(row for what, row in sent.items() if "apply" in str(what) or "write" in str(what).lower())
    assert isinstance(written[1], Figure)
    assert 0 < written[1].value <= BOOKINGS


def test_what_is_told_of_the_whole_run(place: Place) -> None:
    booked(place)
    paths = hot_paths(eyes_on(place.server, place.engine))
    assert not isinstance(paths, NotApplicable)
    told = {each.name: each.figure for each in paths}
    assert set(told) == set(HOT_PATHS)
    assert 0 < value(told["rules"]) < 50
    assert 0 < value(told["database"]) < 1000
    assert isinstance(told["availability"], NotApplicable)
    target = place.requests.search_target(
        place.requests.organization.first, place.requests.organization.patients[0]
    )
    asked(place.server, place.requests, "GET", target)
    paths = hot_paths(eyes_on(place.server, place.engine))
    assert not isinstance(paths, NotApplicable)
    assert value(paths[0].figure) > 0
    indexes = index_use(place.engine.admin_url)
    assert not isinstance(indexes, NotApplicable)
    used = {each.name: each for each in indexes}
    assert value(used["claims_pkey"].size) > 0
    assert value(used["appointments_by_clinic"].size) > 0
    assert all(0 <= value(each.share) <= 100 for each in indexes)


@pytest.mark.slow
def test_plans_are_faster_with_their_indexes(place: Place) -> None:
    pairs = {each.name: each for each in plan_pairs(place.engine, 1, 1)}
    assert set(pairs) == set(PLANS)
    for each in pairs.values():
        assert isinstance(each.before, Plan)
        assert isinstance(each.after, Plan)
        assert "Seq Scan" in each.before.text
        assert each.index.split()[0] in each.after.text
        assert each.query.startswith("select")
        assert "rows=0.00" not in each.after.text.splitlines()[0], "a query that finds nothing shows nothing"
    for name in ("room_availability", "daily_room_schedule"):
        assert value(pairs[name].ratio) > 2, "ten thousand rows, of which one or two are wanted"
    left = asyncio.run(_databases(place.engine.admin_url))
    assert not [name for name in left if name.startswith("plans")]


async def _databases(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["datname"] for row in await connection.fetch("select datname from pg_database")]
    finally:
        await connection.close()


def test_a_deadlock_and_who_waits_are_seen(place: Place) -> None:
    eyes = eyes_on(place.server, place.engine)
    with watched(eyes) as first:
        asyncio.run(_locked(place.engine.admin_url))
    locks = first.inside.locks
    assert isinstance(locks, Locks)
    assert {each.relation for each in locks.waits} >= {"clinics"}
    assert 0 < value(locks.waited) <= 100
    assert value(locks.retries) == 0
    assert value(locks.deadlocks) == 1
    assert value(locks.rollbacks) >= 1
    with watched(eyes, first) as second:
        time.sleep(0.3)
    assert value(second.deadlocks) == 0


async def _locked(url: str) -> None:
    """One waits for a table for half a second, and then two for each other."""
    one, other = [await asyncpg.connect(url) for _ in range(2)]
    for each in (one, other):
        await each.execute("set deadlock_timeout = '600ms'")
        await each.execute("begin")
    await one.execute("lock table clinics")
    await other.execute("lock table rooms")
    ends = await asyncio.gather(
        one.execute("lock table rooms"), other.execute("lock table clinics"), return_exceptions=True
    )
    assert any(isinstance(end, asyncpg.DeadlockDetectedError) for end in ends)
    # What a session has counted is handed in at its end at the latest.
    await one.close()
    await other.close()


def test_over_http_alone_the_database_is_not_applicable(place: Place) -> None:
    with watched(Eyes(metrics_of(place.server.port))) as seen:
        booked(place)
    inside = seen.inside
    assert not isinstance(inside.spans, NotApplicable)
    assert isinstance(inside.usages, NotApplicable)
    assert isinstance(inside.locks, NotApplicable)
    assert isinstance(seen.deadlocks, NotApplicable)


def test_counters_of_two_processes_are_not_compared(place: Place) -> None:
    told = iter((metrics_of(place.server.port)(), *["process_start_time_seconds 1.0\n"] * 3))
    with watched(Eyes(lambda: next(told))) as seen:
        pass
    assert isinstance(seen.counted, NotApplicable)
    assert isinstance(seen.inside.spans, NotApplicable)
    with watched(Eyes(metrics_of(serving.free_port()))) as unseen:
        pass
    assert isinstance(unseen.inside.pool, NotApplicable)

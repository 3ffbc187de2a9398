"""/metrics: what an operator's alarms are made of. Counted by what really happens, and names nobody."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, get_args

import asyncpg
import msgspec
import pytest
from api.people import Client, Organization
from api.practice import VISITS, Practice, at
from monitoring.served import LANES, samples
from prometheus_client.parser import text_string_to_metric_families

from holdfast.api.problems import STATUS
from holdfast.app import Application
from holdfast.commands.house import House
from holdfast.commands.spans import NAMES as SPANS
from holdfast.commands.transaction import BatchBroken, Transaction, TurnMoved
from holdfast.db.database import POOL_IDLE_SECONDS_MAX
from holdfast.db.spread import Spread
from holdfast.errors import OutcomeUnknown, OverloadCause

LABELS = {"method", "route", "status", "state", "code", "cause", "lane", "le", "span", "answer"}


Told = Callable[..., Awaitable[float]]


@pytest.fixture
def house(application: Application) -> House:
    assert application.house is not None
    return application.house


@pytest.fixture
def told(application: Application, client: Client, house: House) -> Told:
    """The value of a sample now, with nothing remembered of the database."""

    async def value(name: str, **labels: str) -> float:
        house.database_figures._fresh_until = 0.0
        async with client() as nobody:
            text = (await nobody.get("/metrics")).text
        found = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) == 1, f"{name} {labels}: {found}"
        return float(found[0])

    return value


async def until(told: Told, wanted: float, name: str, **labels: str) -> None:
    async with asyncio.timeout(20):
        while await told(name, **labels) != wanted:
            await asyncio.sleep(0.01)


async def test_every_label_is_of_a_closed_list(
    practice: Practice, client: Client, stranger: Organization
) -> None:
    await practice.book(at(9))
    async with client(practice.organization.tokens["admin"], **{"x-request-id": "CANARY"}) as admin:
        await admin.get(f"{VISITS}/{stranger.id}")
        await admin.post(f"{VISITS}?CANARY=1", json={"CANARY": 1})
        text = (await admin.get("/metrics")).text
    families = list(text_string_to_metric_families(text))
    assert {label for each in families for sample in each.samples for label in sample.labels} <= LABELS
    assert all(each.documentation for each in families)
    for private in (
        practice.organization.id,
        stranger.id,
        *practice.made.values(),
        "CANARY",
        "holdfast.test",
    ):
        assert private not in text


async def test_lanes_tell_who_travelled_how_long_and_together(practice: Practice, told: Told) -> None:
    carried = await told("holdfast_lane_seconds_count", lane="changes")
    seconds = await told("holdfast_lane_seconds_sum", lane="changes")
    travelled = await told("holdfast_lane_batch_requests_sum", lane="changes")
    await asyncio.gather(*(practice.book(at(hour)) for hour in (9, 11, 13)))
    assert await told("holdfast_lane_seconds_count", lane="changes") - carried == 3
    assert await told("holdfast_lane_seconds_sum", lane="changes") > seconds
    assert await told("holdfast_lane_batch_requests_sum", lane="changes") - travelled == 3
    assert await told("holdfast_lane_batch_requests_count", lane="changes") > 0
    await practice.admin.get(VISITS)
    assert await told("holdfast_lane_seconds_count", lane="pages") == 1
    for lane in LANES:
        assert await told("holdfast_lane_waiting", lane=lane) == 0


async def test_the_spans_of_a_booking_add_up_to_its_time(practice: Practice, told: Told) -> None:
    visits = {"method": "POST", "route": "/api/v1/appointments"}
    await practice.book(at(9))
    seconds = await told("holdfast_request_seconds_sum", **visits)
    before = {span: await told("holdfast_span_seconds_sum", span=span) for span in SPANS}
    counts = {span: await told("holdfast_span_seconds_count", span=span) for span in SPANS}
    for hour in (10, 11, 12, 13, 14):
        await practice.book(at(hour))
    seconds = await told("holdfast_request_seconds_sum", **visits) - seconds
    spent = {span: await told("holdfast_span_seconds_sum", span=span) - before[span] for span in SPANS}
    for span in ("authenticate", "lane", "facts", "decide", "rules", "ahead", "write", "committing"):
        assert await told("holdfast_span_seconds_count", span=span) - counts[span] == 5, span
        assert spent[span] > 0, span
    assert spent["rules"] < spent["decide"]
    together = sum(spent.values()) - spent["rules"]
    assert seconds / 3 < together < seconds, "the rest is HTTP and waiting for the processor"


async def test_the_spans_of_each_request_of_a_batch_add_up_to_its_time(practice: Practice) -> None:
    body = [practice.booking(at(8 + n / 2), duration_minutes=30) for n in range(20)]
    answers = await asyncio.gather(*(practice.admin.post(VISITS, json=each) for each in body))
    assert {each.status_code for each in answers} <= {201, 409}
    assert any(each.status_code == 201 for each in answers)
    for each in answers:
        spans = dict(part.split(";dur=") for part in each.headers["server-timing"].split(", "))
        total = float(spans.pop("total"))
        assert total / 3 < sum(map(float, spans.values())) < total + 0.1, spans


async def test_a_refusal_tells_how_long_its_explanation_took(practice: Practice, told: Told) -> None:
    await practice.book(at(9))
    assert await told("holdfast_span_seconds_count", span="explain") == 0
    await practice.refused(at(9))
    assert await told("holdfast_span_seconds_count", span="explain") == 1


async def test_what_memory_answered_about_rules_is_told(practice: Practice, told: Told, house: House) -> None:
    for hour in (9, 11):
        await practice.book(at(hour))
    assert await told("holdfast_policy_cache_total", answer="hit") == house.policy_cache.hits > 0
    assert await told("holdfast_policy_cache_total", answer="miss") == house.policy_cache.misses


async def test_who_waits_in_a_lane_is_told(practice: Practice, told: Told, house: House) -> None:
    owner = await asyncpg.connect(house.settings.database_admin_url)
    try:
        async with owner.transaction():
            await owner.execute(
                "select from turns where organization_id = $1 for update", practice.organization.id
            )
            first = asyncio.create_task(practice.book(at(9)))
            await until(told, 1, "holdfast_database_waiting")
            second = asyncio.create_task(practice.book(at(11)))
            await until(told, 1, "holdfast_lane_waiting", lane="changes")
        await asyncio.gather(first, second)
    finally:
        await owner.close()
    assert await told("holdfast_lane_waiting", lane="changes") == 0


async def test_refusals_are_counted_by_their_code(practice: Practice, told: Told) -> None:
    for code in STATUS:
        assert await told("holdfast_refusals_total", code=code) == 0
    await practice.book(at(9))
    await practice.refused(at(9))
    await practice.admin.get(f"{VISITS}/nothing")
    assert await told("holdfast_refusals_total", code="practitioner_conflict") == 1
    assert await told("holdfast_refusals_total", code="not_found") == 1


async def test_overloads_are_counted_by_their_cause(practice: Practice, told: Told, house: House) -> None:
    for cause in get_args(OverloadCause):
        assert await told("holdfast_overloads_total", cause=cause) == 0
    await practice.book(at(9))
    house.lanes._settings = msgspec.structs.replace(house.settings, lane_queue_requests_max=0)
    for lane in house.lanes._lanes.values():
        lane._settings = house.lanes._settings
    refused = await practice.admin.post(VISITS, json=practice.booking(at(11)))
    assert practice.problem(refused, 503)["code"] == "overloaded"
    assert await told("holdfast_overloads_total", cause="lane_full") == 1
    assert await told("holdfast_refusals_total", code="overloaded") == 1


async def test_an_unknown_outcome_is_counted(
    practice: Practice, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await told("holdfast_outcomes_unknown_total") == 0
    monkeypatch.setattr(Transaction, "_write", _failing(OutcomeUnknown("a batch"), _never))
    answer = await practice.admin.post(VISITS, json=practice.booking(at(9)))
    assert practice.problem(answer, 503)["code"] == "outcome_unknown"
    assert await told("holdfast_outcomes_unknown_total") == 1


async def _never(*_arguments: Any, **_named: Any) -> None:
    raise AssertionError("it is written once")


def _failing(error: Exception, then: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    left = [error]

    async def write(*arguments: Any, **named: Any) -> None:
        if left:
            raise left.pop()
        await then(*arguments, **named)

    return write


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        ("turn_moved", TurnMoved()),
        ("batch_broken", BatchBroken()),
        ("connection_lost", ConnectionError()),
    ],
)
async def test_what_is_decided_again_is_counted(
    practice: Practice, told: Told, monkeypatch: pytest.MonkeyPatch, cause: str, error: Exception
) -> None:
    assert await told("holdfast_decided_again_total", cause=cause) == 0
    monkeypatch.setattr(Transaction, "_write", _failing(error, Transaction._write))
    await practice.book(at(9))
    assert await told("holdfast_decided_again_total", cause=cause) == 1


async def test_a_deadlock_of_anybody_in_the_database_is_told(told: Told, house: House) -> None:
    before = await told("holdfast_database_deadlocks_total")
    one, other = [await asyncpg.connect(house.settings.database_admin_url) for _ in range(2)]
    for key, each in enumerate((one, other)):
        await each.execute("set deadlock_timeout = '10ms'")
        await each.execute("begin")
        await each.execute(f"select pg_advisory_xact_lock({key})")
    ends = await asyncio.gather(
        one.execute("select pg_advisory_xact_lock(1)"), other.execute("select pg_advisory_xact_lock(0)"),
        return_exceptions=True,
    )  # fmt: skip
    assert any(isinstance(end, asyncpg.DeadlockDetectedError) for end in ends)
    await one.close()
    await other.close()
    await until(told, before + 1, "holdfast_database_deadlocks_total")
    assert await told("holdfast_database_rollbacks_total") > 0
    assert await told("holdfast_database_commits_total") > 0
    assert await told("holdfast_database_connections") > 0
    assert await told("holdfast_database_up") == 1


async def test_the_database_is_asked_once_for_many(client: Client, house: House) -> None:
    await house.database_figures.look()
    seen, house.database_figures.last = house.database_figures.last, None
    async with client() as nobody:
        assert "holdfast_database_up 1.0" in (await nobody.get("/metrics")).text
    assert seen is not None
    assert house.database_figures.last is None


async def test_without_its_database_it_still_tells(told: Told, house: House) -> None:
    deadlocks = await told("holdfast_database_deadlocks_total")
    await house.database.close()
    assert await told("holdfast_database_up") == 0
    assert await told("holdfast_database_deadlocks_total") == deadlocks


async def test_the_pool_tells_who_is_busy_and_who_waits(
    client: Client, told: Told, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing() -> None:
        """The pool is this test's."""

    most = house.settings.pool_connections_max
    monkeypatch.setattr(house.database_figures, "look", nothing)
    async with AsyncExitStack() as held:
        for _ in range(most):
            await held.enter_async_context(house.database.any())
        late = asyncio.create_task(held.enter_async_context(house.database.any()))
        await until(told, 1, "holdfast_pool_waiting")
        busy = await told("holdfast_pool_connections", state="busy")
        assert busy == await told("holdfast_pool_connections_max") == most
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
    assert await told("holdfast_pool_waiting") == 0
    assert await told("holdfast_pool_seconds_count") > most
    assert await told("holdfast_pool_connections_min") == 1
    assert await told("holdfast_pool_idle_seconds_max") == POOL_IDLE_SECONDS_MAX


async def test_open_streams_are_told(
    application: Application, told: Told, organization: Organization
) -> None:
    assert application._door is not None
    listener = await application._door._hub.listen(organization.id)
    assert await told("holdfast_live_listeners") == 1
    listener.close()
    assert await told("holdfast_live_listeners") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
async def test_the_process_tells_what_it_takes(told: Told) -> None:
    assert await told("process_resident_memory_bytes") > 10e6
    assert await told("process_cpu_seconds_total") > 0


def test_a_spread_counts_at_or_below_each_bound() -> None:
    spread = Spread((1, 2, 4))
    for value in (0, 1, 1.5, 4, 5):
        spread.add(value)
    assert (spread.counts, spread.sum) == ([2, 1, 1, 1], 11.5)


async def test_alarms_are_checked_against_what_is_served(client: Client) -> None:
    async with client() as nobody:
        await nobody.get("/health/live")
        text = (await nobody.get("/metrics")).text
    served = {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert served == {(name, tuple(sorted(labels.items()))) for name, labels in samples()}

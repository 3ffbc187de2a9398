"""Whether this process lives, wants work, and what it has counted. Public, so it names nobody and no detail."""

from typing import Literal

import msgspec

from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.problems import Problem
from holdfast.commands.metrics import Now, Pool
from holdfast.db.database import POOL_IDLE_SECONDS_MAX

_TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class Health(msgspec.Struct):
    """`live`: the process answers. `ready`: it can do its work and wants it."""

    status: Literal["live", "ready"]


async def live(ask: Ask[NoFields, None]) -> Answer:
    return Answer(Health("live"))


async def ready(ask: Ask[NoFields, None]) -> Answer:
    problems = await ask.house.readiness.problems()
    if problems:
        raise Problem(
            "not_ready", "This process should not be given work now.", headers={"Retry-After": "3"},
            problems=list(problems),
        )  # fmt: skip
    return Answer(Health("ready"))


async def metrics(ask: Ask[NoFields, None]) -> Answer:
    house, pool = ask.house, ask.house.database.pool
    await house.database_figures.look()
    now = Now(
        tokens_known=len(house.identity.known),
        pool=Pool(
            connections=pool.get_size(), idle=pool.get_idle_size(), least=pool.get_min_size(), most=pool.get_max_size(),
            idle_seconds_max=POOL_IDLE_SECONDS_MAX, waiting=house.database.waiting, acquisitions=house.database.acquisitions,
        ),
        listeners=ask.hub.listeners_count,
        policy_cache=house.policy_cache, lanes=house.lanes_by_kind, database_is_up=house.database_figures.is_up, database=house.database_figures.last,
    )  # fmt: skip
    return Answer(house.metrics.text(now), media_type=_TEXT_FORMAT)


ROUTES = (
    Route("GET", "/health/live", live, None, "Is the process alive", answer=Health, tag="operation"),
    Route(
        "GET", "/health/ready", ready, None, "Should the process be given work", answer=Health,
        refusals=("not_ready",), tag="operation",
    ),
    Route(
        "GET", "/metrics", metrics, None, "Counters in Prometheus' text format", answer=str,
        media_type="text/plain", tag="operation",
    ),
)  # fmt: skip

"""Whether this process lives, wants work, and what it has counted. Public, so it names nobody and no detail."""

from typing import Literal

import msgspec

from holdfast.api.door import Answer, Ask, NoFields, Route
from holdfast.api.problems import Problem

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
    pool, identity = ask.house.database.pool, ask.house.identity
    text = ask.house.metrics.text(len(identity.known), pool.get_size(), pool.get_idle_size())
    return Answer(text, media_type=_TEXT_FORMAT)


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

"""What remembering policies and rooms spares: how often memory answered during the bench, and what asking storage costs."""

import json
import time
from statistics import median

import asyncpg
import msgspec

from holdfast.proof.bench.data import Requests
from holdfast.proof.bench.search import asked
from holdfast.proof.serving import Server
from holdfast.proof.statements import statement

_READS = 50


class CacheEffect(msgspec.Struct, frozen=True, kw_only=True):
    """`hits` and `misses` of the server's process since it started: each hit is a query that was not sent. `query_ms`: such
    a query, median of `reads`; `query_bytes`: what it answers."""

    hits: int
    misses: int
    hit_rate: float
    reads: int
    query_ms: float
    query_bytes: int


async def cache_effect(admin_url: str, server: Server, requests: Requests) -> CacheEffect:
    counted = asked(server, requests, "GET", "/api/v1/policies/cache")
    connection = await asyncpg.connect(admin_url)
    try:
        took: list[float] = []
        document = ""
        for _ in range(_READS):
            began = time.perf_counter()
            document = await connection.fetchval(statement("directory_of"), requests.organization_id)
            took.append((time.perf_counter() - began) * 1e3)
    finally:
        await connection.close()
    if not json.loads(document)["policies"]:
        raise RuntimeError("the organization that books has no policy")
    return CacheEffect(
        hits=counted["hits"], misses=counted["misses"], hit_rate=round(counted["hit_rate"], 6), reads=_READS,
        query_ms=round(median(took), 2), query_bytes=len(document),
    )  # fmt: skip

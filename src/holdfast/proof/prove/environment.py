"""On what a proof ran, in words: what the seeds ask of a test environment."""

import os
import platform
import time
from statistics import median

import asyncpg

from holdfast.db.database import CONNECTION_LOST
from holdfast.proof.evidence.database import hot_paths, index_use
from holdfast.proof.evidence.plans import plan_pairs
from holdfast.proof.evidence.watched import Eyes
from holdfast.proof.machine import Machine
from holdfast.proof.prove.client import Client
from holdfast.proof.prove.place import Place, Progress, facts_of
from holdfast.proof.prove.watching import HTTP_ONLY
from holdfast.proof.report import model
from holdfast.proof.report.model import NotApplicable
from holdfast.settings import Settings

_ROUND_TRIPS = 50


def database_of(
    place: Place, eyes: Eyes, weeks: int, seed: int, say: Progress
) -> model.Database | NotApplicable:
    """Settings, plans before and after, indexes and hot paths, when the scenarios are over. `weeks`: of visits for the plans."""
    if place.admin_url is None or place.engine is None:
        return NotApplicable(reason=HTTP_ONLY)
    try:
        found = facts_of(place.admin_url)
        # Before the plans, whose queries are none of the product's.
        indexes, paths = index_use(place.admin_url), hot_paths(eyes)
        say("comparing plans with and without indexes")
        plans = plan_pairs(place.engine, weeks, seed)
    except (*CONNECTION_LOST, asyncpg.PostgresError):
        return NotApplicable(reason="The database could not be asked any more when the scenarios were over.")
    return model.Database(
        version=found.version, settings=found.settings, plans=plans, indexes=indexes, hot_paths=paths
    )


def facts(place: Place, of: Machine) -> tuple[model.Fact, ...]:
    """Those of `blanks.ENVIRONMENT`. `of`: the machine before the load."""
    elsewhere = NotApplicable(reason="The installation runs elsewhere and does not tell.")
    is_ours = place.engine is not None
    said: dict[str, model.Words] = {
        "database_instance": "PostgreSQL on the embedded engine, on this machine" if is_ours else elsewhere,
        "storage": f"{of.file_system}, a flush of a page in {of.fdatasync_median_ms} ms (median)" if is_ours else elsewhere,
        "connection_pooling": f"the server's own pool, up to {Settings().pool_connections_max} connections" if is_ours else elsewhere,
        "platform": f"{of.processors} processors: {of.processor}" if is_ours else elsewhere,
        "runtime": f"{of.python}, uvicorn with uvloop and httptools" if is_ours else elsewhere,
        "workers": f"{Settings().workers} server process" if is_ours else elsewhere,
        "memory": f"{of.memory_mb} MB in this machine",
        "network_latency": f"{_round_trip_ms(place):.2f} ms there and back (median of {_ROUND_TRIPS} requests)",
        "network_bandwidth": NotApplicable(reason="Client and server share one machine: loopback has no bandwidth of its own.")
        if is_ours else NotApplicable(reason="It was not measured: the load is far below what a network carries."),
        "operating_system": f"{platform.system()} {platform.release()}, {os.cpu_count() or 1} processors",
        "database_schema": "as this version migrates it" if is_ours else elsewhere,
    }  # fmt: skip
    return tuple(model.Fact(name=name, value=value) for name, value in said.items())


def _round_trip_ms(place: Place) -> float:
    took = []
    with Client(place.address) as client:
        for _ in range(_ROUND_TRIPS):
            began = time.perf_counter()
            client.send("GET", "/health/live")
            took.append((time.perf_counter() - began) * 1e3)
    return median(took)

"""Isolation: the same contention for one authorization kept exact in three ways, and what each of them costs."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from holdfast.db import engine as embedded
from holdfast.db.engine import Engine
from holdfast.proof import isolation, pgbench
from holdfast.proof.isolation import UNITS, Isolation
from holdfast.proof.machine import Meter
from holdfast.proof.prove import units
from holdfast.proof.prove.organization import Furniture
from holdfast.proof.prove.seen import named, threshold, timing
from holdfast.proof.prove.stage import P99_SAMPLES, About, Scale, Stage, furnished, scenario
from holdfast.proof.report import model
from holdfast.proof.report.figures import count, figure, share
from holdfast.proof.report.model import Cell, NotApplicable
from holdfast.proof.statements import statement
from holdfast.proof.statistics import latency

ABOUT = About(
    name="isolation", title="Isolation", reference="002: does SERIALIZABLE prevent race conditions, and at what cost?",
    purpose="One authorization asked for by all clients at once: kept exact by SERIALIZABLE with retries, by a row lock, and by "
    "the turn with its lanes, which is what the product does.",
    asked="the isolation of transactions validated under load",
)  # fmt: skip
_SECONDS_MAX = 300.0
WAYS = 3


def run(stage: Stage, scale: Scale) -> model.Scenario:
    """`scale.seconds` says how many are grantable, as `isolation.GRANTS_PER_SECOND` of each; through the lanes at the least as
    many as a p99 needs."""
    began = datetime.now(UTC)
    grantable = max(P99_SAMPLES, round(isolation.GRANTS_PER_SECOND * scale.seconds))
    engine = stage.place.engine
    ways: list[Isolation] = []
    if engine is not None:
        stage.say("SERIALIZABLE with retries, then a row lock")
        asyncio.run(_tables(engine))
        ways = isolation.direct(engine, scale.users, round(isolation.GRANTS_PER_SECOND * scale.seconds))
    furniture = Furniture(name="isolation", practitioners=1, patients=5, authorizations=(grantable * UNITS,))
    with stage.organization(furniture) as of, of.signed_in() as admin:
        plans = units.Units(units.accounts(of, admin.token), stage.seed, ABOUT.name)
        asked = plans.one(grantable + scale.users, UNITS)
        closed = Scale(users=scale.users, seconds=_SECONDS_MAX)
        with stage.watching() as watch:
            meter = _meter(stage)
            seen = stage.drive(asked, stage.plan(asked, closed, status=200, also=409))
            cost = None if meter is None else meter.read()
        left = admin.got(f"/authorizations/{of.authorizations[0]}")
        checked = stage.checked([of], seen.operations)
    is_exact = seen.granted == grantable and left["scheduled_units"] == grantable * UNITS
    each = 1e6 / max(1, seen.granted)
    ways.append(
        Isolation(
            name="the turn, in lanes", clients=scale.users, grantable=grantable, granted=seen.granted, refused=seen.refused,
            retries=0, per_second=round(seen.per_second, 1), latency=latency(seen.latencies()),
            client_us=round((0.0 if cost is None else cost.server) * each, 1),
            database_us=round((0.0 if cost is None else cost.database) * each, 1), is_exact=is_exact,
        )
    )  # fmt: skip
    asked_for = timing("reserve", "a reservation through the turn with its lanes", seen.latencies())
    wrong = count(sum(not way.is_exact for way in ways), len(ways))
    return scenario(
        ABOUT, closed, seen, checked, watch, stage=stage, began=began, data=furnished(of), timings=[asked_for],
        windows=[model.Window(what="units that are asked for in each way", rows=grantable * UNITS)],
        floors=[model.Floor(what="reservations granted, as many as there are units for", least=grantable, reached=seen.granted)],
        figures=[
            named("overbooked", "ways in which not exactly as many were granted as there are", wrong),
            named("ways", "ways that were tried", count(len(ways), WAYS)),
        ],
        thresholds=[
            threshold("overbooked", "ways that were not exact", "exactly", 0, "count", wrong, ABOUT.reference, is_law=True),
            threshold("overbooked_stored", "authorizations promised twice", "exactly", 0, "count", checked.overbooked,
                      ABOUT.reference, is_law=True),
        ],
        tables=(_table(ways, has_costs=cost is not None),),
    )  # fmt: skip


async def _tables(engine: Engine) -> None:
    """The yardsticks' database and tables, once."""
    connection = await asyncpg.connect(engine.admin_url)
    try:
        await connection.execute(statement("create_database"))
    except asyncpg.DuplicateDatabaseError:
        return
    finally:
        await connection.close()
    connection = await asyncpg.connect(engine.url_for(embedded.OWNER, engine.password, pgbench.DATABASE))
    try:
        await connection.execute(statement("yardstick_tables"))
    finally:
        await connection.close()


def _meter(stage: Stage) -> Meter | None:
    server, database = stage.place.server_pid, stage.place.postmaster_pid
    return None if server is None or database is None else Meter(server, database)


def _table(ways: Sequence[Isolation], *, has_costs: bool) -> model.Table:
    elsewhere = NotApplicable(reason="What a server elsewhere costs is not known.")

    def cell(milliseconds: float | None, n: int) -> Cell:
        if milliseconds is None:
            return NotApplicable(reason=f"{n} samples are too few for it.")
        return figure(milliseconds, "ms", n)

    return model.Table(
        name="ways", title="Three ways to be exact",
        columns=("way", "clients", "granted", "refused", "retried", "retries for each grant", "granted a second", "p50", "p95", "p99",
                 "client or server, each", "database, each", "exact"),
        rows=tuple(
            (
                way.name, count(way.clients, way.clients), count(way.granted, way.grantable), count(way.refused, max(1, way.refused)),
                count(way.retries, max(1, way.latency.n)), share(way.retries, way.granted),
                figure(way.per_second, "per_second", max(1, way.granted)),
                *(cell(at, way.latency.n) for at in (way.latency.p50_ms, way.latency.p95_ms, way.latency.p99_ms)),
                figure(way.client_us, "us", max(1, way.granted)) if has_costs else elsewhere,
                figure(way.database_us, "us", max(1, way.granted)) if has_costs else elsewhere,
                "yes" if way.is_exact else "no",
            )
            for way in ways
        ),
        note="The first two speak to the database themselves, without HTTP, tenants, audit or events; the third is the product "
        "with all of that. A serializable transaction that fails is an abort, and is begun again.",
    )  # fmt: skip

"""The plans of the four queries that the seeds ask about, on the same data with the product's indexes and without any: in two
databases of their own, beside the product's in its cluster, gone afterwards.
"""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import asyncpg

from holdfast import secrets
from holdfast.db.engine import OWNER, SERVER_ROLE, Engine
from holdfast.db.migrate import migrate
from holdfast.proof.bench import data
from holdfast.proof.report.figures import figure
from holdfast.proof.report.model import Figure, NotApplicable, Plan, PlanPair
from holdfast.proof.statements import statement
from holdfast.settings import Settings

_WITH, _WITHOUT = "plans_with_indexes", "plans_without_indexes"
_RUNS: Final = 5
_CLINICS, _ROOMS_EACH, _PATIENTS_EACH, _WEEK_VISITS = 100, 10, 20, 100
_TOOK: Final = re.compile(r"^Execution Time: ([0-9.]+) ms$", re.MULTILINE)
_EXPLAIN: Final = "explain (analyze, buffers, costs off)\n"


class _Query(NamedTuple):
    """`values` are what it is asked with, after the organization."""

    name: str
    what: str
    table: str
    by: str
    values: tuple[Any, ...]


def plan_pairs(engine: Engine, weeks: int, seed: int) -> tuple[PlanPair, ...]:
    """Each query before and after, on so many weeks of visits: 10,000 a week in 100 clinics of 10 rooms."""
    return asyncio.run(_compared(engine, weeks, seed))


async def _compared(engine: Engine, weeks: int, seed: int) -> tuple[PlanPair, ...]:
    cluster = await asyncpg.connect(engine.admin_url)
    try:
        await _dropped(cluster)
        await cluster.execute(statement("evidence/plans_database"))
        made = await _furnished(engine, weeks, seed)
        await cluster.execute(statement("evidence/plans_copy"))
        with_indexes = await _explained(engine, _WITH, made)
        without = await _explained(engine, _WITHOUT, made)
        return tuple(
            _pair(query, rows, plain, indexed)
            for query, rows, plain, indexed in zip(
                _queries(made), with_indexes.rows, without.plans, with_indexes.plans, strict=True
            )
        )
    finally:
        await _dropped(cluster)
        await cluster.close()


async def _dropped(cluster: Any) -> None:
    for name in ("plans_drop_copy", "plans_drop"):
        await cluster.execute(statement(f"evidence/{name}"))


async def _furnished(engine: Engine, weeks: int, seed: int) -> data.Organization:
    """The product's schema, and an organization with visits. Leaves no connection: the database will be copied."""
    url, password = _url(engine, _WITH), secrets.server_password(engine.home)
    await migrate(url, SERVER_ROLE, password, lambda _text: None, Settings())
    size = data.Size(
        name="plans", clinics=_CLINICS, patients_each=_PATIENTS_EACH, weeks=weeks, minutes=60, rooms_each=_ROOMS_EACH,
        week_visits=_WEEK_VISITS,
    )  # fmt: skip
    connection = await asyncpg.connect(url)
    try:
        # Nothing here is ever opened, so any key will do.
        key = bytes(32)
        made = await data.make(connection, size, key, data.monday(datetime.now(UTC)), seed)
        await data.visits(connection, made)
        await connection.execute(statement("evidence/plans_variety"), made.id)
    finally:
        await connection.close()
    return made


def _queries(made: data.Organization) -> tuple[_Query, ...]:
    clinic, room, monday = made.clinics[7], made.rooms[7 * _ROOMS_EACH + 4], made.stored_from
    until = monday.replace(hour=18)
    by_clinic = "rooms_number_key (clinic_id, number, organization_id)"
    return (
        _Query(
            "room_availability", "whether a room is free in a span", "claims",
            "claims_pkey (organization_id, resource_id, starts_at, seat)", (room, monday, until),
        ),
        _Query("available_rooms", "the rooms of a clinic that are in use", "rooms", by_clinic, (clinic,)),
        _Query(
            "daily_room_schedule", "what takes place in a room on a day", "appointments",
            "appointments_by_clinic (clinic_id, organization_id, starts_at, id)", (clinic, room, monday),
        ),
        _Query("room_type_filter", "the rooms of a clinic that are of one type", "rooms", by_clinic, (clinic, "gym")),
    )  # fmt: skip


class _Explained(NamedTuple):
    """In the order of the queries: how many rows their tables have, and their plans."""

    rows: tuple[int, ...]
    plans: tuple[Plan, ...]


async def _explained(engine: Engine, name: str, made: data.Organization) -> _Explained:
    connection = await asyncpg.connect(_url(engine, name))
    try:
        if name == _WITHOUT:
            await connection.execute(statement("evidence/plans_without_indexes"))
        await connection.execute(statement("evidence/plans_analyze"))
        counts = dict(await connection.fetchrow(statement("evidence/plans_counts")) or {})
        await connection.execute(statement("evidence/as_server").replace("{organization}", made.id))
        plans = [await _plan(connection, made, query) for query in _queries(made)]
    finally:
        await connection.close()
    return _Explained(tuple(counts[query.table] for query in _queries(made)), tuple(plans))


async def _plan(connection: Any, made: data.Organization, query: _Query) -> Plan:
    """The run of median time, of a few."""
    runs = []
    for _ in range(_RUNS):
        rows = await connection.fetch(statement(f"evidence/{query.name}"), made.id, *query.values)
        text = "\n".join(row[0] for row in rows)
        found = _TOOK.search(text)
        if found is None:
            raise RuntimeError(f"the plan of {query.name} tells no time")
        runs.append((float(found[1]), text))
    took, text = sorted(runs)[_RUNS // 2]
    return Plan(text=text, time=figure(took, "ms", _RUNS))


def _pair(query: _Query, rows: int, before: Plan, after: Plan) -> PlanPair:
    text = statement(f"evidence/{query.name}")
    return PlanPair(
        name=query.name, what=query.what, query=text.partition(_EXPLAIN)[2].strip(), index=query.by, rows=rows,
        before=before, after=after, ratio=_ratio(before, after),
    )  # fmt: skip


def _ratio(before: Plan, after: Plan) -> Figure | NotApplicable:
    if not (isinstance(before.time, Figure) and isinstance(after.time, Figure) and after.time.value):
        return NotApplicable(reason="With its index it took no time that could be told.")
    return figure(before.time.value / after.time.value, "ratio", _RUNS)


def _url(engine: Engine, database: str) -> str:
    return engine.url_for(OWNER, engine.password, database)

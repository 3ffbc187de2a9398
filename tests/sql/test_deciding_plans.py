"""How many pages each deciding read touches, as the service role with its policies on: a bound by what is asked and
found and never by how much there is, on an empty database, a fresh one, one whose statistics are of an empty one,
and a large one. No tenant table is read whole, not by a statement inside a function and not by a foreign key's check.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from sql.calendar_fill import A_DAY, FIRST, ROOMS, Filled, fill, organization

from holdfast import ids
from holdfast.actor import Actor, Asked
from holdfast.commands import bodies, rows
from holdfast.commands.claims_kept import ClaimsKept
from holdfast.commands.look_up import PageWish
from holdfast.db.keeping import Keeping
from holdfast.db.statements import statement
from holdfast.db.written import GoneClaim, MovedClaim
from holdfast.rules.facts import Line, Visit
from holdfast.rules.timetable import Claim
from holdfast.slot import DAY, local_date, moment, rfc3339

DESCENT = 4
"""Pages from the root of a btree of some millions of entries to its leaf."""
LARGE = 100_000


class Watched:
    """A session of the service role in which every statement, those inside functions too, tells its plan."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.plans = connection, list[dict[str, Any]]()
        connection.add_log_listener(self._hear)

    @classmethod
    async def open(cls, database: Any) -> "Watched":
        connection = await asyncpg.connect(database.admin_url)
        for name, value in (
            ("log_min_duration", "-1"), ("log_analyze", "on"), ("log_buffers", "on"), ("log_format", "json"),
            ("log_nested_statements", "on"), ("log_timing", "off"),
        ):  # fmt: skip
            await connection.execute(f"load 'auto_explain'; set auto_explain.{name} = {value}")
        await connection.execute("set client_min_messages = log; set role holdfast_server")
        return cls(connection)

    def _hear(self, _connection: Any, message: Any) -> None:
        _, found, plan = message.message.partition("plan:\n")
        if found:
            self.plans.append(json.loads(plan))

    async def listen(self, *, on: bool) -> None:
        await self.connection.execute(
            f"reset role; set auto_explain.log_min_duration = {0 if on else -1}; set role holdfast_server"
        )
        await asyncio.sleep(0)
        self.plans.clear()

    async def begin(self, organization: str) -> None:
        await self.connection.execute(statement("begin_writing").replace("{organization}", organization))

    async def close(self) -> None:
        await self.connection.close()


def touched(plan: dict[str, Any]) -> int:
    return int(plan["Plan"].get("Shared Hit Blocks", 0) + plan["Plan"].get("Shared Read Blocks", 0))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def read_whole(plans: list[dict[str, Any]]) -> set[str]:
    """Tables read from end to end. Not `turns`: one page, vacuumed and counted at every fiftieth change, may be."""
    return {
        node["Relation Name"]
        for plan in plans
        for node in nodes(plan["Plan"])
        if node["Node Type"] in ("Seq Scan", "Parallel Seq Scan")
        and (node["Relation Name"] != "turns" or "facts" in plan["Query Text"])
    }


def wish(**given: Any) -> str:
    fields: dict[str, Any] = {"skip": 0, "take": 50, "count_max": 10_001} | given
    return msgspec.json.encode([PageWish(**fields)]).decode()


def reads(
    made: Filled, visits: list[str], visits_of_a_day: int, seq: int
) -> Iterator[tuple[str, str, int, tuple[Any, ...]]]:
    """What is read, by which statement, how many pages it may touch and why, and its arguments."""
    organization, day = made.organization, made.middle
    span, on = (moment(day), moment(day + DAY)), local_date(day, "UTC")
    everyone = [*made.rooms, *made.practitioners, *made.patients[:2]]
    # Each resource: a descent, and the heap page of each of its ten claims of the day and of the 26 hours before it,
    # since one of those could reach into it. Each visit: itself, its line and its patient. Each patient: the row, and
    # an authorization through its index; counts of two weeks, a row a day. A hold and a contact: a descent each.
    facts = (
        20
        + 3 * DESCENT
        + len(everyone) * (DESCENT + 22)
        + len(visits) * 5 * DESCENT
        + 2 * 4 * DESCENT
        + 2 * DESCENT
        + 2 * (DESCENT + 13)
    )
    arguments: tuple[Any, ...] = (
        organization, visits, made.patients[:2], [], [made.clinic], [made.clinic], [made.clinic] * 2,
        ["key 1", "no such"], made.patients[:2], [on - timedelta(days=6)] * 2, [on + timedelta(days=6)] * 2, everyone,
        [day] * len(everyone), [day + DAY] * len(everyone),
    )  # fmt: skip
    yield "facts", "facts", facts, arguments
    yield "facts in the turn", "facts_in_turn", facts + 20, arguments
    asked = everyone[:22]
    in_way = 20 + len(asked) * (DESCENT + 22 + 10 * DESCENT)
    yield "claims in the way", "claims_in_way", in_way, (
        organization, list(range(len(asked))), ["room"] * len(asked), asked, [span[0]] * len(asked),
        [span[1]] * len(asked), [None] * len(asked),
    )  # fmt: skip
    times = {"range_start": rfc3339(day), "range_end": rfc3339(day + DAY)}
    # A day of the clinic is read through its index: a heap page per visit at most, and those shown by their patients.
    a_day = 40 + 3 * visits_of_a_day + 50 * DESCENT
    for name, given in (
        ("day", {}), ("room", {"room": made.rooms[0]}), ("status", {"statuses": ["confirmed"]}),
        ("unassigned", {"without_room": True}), ("practitioner", {"practitioner": made.practitioners[0]}),
        ("patient", {"patient": made.patients[0]}),
        ("both", {"patient": made.patients[0], "practitioner": made.practitioners[0]}),
    ):  # fmt: skip
        who = "patient" in given or "practitioner" in given
        page = wish(clinics=None if who else [made.clinic], **times, **given)
        yield (
            f"page by {name}",
            "appointments_pages",
            a_day if not who else 60 + 20 * 3 * DESCENT,
            (organization, page),
        )
    yield "calendar", "calendar", 80 + 20 * visits_of_a_day, (organization, made.clinic, *span, None, 2001)
    yield "visits by id", "appointments_by_id", 5 + len(visits) * 5 * DESCENT, (organization, visits)
    yield "events", "events_after", 20 + 20 * 5 * DESCENT, (organization, max(seq - 1000, 0), 20)
    yield "changes", "changes_since", 20 + 20 * DESCENT, (organization, max(seq - 1000, 0), 20)
    yield "key", "find_key", 2 * DESCENT, (organization, made.clinic, "key 7")
    yield "batch", "find_batch", 2 * DESCENT, (organization, ids.new())
    yield "turn", "take_turn", 3 * DESCENT, (organization,)


PLAIN = frozenset({"key", "batch", "turn"})
"""Not pinned by a function: what a session planned for an empty table it plans anew once that is counted again."""


async def measured(watched: Watched, owner: Any, made: Filled, state: str) -> None:
    """Each read, past the point where the driver's statement gets its one plan."""
    day = (made.organization, moment(made.middle), moment(made.middle + DAY))
    found = await owner.fetch(
        "select id::text from appointments where organization_id = $1 and starts_at >= $2 and starts_at < $3",
        *day,
    )
    seq = await owner.fetchval("select seq from turns where organization_id = $1", made.organization)
    visits = [row["id"] for row in found][:3]
    for what, name, most, arguments in reads(made, visits, len(found), seq):
        if what in PLAIN and "empty" in state:
            continue
        await watched.listen(on=False)
        await watched.begin(made.organization)
        for _ in range(6):
            await watched.connection.fetch(statement(name), *arguments)
        await watched.connection.execute("rollback")
        await watched.listen(on=True)
        await watched.begin(made.organization)
        await watched.connection.fetch(statement(name), *arguments)
        await watched.connection.execute("rollback")
        assert watched.plans, what
        assert read_whole(watched.plans) == set(), (what, state)
        assert max(map(touched, watched.plans)) <= most, (what, state, max(map(touched, watched.plans)), most)


@pytest.fixture
async def owner(database: Any) -> Any:
    connection = await asyncpg.connect(database.admin_url)
    yield connection
    await connection.close()


@pytest.mark.unpartitioned
@pytest.mark.parametrize("counted", [False, True], ids=["never counted", "counted when empty"])
async def test_reads_of_a_young_database_touch_what_they_find(
    database: Any, owner: Any, counted: bool
) -> None:
    made = await organization(owner, patients=200)
    if counted:
        await owner.execute("analyze")
    old = await Watched.open(database)
    await measured(old, owner, made, "empty")
    await fill(owner, made, 400)
    new = await Watched.open(database)
    for watched, session in ((old, "a session from when it was empty"), (new, "a new session")):
        await measured(watched, owner, made, f"fresh, {session}")
        await watched.close()


@pytest.mark.unpartitioned
@pytest.mark.slow
async def test_reads_of_a_large_database_touch_what_they_find(database: Any, owner: Any) -> None:
    """Statistics of empty tables are the worst that there can be: they stay until something else is known."""
    made = await organization(owner, patients=5000)
    await owner.execute("analyze")
    old = await Watched.open(database)
    await measured(old, owner, made, "empty")
    await fill(owner, made, LARGE)
    await measured(old, owner, made, "large, a session from when it was empty")
    await old.close()
    watched = await Watched.open(database)
    await measured(watched, owner, made, "large and not counted since")
    await owner.execute("analyze")
    await measured(watched, owner, made, "large and known")
    await watched.close()


async def book(watched: Watched, made: Filled, n: int, seq: int) -> None:
    """Writes one booking as the booking transaction does."""
    keeping = Keeping(made.organization, seq, FIRST, None)  # type: ignore[arg-type]
    start = FIRST - (1 + n // 8) * DAY + (8 + n % 8) * 3600
    visit = Visit(
        ids.new(), made.clinic, made.patients[-1 - n % 100], made.rooms[n % ROOMS], "on_site", start, start + 3000,
        "scheduled", [Line(1, made.practitioners[n % ROOMS], made.service, start, start + 3000)],
    )  # fmt: skip
    actor = Actor(organization_id=made.organization, user_id=ids.new(), session_id="", email="", role="admin")
    asked = Asked(actor=actor, request_id="plans", deadline=0.0)
    keeping.tell("appointment.booked", bodies.visit_body(visit))
    keeping.note(asked, "booked", "appointment", visit.id)
    claim = Claim(start, start + 3000, 0, "visit", visit.id)
    kept = ClaimsKept()
    kept.give(
        (each, claim) for each in (visit.patient_id, visit.lines[0].practitioner_id, visit.room_id or "")
    )
    await watched.begin(made.organization)
    await watched.connection.fetchval(
        statement("apply_in_turn"), made.organization, keeping.batch_id, None, seq, FIRST, [], [], kept.new, [],
        [rows.appointment_new(visit)], [], [rows.line_row(visit, visit.lines[0])], [], [], [], [], [], [], [], keeping.events,
        keeping.audit, [],
    )  # fmt: skip
    await watched.connection.execute("commit")


def checks(watched: Watched) -> list[dict[str, Any]]:
    """Plans of what foreign keys ask."""
    return [plan for plan in watched.plans if "FOR KEY SHARE" in plan["Query Text"]]


@pytest.mark.unpartitioned
async def test_the_checks_of_a_booking_do_not_grow_with_the_tables(database: Any, owner: Any) -> None:
    """A session keeps the plans that its foreign keys' checks got when everything was empty."""
    made = await organization(owner, patients=3000)
    watched = await Watched.open(database)
    for n in range(40):
        await book(watched, made, n, n)
    await fill(owner, made, 20 * A_DAY)
    seq = await owner.fetchval("select seq from turns where organization_id = $1", made.organization)
    await watched.listen(on=True)
    for n in range(40, 50):
        await book(watched, made, n, seq + n - 40)
    asked = checks(watched)
    assert len(asked) >= 10 * 9
    assert read_whole(watched.plans) == set()
    # The row through its primary key: a descent, the heap, and locking it.
    worst = max(asked, key=touched)
    assert touched(worst) <= 2 * DESCENT + 2, worst
    for plan in asked:
        for node in nodes(plan["Plan"]):
            if "Index Name" in node:
                assert node["Index Name"].endswith("_pkey") or node["Index Name"] == "resources_kind_key", (
                    plan
                )
    await watched.close()


@pytest.mark.unpartitioned
async def test_a_release_finds_its_claims_by_their_keys(database: Any, owner: Any) -> None:
    """A room has thousands of claims; once they are counted, giving one back or moving it does not look at all of them."""
    made = await organization(owner, patients=3000)
    watched = await Watched.open(database)
    await fill(owner, made, 20 * A_DAY)
    await owner.execute("analyze claims")
    seq = await owner.fetchval("select seq from turns where organization_id = $1", made.organization)
    held = await owner.fetch(
        "select resource_id::text, date_part('epoch', starts_at)::bigint as start, seat from claims"
        " where organization_id = $1 and kind = 'visit' order by starts_at limit 60",
        made.organization,
    )
    keeping = Keeping(made.organization, seq, FIRST, None)  # type: ignore[arg-type]
    keeping.tell("authorization.changed", {})
    places = [(row["resource_id"], row["start"], row["seat"]) for row in held]
    gone = [GoneClaim(*place) for place in places[:30]]
    moved = [MovedClaim(*place, place[2]) for place in places[30:]]
    await watched.begin(made.organization)
    await watched.listen(on=True)
    await watched.connection.fetchval(
        statement("apply_in_turn"), made.organization, keeping.batch_id, None, seq, FIRST, gone, moved,
        *[[] for _ in range(12)], keeping.events, [], [],
    )  # fmt: skip
    deleting = [plan for plan in watched.plans if "delete from claims" in plan["Query Text"]]
    assert len(deleting) == 2
    for plan in deleting:
        (found,) = [node for node in nodes(plan["Plan"]) if "Index Cond" in node]
        assert found["Index Name"] == "claims_pkey" and "starts_at" in found["Index Cond"], found
    await watched.close()

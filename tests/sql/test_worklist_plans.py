"""What the work lists read: bounded by the days that are looked at and by what is found, never by how much there is;
as the service role, on an empty database, on one that was counted when it was empty, and on one that is known.
"""

from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest
from sql.calendar_fill import A_DAY, Filled, fill, organization
from sql.test_deciding_plans import DESCENT, Watched, read_whole, touched

from holdfast.api.worklists import KINDS
from holdfast.db.statements import statement

DAYS = 40
AHEAD, BACK = 2, 1
FLAGGED = 30
_CANCEL = """
update appointments a set status = 'cancelled', cancelled_at = now(), cancelled_late = true
where a.organization_id = $1 and a.room_id = $2
"""
_FUND = """
update appointment_lines l set authorization_id = z.id
from appointments a join authorizations z on z.organization_id = $1 and z.patient_id = a.patient_id
where l.organization_id = $1 and a.organization_id = $1 and a.id = l.appointment_id
"""
_FLAG = """
with chosen as (
  select a.id, row_number() over (order by a.starts_at) as n from appointments a
  where a.organization_id = $1 and a.starts_at >= $2 and a.status <> 'cancelled' order by a.starts_at limit $3)
update appointments a
set needs_action = case when s.n % 3 = 0 then 'room_closed' end, room_id = case when s.n % 3 <> 1 then a.room_id end,
    status = case when s.n % 3 = 2 then 'completed' else 'scheduled' end
from chosen s where a.organization_id = $1 and a.id = s.id
"""
_UNSIGNED = """
update appointment_lines l set line_status = 'completed' from appointments a
where l.organization_id = $1 and a.organization_id = $1 and a.id = l.appointment_id and a.status = 'completed'
"""
_UNFUND = """
update appointment_lines l set unfunded_units = 1 from appointments a
where l.organization_id = $1 and a.organization_id = $1 and a.id = l.appointment_id and a.status = 'completed'
"""


def pages(kind: str, made: Filled) -> int:
    """Each visit of the days that are looked at: itself and, where it matters, its line and what that refers to. Each
    flagged one: its entry and itself. Each practitioner: a descent to those lines that are not signed or not funded."""
    visits = {
        "unconfirmed_tomorrow": A_DAY,
        "no_authorization": AHEAD * A_DAY,
        "late_cancellations": AHEAD * A_DAY,
    }
    if kind == "make_ups_owed":
        return 60 + (AHEAD + BACK) * A_DAY * 2
    if kind in visits:
        return 60 + visits[kind] * (2 + 3 * DESCENT)
    if kind in {"unsigned_notes", "unfunded_units"}:
        return 60 + len(made.practitioners) * DESCENT + FLAGGED * 3 * DESCENT
    return 60 + FLAGGED * 2 * DESCENT


async def measured(watched: Watched, made: Filled, day: date, state: str) -> None:
    organization = made.organization
    asked: list[tuple[str, tuple[Any, ...], int]] = [
        (
            "worklist_visits_page",
            (organization, 0, 10, 10_001, kind, None, None, day, AHEAD, BACK),
            pages(kind, made) + 10 * 5 * DESCENT,
        )
        for kind in KINDS
        if not kind.startswith(("expiring", "groups"))
    ]
    # None of the many authorizations that end much later is looked at.
    asked.append(("worklist_authorizations_page", (organization, 0, 10, 10_001, None, None, day, 60), 100))
    asked.append(("worklist_groups_page", (organization, 0, 10, 10_001, None, None, day, AHEAD), 100))
    asked.append(("worklist_credentials_page", (organization, 0, 10, 10_001, None, None, day, 60), 100))
    everything = sum(pages(kind, made) for kind in KINDS) + 200
    asked.append((
        "worklist_counts",
        (organization, list(KINDS), None, None, None, day, AHEAD, BACK, 60, 1001),
        everything,
    ))  # fmt: skip
    for name, arguments, most in asked:
        await watched.listen(on=False)
        await watched.begin(organization)
        for _ in range(6):  # past the point where the driver's statement gets its one plan
            await watched.connection.fetch(statement(name), *arguments)
        await watched.listen(on=True)
        await watched.connection.fetch(statement(name), *arguments)
        await watched.connection.execute("rollback")
        assert watched.plans, name
        assert read_whole(watched.plans) & {
            "appointments", "appointment_lines", "claims", "authorizations", "patients",
        } == set(), (name, arguments, state)  # fmt: skip
        found = max(map(touched, watched.plans))
        assert found <= most, (name, arguments[4], state, found, most)


async def filled(owner: Any, made: Filled, visits: int) -> date:
    """Some of everything that lists look for, around the middle day."""
    await fill(owner, made, visits)
    middle = datetime.fromtimestamp(made.middle, UTC)
    await owner.execute(_CANCEL, made.organization, made.rooms[0])
    await owner.execute(_FUND, made.organization)
    await owner.execute(_FLAG, made.organization, middle, FLAGGED)
    await owner.execute(_UNSIGNED, made.organization)
    await owner.execute(_UNFUND, made.organization)
    return middle.date()


@pytest.mark.unpartitioned
@pytest.mark.parametrize("counted", [False, True], ids=["never counted", "counted when empty"])
async def test_work_lists_read_the_days_they_look_at(database: Any, counted: bool) -> None:
    owner = await asyncpg.connect(database.admin_url)
    made = await organization(owner, patients=3000)
    if counted:
        await owner.execute("analyze")
    old = await Watched.open(database)
    await measured(old, made, date(2027, 5, 10), "empty")
    day = await filled(owner, made, 2 * A_DAY)
    new = await Watched.open(database)
    await measured(old, made, day, "fresh, a session from when it was empty")
    await measured(new, made, day, "fresh, a new session")
    day = await filled(owner, made, DAYS * A_DAY)
    await owner.execute("analyze")
    await measured(old, made, day, "known, a session from when it was empty")
    await measured(new, made, day, "known")
    for watched in (old, new):
        await watched.close()
    await owner.close()

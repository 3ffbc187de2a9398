"""What the audit trail reads: the time that is asked for, however long the trail is; as the service role, on a database
that nobody has counted and on one that is known.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sql.calendar_fill import organization
from sql.test_deciding_plans import DESCENT, Watched, touched

from holdfast import ids
from holdfast.db.statements import statement

MINUTES = 100_000
"""One batch, with one row of audit, and one denial in each of so many minutes until now."""
HALVINGS = 2 * 17
"""Of so many batches, to find the first and the last that are asked for."""


async def filled(owner: Any, organization_id: str) -> None:
    await owner.execute(
        "insert into batches (organization_id, batch_no, id, seq_after, hash, committed_at)"
        " select $1, n, gen_random_uuid(), n, sha256(''), now() - ($2::integer - n) * interval '1 minute'"
        " from generate_series(1, $2::integer) n",
        organization_id, MINUTES,
    )  # fmt: skip
    await owner.execute(
        "insert into audit (organization_id, batch_no, position, action, subject, subject_id, created_at)"
        " select b.organization_id, b.batch_no, 1, 'user.changed', 'user', b.id, b.committed_at from batches b"
        " where b.organization_id = $1",
        organization_id,
    )
    await owner.execute(
        "insert into denials (organization_id, id, action, code, created_at)"
        " select b.organization_id, uuidv7(b.committed_at - now()), 'sign_in', 'forbidden', b.committed_at"
        " from batches b where b.organization_id = $1",
        organization_id,
    )
    await owner.execute(
        "update turns set batch_count = $2 where organization_id = $1", organization_id, MINUTES
    )


@pytest.mark.unpartitioned
async def test_the_trail_is_read_where_it_is_asked_for(database: Any) -> None:
    owner = await asyncpg.connect(database.admin_url)
    made = await organization(owner, patients=1)
    await filled(owner, made.organization)
    since = datetime.now(UTC) - timedelta(minutes=MINUTES // 2)
    # Three hours are read to tell of one, some rows to a page, and each row that is told is fetched again.
    most = 60 + HALVINGS * 2 * DESCENT + 180 + 50 * DESCENT
    for state in ("never counted", "known"):
        watched = await Watched.open(database)
        for name in ("audit_page", "denials_page"):
            for more, count in (((None,) * 4, 60), ((None, None, None, ids.new()), 0)):
                arguments = (made.organization, 0, 50, 10_001, *more, since, since + timedelta(hours=1))
                await watched.listen(on=False)
                await watched.begin(made.organization)
                for _ in range(6):  # past the point where the driver's statement gets its one plan
                    (row,) = await watched.connection.fetch(statement(name), *arguments)
                    assert row["total"] == count
                await watched.listen(on=True)
                await watched.connection.fetch(statement(name), *arguments)
                await watched.connection.execute("rollback")
                assert max(map(touched, watched.plans)) <= most, (state, name, count)
        await watched.listen(on=False)
        await watched.begin(made.organization)
        await watched.listen(on=True)
        head = await watched.connection.fetchrow(statement("audit_head"), made.organization)
        await watched.connection.execute("rollback")
        assert not head["has_stray"]
        assert max(map(touched, watched.plans)) <= 6 * DESCENT, state
        await watched.close()
        await owner.execute("analyze")
    await owner.close()

"""What utilization reads: those authorizations that end within what is asked, and of each the last visit to come; as the
service role, on a database that nobody has counted and on one that is known.
"""

from typing import Any

import asyncpg
import pytest
from sql.calendar_fill import A_DAY, organization
from sql.test_deciding_plans import DESCENT, Watched, read_whole, touched
from sql.test_worklist_plans import filled

from holdfast.db.statements import statement

PATIENTS = 500
DAYS = 10


@pytest.mark.unpartitioned
async def test_utilization_reads_what_it_tells_of(database: Any) -> None:
    owner = await asyncpg.connect(database.admin_url)
    made = await organization(owner, patients=PATIENTS)
    await filled(owner, made, DAYS * A_DAY)
    await owner.execute(
        "update authorizations set end_date = current_date + 3 where organization_id = $1 and patient_id = $2",
        made.organization, made.patients[0],
    )  # fmt: skip
    # Each authorization: its row, the last visit to come with its clinic and line, those that hold no units passed over.
    each = 8 * DESCENT + DAYS * A_DAY // PATIENTS * 2 * DESCENT
    for state in ("never counted", "known"):
        watched = await Watched.open(database)
        for within, count in ((10, 1), (None, PATIENTS)):
            arguments = (made.organization, None, None, None, None, within, 10_001)
            await watched.listen(on=False)
            await watched.begin(made.organization)
            for _ in range(6):  # past the point where the driver's statement gets its one plan
                assert len(await watched.connection.fetch(statement("utilization"), *arguments)) == count
            await watched.listen(on=True)
            await watched.connection.fetch(statement("utilization"), *arguments)
            await watched.connection.execute("rollback")
            assert watched.plans
            assert not read_whole(watched.plans) & {"appointments", "appointment_lines", "authorizations"}, (
                state
            )
            assert max(map(touched, watched.plans)) <= 60 + count * each, (state, within)
        await watched.close()
        await owner.execute("analyze")
    await owner.close()

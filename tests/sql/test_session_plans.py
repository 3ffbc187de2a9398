"""What a list of sessions reads: those that are asked for, however many there are; as the service role, on a database
that nobody has counted and on one that is known.
"""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sql.calendar_fill import A_DAY, ROOMS, Filled, fill, organization
from sql.test_deciding_plans import DESCENT, Watched, read_whole, touched

from holdfast.db.statements import statement
from holdfast.slot import moment

PATIENTS = 500
DAYS = 60
DRAFT_OF = 50
MOST = 60
_SESSIONS = """
insert into sessions (organization_id, id, appointment_id, line_no, practitioner_id, patient_id, created_by, created_at,
                      updated_at, draft_encrypted, signed_at)
select $1, gen_random_uuid(), l.appointment_id, 1, l.practitioner_id, a.patient_id, $2, now(), now(),
       case when row_number() over () % $3 = 0 then ''::bytea end,
       case when row_number() over () % $3 <> 0 then now() end
from appointment_lines l join appointments a on a.organization_id = $1 and a.id = l.appointment_id
where l.organization_id = $1
"""


def lists(made: Filled) -> list[tuple[str, tuple[Any, ...], int]]:
    """What is asked for, and how many sessions are looked at for it."""
    day = moment(made.middle)
    visit = (None, None, made.service)  # a visit that nobody has written about
    return [
        ("the newest", (None, None, None, None, None, None), MOST),
        ("the newest drafts", (None, None, None, False, None, None), MOST),
        ("the newest signed", (None, None, None, True, None, None), MOST * 2),
        ("of a day", (None, None, None, None, day, day + timedelta(days=1)), A_DAY * 2),
        ("of a patient", (None, made.patients[0], None, None, None, None), DAYS * A_DAY // PATIENTS),
        ("of a practitioner", (made.practitioners[0], None, None, None, None, None), DAYS * A_DAY // ROOMS),
        ("of a visit", (*visit, None, None, None), 1),
    ]


@pytest.mark.unpartitioned
async def test_a_list_of_sessions_reads_those_asked_for(database: Any) -> None:
    owner = await asyncpg.connect(database.admin_url)
    made = await organization(owner, patients=PATIENTS)
    await fill(owner, made, DAYS * A_DAY)
    await owner.execute("set session_replication_role = replica")
    await owner.execute(_SESSIONS, made.organization, made.service, DRAFT_OF)
    await owner.execute("set session_replication_role = origin")
    for state in ("never counted", "known"):
        watched = await Watched.open(database)
        for name, asked, looked_at in lists(made):
            arguments = (made.organization, 0, 20, MOST, *asked)
            await watched.listen(on=False)
            await watched.begin(made.organization)
            for _ in range(6):  # past the point where the driver's statement gets its one plan
                await watched.connection.fetch(statement("sessions_page"), *arguments)
            await watched.listen(on=True)
            (row,) = await watched.connection.fetch(statement("sessions_page"), *arguments)
            await watched.connection.execute("rollback")
            assert len(row["items"]) == (20 if name != "of a visit" else 0) or looked_at < 40, (name, state)
            assert not read_whole(watched.plans) & {"appointments", "appointment_lines", "sessions"}, (
                name,
                state,
            )
            # Each that is looked at: its entry, itself and its visit; each of the twenty told of: six tables.
            most = 60 + looked_at * (1 + DESCENT) + 20 * 6 * DESCENT
            found = max(map(touched, watched.plans))
            assert found <= most, (name, state, found, most)
        await watched.close()
        await owner.execute("analyze")
    await owner.close()

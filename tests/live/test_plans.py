"""What live delivery reads, as the server's own role with its policies on: the pages touched are bounded by what is
found, on an empty database, on a filled one without statistics, and on one with them.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from live.listening import MONDAY, Process, World, seq_of

from holdfast.db.statements import statement
from holdfast.slot import moment

Owner = Any
VISITS = 40_000
HOUR = 3600

# One visit an hour for four and a half years, its line and its event; every hundredth is the own patient's.
FILL = """
with times as (select n, to_timestamp($6::bigint) + n * interval '1 hour' as at from generate_series(0, $7) n),
visits as (
  insert into appointments (organization_id, id, clinic_id, patient_id, room_id, location, starts_at, ends_at, status,
                            created_at, updated_at)
  select $1::uuid, uuidv7(), $2::uuid, case when n % 100 = 0 then $3 else $4 end::uuid, null, 'home', at,
         at + interval '1 hour', 'scheduled', now(), now()
  from times returning id, patient_id, starts_at, ends_at),
lines as (
  insert into appointment_lines (organization_id, appointment_id, line_no, practitioner_id, service_id, starts_at, ends_at)
  select $1, id, 1, $5::uuid, $8::uuid, starts_at, ends_at from visits),
told as (
  insert into events (organization_id, seq, kind, body, created_at)
  select $1, row_number() over () + $9::bigint, 'appointment.booked',
    jsonb_build_object('patient_id', patient_id,
                       'lines', jsonb_build_array(jsonb_build_object('practitioner_id', $5::text, 'service_id', $8::text))),
    now()
  from visits)
update turns set seq = seq + $7 + 1 where organization_id = $1
"""


def buffers(plan: Any) -> int:
    """Every page touched, what functions read included: it is counted where they are called."""
    top = json.loads(plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def reads(world: World, seq: int) -> Iterator[tuple[str, int, tuple[Any, ...]]]:
    """Each statement, how many pages it may touch, and its arguments; from the middle of what there is."""
    start, organization = MONDAY + VISITS // 2 * HOUR, world.organization.id
    day = (moment(start), moment(start + 24 * HOUR))
    visit_pages = 20
    yield "calendar", 60 + 25 * visit_pages, (organization, world.clinic, *day, None, 2001)
    yield "calendar", 60 + 2 * visit_pages, (organization, world.clinic, *day, [world.patient], 2001)
    yield "calendar", 60 + 11 * visit_pages, (organization, world.clinic, *day, None, 10)
    yield "calendar_clinic", 20, (organization, world.clinic)
    yield "standing", 30, (organization,)
    yield "events_after", 60 + 20 * 20, (organization, max(seq - VISITS // 2, 0), 20)
    yield "turn_seq", 20, (organization,)


@pytest.mark.parametrize("state", ["empty", "fresh", "known"])
async def test_reads_touch_what_they_find(process: Process, world: World, owner: Owner, state: str) -> None:
    seq = await seq_of(process, world)
    if state != "empty":
        await owner.execute(
            FILL, world.organization.id, world.clinic, world.patient, world.other_patient, world.practitioner, MONDAY,
            VISITS - 1, world.service, seq,
        )  # fmt: skip
        seq += VISITS
    if state == "known":
        await owner.execute("analyze")
    async with process.house.database.reading(world.organization.id) as connection:
        for name, pages_max, arguments in reads(world, seq):
            for _ in range(7):  # past the point where the driver's statement gets its one plan
                await connection.fetch(statement(name), *arguments)
            plan = await connection.fetchval(
                "explain (analyze, buffers, format json) " + statement(name).partition("\n")[2], *arguments
            )
            assert buffers(plan) <= pages_max, (name, state)

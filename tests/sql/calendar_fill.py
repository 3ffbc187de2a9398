"""A calendar of any size by a few statements of the tables' owner, with foreign keys and the law switched off while
it is filled: what is looked at here is how many pages are read, not what is decided.
"""

from dataclasses import dataclass
from typing import Any

from holdfast import ids
from holdfast.slot import DAY, moment

# A Monday, 00:00 UTC.
FIRST = 1_809_907_200
ROOMS = 20
A_DAY = ROOMS * 10
"""Visits of a day: ten in each room, on the hour from eight."""


@dataclass
class Filled:
    organization: str
    clinic: str
    service: str
    rooms: list[str]
    practitioners: list[str]
    patients: list[str]
    visits: int = 0

    @property
    def middle(self) -> int:
        """Midnight of the middle day."""
        return FIRST + self.visits // A_DAY // 2 * DAY


_PEOPLE = """
with r as (insert into resources select $1, unnest($2::uuid[]), 'room'),
  p as (insert into resources select $1, unnest($3::uuid[]), 'practitioner'),
  q as (insert into resources select $1, unnest($4::uuid[]), 'patient'),
  s as (insert into resource_seats
        select $1, w.id, 0, w.kind
        from (select unnest($2::uuid[]) id, 'room' kind union all select unnest($3::uuid[]), 'practitioner'
              union all select unnest($4::uuid[]), 'patient') w),
  rooms_new as (insert into rooms (organization_id, id, clinic_id, number, room_type)
                select $1, id, $5, n::text, 'talk' from unnest($2::uuid[]) with ordinality w(id, n)),
  people as (insert into practitioners (organization_id, id, name)
             select $1, id, 'Practitioner ' || n from unnest($3::uuid[]) with ordinality w(id, n)),
  payer as (insert into payers (organization_id, id, name) values ($1, $6, 'Payer')),
  patients_new as (insert into patients (organization_id, id, given_name, family_name, search_name)
                   select $1, id, 'Given', 'Family', 'family given' from unnest($4::uuid[]) w(id))
insert into authorizations (organization_id, id, patient_id, payer_id, service_codes, total_units, start_date, end_date)
select $1, uuidv7(), id, $6, '{97153}', 1000000, '2020-01-01', '2060-01-01' from unnest($4::uuid[]) w(id)
"""

_VISITS = f"""
with wanted as (
  select n, ($2::uuid[])[1 + n % {ROOMS}] as room, ($3::uuid[])[1 + n % {ROOMS}] as practitioner,
    ($4::uuid[])[1 + n % cardinality($4::uuid[])] as patient,
    $7::timestamptz + n / {A_DAY} * interval '1 day' + (8 + n / {ROOMS} % 10) * interval '1 hour' as at
  from generate_series($8::integer, $9::integer - 1) n),
visits as (
  insert into appointments (organization_id, id, clinic_id, patient_id, room_id, location, starts_at, ends_at, status,
                            created_at, updated_at)
  select $1, uuidv7(), $5, patient, room, 'on_site', at, at + interval '50 minutes',
    case when n % 10 = 0 then 'confirmed' else 'scheduled' end, now(), now()
  from wanted returning id, patient_id, room_id, starts_at, ends_at),
lines as (
  insert into appointment_lines (organization_id, appointment_id, line_no, practitioner_id, service_id, starts_at, ends_at)
  select $1, v.id, 1, w.practitioner, $6, v.starts_at, v.ends_at
  from visits v join wanted w on w.at = v.starts_at and w.room = v.room_id),
told as (
  insert into events (organization_id, seq, kind, body, created_at)
  select $1, t.seq + row_number() over (), 'appointment.booked', json_build_object('patient_id', v.patient_id), now()
  from visits v, turns t where t.organization_id = $1),
keys as (
  insert into idempotency_keys select $1, $5, 'key ' || n, sha256('x'), 201, 'x', now() from wanted),
batched as (
  insert into batches select $1, 1000000 + n, uuidv7(), n, sha256('x'), now() from wanted),
claimed as (
  insert into claims (organization_id, resource_id, starts_at, ends_at, kind, appointment_id)
  select $1, c.resource, v.starts_at, v.ends_at, 'visit', v.id
  from visits v join wanted w on w.at = v.starts_at and w.room = v.room_id
  cross join lateral (values (w.room), (w.practitioner)) c(resource))
update turns set seq = seq + $9 - $8 where organization_id = $1
"""


async def organization(owner: Any, patients: int) -> Filled:
    """An organization with rooms, practitioners and patients, and nothing booked."""
    made = Filled(
        ids.new(), ids.new(), ids.new(), [ids.new() for _ in range(ROOMS)], [ids.new() for _ in range(ROOMS)],
        [ids.new() for _ in range(patients)],
    )  # fmt: skip
    await owner.execute(
        "insert into organizations (organization_id, name, time_zone, data_key) values ($1, 'Filled', 'UTC', '')",
        made.organization,
    )
    await owner.execute("insert into turns (organization_id) values ($1)", made.organization)
    await owner.execute(
        "insert into clinics (organization_id, id, name, time_zone) values ($1, $2, 'North', 'UTC')",
        made.organization, made.clinic,
    )  # fmt: skip
    await owner.execute(
        "insert into services (organization_id, id, name, code, duration_minutes) values ($1, $2, 'S', '97153', 60)",
        made.organization, made.service,
    )  # fmt: skip
    await owner.execute("set session_replication_role = replica")
    await owner.execute(
        _PEOPLE, made.organization, made.rooms, made.practitioners, made.patients, made.clinic, ids.new()
    )
    await owner.execute("set session_replication_role = origin")
    return made


async def fill(owner: Any, made: Filled, visits: int) -> None:
    """Adds visits until there are so many, each with its line, event, answer, and claims of room and practitioner."""
    await owner.execute("alter table claims drop constraint claims_no_overlap")
    await owner.execute("set session_replication_role = replica")
    await owner.execute("set enable_nestloop = off")
    await owner.execute(
        _VISITS, made.organization, made.rooms, made.practitioners, made.patients, made.clinic, made.service,
        moment(FIRST), made.visits, visits,
    )  # fmt: skip
    await owner.execute("reset enable_nestloop")
    await owner.execute("set session_replication_role = origin")
    await owner.execute(
        "alter table claims add constraint claims_no_overlap exclude using gist"
        " (resource_id with =, during with &&, seat with =, organization_id with =) where (starts_at < ends_at)"
    )
    made.visits = visits

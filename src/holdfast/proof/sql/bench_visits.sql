-- Stored visits to read among: in each clinic and week so many of an hour, Monday to Friday from 8 to 18 o'clock, one at
-- a time for every 50. The same density whatever the number of clinics and weeks, so that an answer's size does not grow
-- with the data.
with given as (
  select $1::uuid as organization, $2::uuid as service, $3::uuid[] as clinics, $4::uuid[] as rooms,
         $5::uuid[] as practitioners, $6::uuid[] as patients, $7::timestamptz as monday, $8::integer as weeks,
         $9::integer as week_visits
), place as (
  select g.*, c.n as clinic, w.n as week, i.n as i,
         cardinality(g.rooms) / cardinality(g.clinics) as rooms_each,
         cardinality(g.practitioners) / cardinality(g.clinics) as practitioners_each,
         cardinality(g.patients) / cardinality(g.clinics) as patients_each
  from given g
  cross join lateral generate_series(0, cardinality(g.clinics) - 1) c(n)
  cross join lateral generate_series(0, g.weeks - 1) w(n)
  cross join lateral generate_series(0, g.week_visits - 1) i(n)
), visit as materialized (
  select p.organization, p.service, p.clinics[1 + p.clinic] as clinic_id,
         p.rooms[1 + p.clinic * rooms_each + ((p.i / 5) % 10 * 2 + p.i / 50 + p.week) % rooms_each] as room_id,
         p.practitioners[1 + p.clinic * practitioners_each + (p.i + p.i / 50 + 13 * p.week) % practitioners_each]
           as practitioner_id,
         p.patients[1 + p.clinic * patients_each + (p.i + 17 * p.week) % patients_each] as patient_id,
         p.monday + p.week * interval '7 days' + (p.i % 5) * interval '1 day'
           + (8 + (p.i / 5) % 10) * interval '1 hour' as starts_at,
         (to_char((p.week * cardinality(p.clinics) + p.clinic) * p.week_visits + p.i, 'FM00000000') || '-0000-7000-8000-'
           || substr(p.organization::text, 25))::uuid as id
  from place p
), appointment as (
  insert into appointments (organization_id, id, clinic_id, patient_id, room_id, location, starts_at, ends_at, status,
                            assignment_method, created_at, updated_at)
  select v.organization, v.id, v.clinic_id, v.patient_id, v.room_id, 'on_site', v.starts_at,
         v.starts_at + interval '1 hour', 'scheduled', 'auto', now(), now()
  from visit v
  order by v.starts_at
), line as (
  insert into appointment_lines (organization_id, appointment_id, line_no, practitioner_id, service_id, starts_at,
                                 ends_at)
  select v.organization, v.id, 1, v.practitioner_id, v.service, v.starts_at, v.starts_at + interval '1 hour'
  from visit v
  order by v.starts_at
)
insert into claims (organization_id, resource_id, seat, starts_at, ends_at, kind, appointment_id)
select v.organization, r.id, 0, v.starts_at, v.starts_at + interval '1 hour', 'visit', v.id
from visit v
cross join lateral (values (v.room_id), (v.practitioner_id), (v.patient_id)) r(id)
order by v.starts_at

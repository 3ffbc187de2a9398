-- One organization for the bench: no opening hours, one service of some minutes without turnover or authorization. Ids
-- come as arrays; the n-th room, practitioner and patient belong to a clinic in turn.
with given as (
  select $1::uuid as organization, $2::text as name, $3::bytea as data_key, $4::uuid as service,
         $5::uuid[] as clinics, $6::uuid[] as rooms, $7::uuid[] as practitioners, $8::uuid[] as patients,
         $9::uuid as scheduler, $10::text as email, $11::text as password_hash, $12::integer as minutes
), organization as (
  insert into organizations (organization_id, name, time_zone, data_key)
  select g.organization, g.name, 'UTC', g.data_key from given g
), turn as (
  insert into turns (organization_id) select g.organization from given g
), directory as (
  insert into login_directory (email, organization_id) select g.email, g.organization from given g
), scheduler as (
  insert into users (organization_id, id, email, name, password_hash, role)
  select g.organization, g.scheduler, g.email, 'Bench', g.password_hash, 'scheduler' from given g
), service as (
  insert into services (organization_id, id, name, code, duration_minutes, room_types, turnover_minutes)
  select g.organization, g.service, 'Bench', 'BENCH', g.minutes, '{therapy}', 0 from given g
), clinic as (
  insert into clinics (organization_id, id, name, time_zone)
  select g.organization, c.id, 'Clinic ' || c.n, 'UTC'
  from given g cross join unnest(g.clinics) with ordinality c(id, n)
), resource as (
  insert into resources (organization_id, id, kind)
  select g.organization, r.id, r.kind
  from given g
  cross join lateral (
    select id, 'room' as kind from unnest(g.rooms) r(id)
    union all select id, 'practitioner' from unnest(g.practitioners) p(id)
    union all select id, 'patient' from unnest(g.patients) p(id)) r
), seat as (
  insert into resource_seats (organization_id, resource_id, seat, kind)
  select g.organization, r.id, 0, r.kind
  from given g
  cross join lateral (
    select id, 'room' as kind from unnest(g.rooms) r(id)
    union all select id, 'practitioner' from unnest(g.practitioners) p(id)
    union all select id, 'patient' from unnest(g.patients) p(id)) r
), room as (
  insert into rooms (organization_id, id, clinic_id, number, room_type, cleaning_minutes)
  select g.organization, r.id, g.clinics[1 + (r.n - 1) / e.rooms_each], ((r.n - 1) % e.rooms_each + 1)::text, 'therapy', 0
  from given g
  cross join lateral (select cardinality(g.rooms) / cardinality(g.clinics) as rooms_each) e
  cross join unnest(g.rooms) with ordinality r(id, n)
), practitioner as (
  insert into practitioners (organization_id, id, name)
  select g.organization, p.id, 'Practitioner ' || p.n
  from given g cross join unnest(g.practitioners) with ordinality p(id, n)
), works_at as (
  insert into practitioner_clinics (organization_id, practitioner_id, clinic_id)
  select g.organization, p.id, g.clinics[1 + (p.n - 1) * cardinality(g.clinics) / cardinality(g.practitioners)]
  from given g cross join unnest(g.practitioners) with ordinality p(id, n)
), patient as (
  insert into patients (organization_id, id, given_name, family_name, search_name)
  select g.organization, p.id, 'Patient', 'Number ' || p.n, 'number ' || p.n || ' patient'
  from given g cross join unnest(g.patients) with ordinality p(id, n)
)
insert into patient_search_terms (organization_id, patient_id, term)
select g.organization, p.id, t.term
from given g
cross join unnest(g.patients) with ordinality p(id, n)
cross join lateral (values ('patient number ' || p.n), ('number ' || p.n || ' patient')) t(term)

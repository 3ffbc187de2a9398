-- The work list expiring_authorizations: approved ones that end within some days of the date (today in the
-- organization's zone), soonest first, at most `most`, unless a later approved one of the patient covers the same codes.
-- `patients`: of these only. An authorization is of a clinic if its patient has a visit there that is not older than a
-- year.
create or replace function worklist_authorizations(
  organization uuid, clinic uuid, patients uuid[], given date, alert_days integer, most integer)
returns table (id uuid, end_date date)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select z.id, z.end_date
  from organizations o
  cross join lateral (select coalesce(given, (now() at time zone o.time_zone)::date) as day) t
  -- computed apart: a comparison with an expression over a zone is not leakproof, and no index would serve it
  cross join lateral (select t.day as first, t.day + alert_days as last offset 0) w
  cross join lateral (
    select z.* from authorizations z
    where z.organization_id = organization and z.end_date between w.first and w.last
      and z.approval = 'approved'
    order by z.end_date, z.id
    offset 0) z
  where o.organization_id = organization
    and (patients is null or z.patient_id = any (patients))
    and (
      select true from authorizations n
      where n.organization_id = organization and n.patient_id = z.patient_id and n.end_date > z.end_date
        and n.approval = 'approved' and n.service_codes @> z.service_codes
      order by n.end_date
      limit 1) is null
    and (clinic is null or (
      select true from appointments a
      where a.organization_id = organization and a.patient_id = z.patient_id
        and a.starts_at > now() - interval '1 year' and a.clinic_id = clinic
      order by a.starts_at
      limit 1))
  order by z.end_date, z.id
  limit most
$$;

-- What is known of the use of each authorization that has not ended and is not cancelled, those first that end first, at
-- most `most`; filters: whose patients, patient, payer, clinic (the patient has had a visit there within a year), ends
-- within days of today. booked_through: the local date of the last visit to come that holds units of it.
create or replace function utilization(
  organization uuid, patients uuid[], patient uuid, payer uuid, clinic uuid, within_days integer, most integer)
returns table (
  id uuid, total_units integer, used_units integer, scheduled_units integer, start_date date, end_date date,
  booked_through date)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select z.id, z.total_units, z.used_units, z.scheduled_units, z.start_date, z.end_date, (
    select (a.starts_at at time zone c.time_zone)::date
    from appointments a
    join clinics c on c.organization_id = organization and c.id = a.clinic_id
    where a.organization_id = organization and a.patient_id = z.patient_id and a.starts_at > now()
      and (
        select true from appointment_lines l
        where l.organization_id = organization and l.appointment_id = a.id and l.authorization_id = z.id
          and l.units_reserved > 0
        order by l.line_no
        limit 1)
    order by a.starts_at desc
    limit 1)
  from organizations o
  cross join lateral (select (now() at time zone o.time_zone)::date as day) t
  -- computed apart: a comparison with an expression over a zone is not leakproof, and no index would serve it
  cross join lateral (
    select t.day as first, case when within_days is null then 'infinity' else t.day + within_days end as last offset 0) w
  cross join lateral (
    select z.* from authorizations z
    where z.organization_id = organization and z.end_date between w.first and w.last and z.approval <> 'cancelled'
      and (patient is null or z.patient_id = patient)
    order by z.end_date, z.id
    offset 0) z
  where o.organization_id = organization
    and (patients is null or z.patient_id = any (patients))
    and (payer is null or z.payer_id = payer)
    and (clinic is null or (
      select true from appointments a
      where a.organization_id = organization and a.patient_id = z.patient_id
        and a.starts_at > now() - interval '1 year' and a.clinic_id = clinic
      order by a.starts_at
      limit 1))
  order by z.end_date, z.id
  limit most
$$;

-- The clinics that a work list looks at (one, or all of the organization), each with the day it is looked at on: the
-- given date, or today there, and when that day and the days after it begin there. The last offset keeps what is
-- computed apart: a comparison with an expression over a zone is not leakproof, and no index would serve it.
create or replace function clinic_days(organization uuid, clinic uuid, given date)
returns table (
  clinic_id uuid, time_zone text, begins timestamptz, tomorrow_begins timestamptz, tomorrow_ends timestamptz)
language sql stable
as $$
  select c.id, c.time_zone, w.day at time zone c.time_zone, (w.day + interval '1 day') at time zone c.time_zone,
         (w.day + interval '2 days') at time zone c.time_zone
  from clinics c
  cross join lateral (select coalesce(given, (now() at time zone c.time_zone)::date)::timestamp as day) w
  where c.organization_id = organization and (clinic is null or c.id = clinic)
  offset 0
$$;

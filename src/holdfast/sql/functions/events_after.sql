-- The events of an organization after a seq, in order, at most so many, each appointment with what it is called by
-- now: the bodies hold no names. The names are correlated subqueries so that they stay probes by key.
create or replace function events_after(organization uuid, after bigint, most integer)
returns table (seq bigint, kind text, body text, patient_name text, practitioner_name text, room_number text,
               service_code text)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select e.seq, e.kind, e.body::text,
    case when e.kind like 'appointment.%' then (
      select p.given_name || ' ' || p.family_name from patients p
      where p.organization_id = organization and p.id = (e.body ->> 'patient_id')::uuid) end,
    case when e.kind like 'appointment.%' then (
      select n.name from practitioners n
      where n.organization_id = organization and n.id = (e.body #>> '{lines,0,practitioner_id}')::uuid) end,
    case when e.kind like 'appointment.%' then (
      select r.number from rooms r
      where r.organization_id = organization and r.id = (e.body ->> 'room_id')::uuid) end,
    case when e.kind like 'appointment.%' then (
      select s.code from services s
      where s.organization_id = organization and s.id = (e.body #>> '{lines,0,service_id}')::uuid) end
  from events e
  where e.organization_id = organization and e.seq > after
  order by e.seq
  limit most
$$;

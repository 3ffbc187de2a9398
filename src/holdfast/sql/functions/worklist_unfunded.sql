-- The work list unfunded_units: visits that stand of which a line has units that nobody has approved. At most `most`, earliest
-- first; `practitioner`: with such a line of theirs only. A small index knows the lines.
create or replace function worklist_unfunded(organization uuid, clinic uuid, practitioner uuid, most integer)
returns table (id uuid, starts_at timestamptz)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  with lines as materialized (
    select l.appointment_id
    from practitioners p
    cross join lateral (
      select l.appointment_id from appointment_lines l
      where l.unfunded_units > 0 and l.organization_id = organization and l.practitioner_id = p.id
      order by l.starts_at
      offset 0) l
    where p.organization_id = organization and (practitioner is null or p.id = practitioner)
  )
  select v.id, v.starts_at
  from (select distinct l.appointment_id from lines l) w
  cross join lateral (
    select a.* from appointments a
    where a.organization_id = organization and a.id between w.appointment_id and w.appointment_id
    order by a.id
    limit 1) v
  where v.status not in ('cancelled', 'no_show') and (clinic is null or v.clinic_id = clinic)
  order by v.starts_at, v.id
  limit most
$$;

-- The work list groups_needing_action: coming groups, as far ahead as is looked, that too few come to or whose practitioner,
-- room or clinic is not there. At most `most`, earliest first; `practitioner`: theirs only.
create or replace function worklist_groups(
  organization uuid, clinic uuid, practitioner uuid, given date, ahead_days integer, most integer)
returns table (id uuid, starts_at timestamptz)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select f.id, f.starts_at
  from clinic_days(organization, clinic, given) d
  cross join lateral block_groups_in_span(
    organization, d.begins, d.begins + ahead_days * interval '1 day', d.clinic_id, practitioner, false) f
  cross join lateral block_groups(organization, array[f.id]) g
  where g.needs_action is not null
  order by f.starts_at, f.id
  limit most
$$;

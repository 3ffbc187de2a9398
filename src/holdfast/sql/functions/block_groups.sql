-- Some groups as events tell of them, and how they stand beside: how many visits keep a seat, and what somebody must see to, of
-- those that are not over: who gives it is away, its room or clinic is closed, or too few come.
create or replace function block_groups(organization uuid, groups_named uuid[])
returns table (id uuid, document json, members_count bigint, needs_action text)
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select g.id, json_build_object(
    'id', g.id, 'clinic_id', g.clinic_id, 'service_id', g.service_id, 'practitioner_id', g.practitioner_id,
    'room_id', b.room_id, 'location', g.location, 'start', as_instant(b.starts_at), 'end', as_instant(b.ends_at),
    'status', case when b.deleted_at is null then 'scheduled' else 'cancelled' end,
    'members_min', g.members_min, 'members_max', g.members_max,
    'travel_before_minutes', g.travel_before_minutes, 'buffer_minutes', g.buffer_minutes,
    'turnover_minutes', g.turnover_minutes,
    'assignment', json_build_object(
      'method', g.assignment_method, 'policy_version', g.policy_version, 'score', g.score,
      'rules_applied', g.rules_applied),
    'version', b.version, 'created_at', as_instant(b.created_at), 'updated_at', as_instant(b.updated_at)),
    m.members_count, case when b.deleted_at is null and b.ends_at > now() then (
      select w.reason
      from (
        select 1 as place, 'practitioner_absent' as reason
        from time_off x
        where x.organization_id = organization and x.practitioner_id = g.practitioner_id
          and x.ends_at > b.starts_at and x.ends_at < b.ends_at + interval '367 days' and x.starts_at < b.ends_at
        union all
        select case when x.room_id is null then 3 else 2 end,
               case when x.room_id is null then 'clinic_closed' else 'room_closed' end
        from closures x
        where x.organization_id = organization and x.clinic_id = g.clinic_id
          and x.ends_at > b.starts_at and x.ends_at < b.ends_at + interval '367 days' and x.starts_at < b.ends_at
          and g.location = 'on_site' and (x.room_id is null or x.room_id = b.room_id)
        union all
        select 4, 'below_minimum' where m.members_count < g.members_min) w
      order by w.place
      limit 1) end
  from unnest(groups_named) n(id)
  cross join lateral (
    select g.* from groups g where g.organization_id = organization and g.id = n.id order by g.id offset 0) g
  cross join lateral (
    select b.* from blocks b where b.organization_id = organization and b.id = g.id order by b.id offset 0) b
  cross join lateral (
    select count(*) as members_count from appointments a
    where a.organization_id = organization and a.group_id = g.id and a.status not in ('cancelled', 'no_show')) m
$$;

-- Makes the flags of some visits what the absences say that are recorded now, and tells whose flag has changed. A reason
-- that still holds stays; a visit that is over gets none, and loses the one it has when nothing is in its way any more.
create or replace function flag_visits(organization uuid, visits uuid[], flagged_at timestamptz)
returns setof uuid
language sql volatile
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  update appointments a
  set needs_action = w.reason, version = a.version + 1, updated_at = flagged_at
  from (
    select v.id, (
      select r.reason
      from (
        select 1 as place, 'practitioner_absent' as reason
        from appointment_lines l
        join time_off x
          on x.organization_id = organization and x.practitioner_id = l.practitioner_id
          and x.ends_at > l.starts_at and x.ends_at < l.ends_at + interval '367 days' and x.starts_at < l.ends_at
        where l.organization_id = organization and l.appointment_id = v.id
        union all
        select case when x.room_id is null then 3 else 2 end,
               case when x.room_id is null then 'clinic_closed' else 'room_closed' end
        from closures x
        where x.organization_id = organization and x.clinic_id = v.clinic_id
          and x.ends_at > v.starts_at and x.ends_at < v.ends_at + interval '367 days' and x.starts_at < v.ends_at
          and v.location = 'on_site' and (x.room_id is null or x.room_id = v.room_id)) r
      where v.needs_action is not null or v.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress')
      order by r.reason is distinct from v.needs_action, r.place
      limit 1) as reason
    from unnest(visits) n(id)
    join appointments v on v.organization_id = organization and v.id = n.id
    offset 0) w
  where a.organization_id = organization and a.id = w.id and a.needs_action is distinct from w.reason
  returning a.id
$$;

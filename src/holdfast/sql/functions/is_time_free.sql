-- Whether the time of a visit without claims can be given to somebody: nobody else than its group has claimed it of one of its
-- practitioners, and its clinic is not closed then. Rooms are not looked at: another may suit whoever comes instead.
-- The lines come first and whole: a comparison with an expression over them is not leakproof, and no index would serve it.
create or replace function is_time_free(organization uuid, appointment uuid)
returns boolean
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select (
      select true from (
        select l.practitioner_id, l.starts_at - interval '26 hours' as since, l.starts_at, l.ends_at
        from appointment_lines l
        where l.organization_id = organization and l.appointment_id = a.id
        order by l.line_no
        offset 0) l
      cross join lateral (
        select c.starts_at from claims c
        where c.organization_id = organization and c.resource_id = l.practitioner_id
          and c.starts_at > l.since and c.starts_at < l.ends_at and c.ends_at > l.starts_at
          and (a.group_id is null or c.block_id is distinct from a.group_id)
        order by c.starts_at
        offset 0) c
      limit 1) is null
    and (a.location <> 'on_site' or (
      select true from closures x
      where x.organization_id = organization and x.clinic_id = a.clinic_id and x.room_id is null
        and x.ends_at > a.starts_at and x.ends_at < a.ends_at + interval '367 days' and x.starts_at < a.ends_at
      order by x.ends_at
      limit 1) is null)
  from appointments a
  where a.organization_id = organization and a.id between appointment and appointment
  order by a.id
  limit 1
$$;

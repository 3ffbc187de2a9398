-- One page of visits that touch [range_start, range_end), oldest first: ids with the versions of the visit and of
-- its patient, and how many there are in all, counted up to count_max. A visit is at most 24 hours long, so one that
-- reaches into the range began less than that before it; starts_at is compared plainly, because a range operator
-- cannot use an index under row-level security. Exactly one of the three sources is read: by patient if one is
-- given, else by practitioner, else by clinic. The inner orders are nobody's wish: on a new table all indexes look
-- alike to the planner, and the order, which only the right one has, keeps it from the others, as in facts().
create or replace function appointments_page(
  organization uuid, clinics uuid[], patient uuid, practitioner uuid, room uuid, statuses text[],
  without_room boolean, range_start timestamptz, range_end timestamptz, skip integer, take integer,
  count_max integer)
returns json
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  with source as (
    select a.*
    from (
      select a.* from appointments a
      where patient is not null
        and a.organization_id = organization and a.patient_id = patient
        and a.starts_at > range_start - interval '24 hours' and a.starts_at < range_end
      order by a.starts_at
      offset 0) a
    where practitioner is null or (
      select true from appointment_lines l
      where l.organization_id = organization and l.appointment_id = a.id and l.practitioner_id = practitioner
      order by l.line_no
      limit 1)
    union all
    select a.*
    from (
      select distinct l.appointment_id
      from (
        select l.appointment_id from appointment_lines l
        where patient is null and practitioner is not null
          and l.organization_id = organization and l.practitioner_id = practitioner
          and l.starts_at > range_start - interval '24 hours' and l.starts_at < range_end
        order by l.starts_at
        offset 0) l) own
    cross join lateral (
      select a.* from appointments a
      where a.organization_id = organization and a.id between own.appointment_id and own.appointment_id
      order by a.id
      limit 1) a
    union all
    select a.*
    from (select c.id from unnest(clinics) c(id) where patient is null and practitioner is null) c
    cross join lateral (
      select a.* from appointments a
      where a.organization_id = organization and a.clinic_id = c.id
        and a.starts_at > range_start - interval '24 hours' and a.starts_at < range_end
      order by a.starts_at, a.id) a
  ), matching as materialized (
    select a.id, a.starts_at, a.version, a.patient_id from source a
    where a.ends_at > range_start
      and (clinics is null or a.clinic_id = any (clinics))
      and (room is null or a.room_id = room)
      and (statuses is null or a.status = any (statuses))
      and (without_room is null or (a.room_id is null and a.location = 'on_site') = without_room)
    limit count_max
  ), page as (
    select * from matching order by starts_at, id offset skip limit take
  )
  select json_build_object(
    'total', (select count(*) from matching),
    'rows', (
      select json_agg(json_build_array(m.id, m.version, p.version) order by m.starts_at, m.id)
      from page m
      cross join lateral (
        select p.version from patients p
        where p.organization_id = organization and p.id = m.patient_id limit 1) p))
$$;

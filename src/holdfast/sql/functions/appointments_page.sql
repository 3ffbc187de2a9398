-- One page of visits that touch [range_start, range_end), oldest first: ids with the versions of the visit and of
-- its patient, and how many there are in all, counted up to count_max. A visit is at most 24 hours long, so one that
-- reaches into the range began less than that before it; starts_at is compared plainly, because a range operator
-- cannot use an index under row-level security. Which index leads depends on the filter that is given.
create or replace function appointments_page(
  organization uuid, clinics uuid[], patient uuid, practitioner uuid, room uuid, statuses text[],
  without_room boolean, range_start timestamptz, range_end timestamptz, skip integer, take integer,
  count_max integer)
returns json
language plpgsql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  page json;
begin
  if patient is not null then
    with matching as materialized (
      select a.id, a.starts_at, a.version, a.patient_id from appointments a
      where a.organization_id = organization and a.patient_id = patient
        and a.starts_at > range_start - interval '24 hours' and a.starts_at < range_end
        and a.ends_at > range_start
        and (clinics is null or a.clinic_id = any (clinics))
        and (room is null or a.room_id = room)
        and (statuses is null or a.status = any (statuses))
        and (without_room is null or (a.room_id is null and a.location = 'on_site') = without_room)
        and (practitioner is null or exists (
          select from appointment_lines l
          where l.organization_id = organization and l.appointment_id = a.id and l.practitioner_id = practitioner))
      limit count_max)
    select json_build_object('total', (select count(*) from matching), 'rows', (
      select json_agg(json_build_array(m.id, m.version, p.version) order by m.starts_at, m.id)
      from (select * from matching order by starts_at, id offset skip limit take) m
      cross join lateral (
        select p.version from patients p where p.organization_id = organization and p.id = m.patient_id limit 1) p))
    into page;
  elsif practitioner is not null then
    with matching as materialized (
      select a.id, a.starts_at, a.version, a.patient_id
      from (
        select distinct l.appointment_id from appointment_lines l
        where l.organization_id = organization and l.practitioner_id = practitioner
          and l.starts_at > range_start - interval '24 hours' and l.starts_at < range_end
          and l.ends_at > range_start) own
      cross join lateral (
        select a.* from appointments a
        where a.organization_id = organization and a.id = own.appointment_id limit 1) a
      where (clinics is null or a.clinic_id = any (clinics))
        and (room is null or a.room_id = room)
        and (statuses is null or a.status = any (statuses))
        and (without_room is null or (a.room_id is null and a.location = 'on_site') = without_room)
      limit count_max)
    select json_build_object('total', (select count(*) from matching), 'rows', (
      select json_agg(json_build_array(m.id, m.version, p.version) order by m.starts_at, m.id)
      from (select * from matching order by starts_at, id offset skip limit take) m
      cross join lateral (
        select p.version from patients p where p.organization_id = organization and p.id = m.patient_id limit 1) p))
    into page;
  else
    with matching as materialized (
      select a.id, a.starts_at, a.version, a.patient_id
      from unnest(clinics) c(id)
      cross join lateral (
        select a.* from appointments a
        where a.organization_id = organization and a.clinic_id = c.id
          and a.starts_at > range_start - interval '24 hours' and a.starts_at < range_end
          and a.ends_at > range_start
          and (room is null or a.room_id = room)
          and (statuses is null or a.status = any (statuses))
          and (without_room is null or (a.room_id is null and a.location = 'on_site') = without_room)
        order by a.starts_at, a.id
        limit count_max) a
      limit count_max)
    select json_build_object('total', (select count(*) from matching), 'rows', (
      select json_agg(json_build_array(m.id, m.version, p.version) order by m.starts_at, m.id)
      from (select * from matching order by starts_at, id offset skip limit take) m
      cross join lateral (
        select p.version from patients p where p.organization_id = organization and p.id = m.patient_id limit 1) p))
    into page;
  end if;
  return page;
end
$$;

-- One clinic's time from one instant to another, in one snapshot: every visit that touches it (of some patients
-- only, when they are named), in order of start, at most so many; closures; blocks and time off of those who work there; what
-- practitioners, rooms and services are called. Instants are epoch seconds, UTC. Read by starts_at and ends_at
-- alone with the longest length of each (a visit 24 h, a closure or absence 366 days): ranges cannot use an index
-- under row-level security. The inner orders keep the planner from the wrong index while the tables are new, as in
-- facts().
create or replace function calendar(
  organization uuid, clinic uuid, span_start timestamptz, span_end timestamptz, only_patients uuid[], most integer)
returns text
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  with visits as materialized (
    select v.id, v.starts_at, v.room_id
    from (
      select c.id, c.starts_at, c.room_id
      from (
        select a.id, a.starts_at, a.room_id
        from appointments a
        where only_patients is null and a.organization_id = organization and a.clinic_id = clinic
          and a.starts_at > span_start - interval '24 hours' and a.starts_at < span_end and a.ends_at > span_start
        order by a.starts_at, a.id
        offset 0) c
      union all
      select a.id, a.starts_at, a.room_id
      from unnest(only_patients) w(id)
      cross join lateral (
        select a.id, a.starts_at, a.room_id
        from appointments a
        where a.organization_id = organization and a.patient_id = w.id and a.clinic_id = clinic
          and a.starts_at > span_start - interval '24 hours' and a.starts_at < span_end and a.ends_at > span_start
        order by a.starts_at
        offset 0) a) v
    order by v.starts_at, v.id limit most
  ), given as materialized (
    select l.practitioner_id, l.service_id
    from visits v
    cross join lateral (
      select l.practitioner_id, l.service_id from appointment_lines l
      where l.organization_id = organization and l.appointment_id = v.id
      order by l.line_no
      offset 0) l
  )
  select json_build_object(
    'seq', t.seq, 'blocks', blocks_of_clinic(organization, clinic, span_start, span_end),
    'groups', block_groups_of_clinic(organization, clinic, span_start, span_end),
    'appointments', coalesce((
      select json_agg(appointment_document(organization, v.id) order by v.starts_at, v.id) from visits v), '[]'),
    'practitioners', coalesce((
      select json_object_agg(w.id, (
        select p.name from practitioners p where p.organization_id = organization and p.id = w.id))
      from (select distinct g.practitioner_id as id from given g) w), '{}'),
    'rooms', coalesce((
      select json_object_agg(w.id, (
        select r.number from rooms r where r.organization_id = organization and r.id = w.id))
      from (select distinct v.room_id as id from visits v where v.room_id is not null) w), '{}'),
    'services', coalesce((
      select json_object_agg(w.id, (
        select s.code from services s where s.organization_id = organization and s.id = w.id))
      from (select distinct g.service_id as id from given g) w), '{}'),
    'closures', coalesce((
      select json_agg(json_build_object(
        'id', x.id, 'clinic_id', x.clinic_id, 'room_id', x.room_id,
        'start', date_part('epoch', x.starts_at)::bigint, 'end', date_part('epoch', x.ends_at)::bigint,
        'reason', x.reason) order by x.starts_at, x.id)
      from closures x
      where x.organization_id = organization and x.clinic_id = clinic
        and x.ends_at > span_start and x.ends_at < span_end + interval '367 days' and x.starts_at < span_end), '[]'),
    'time_off', coalesce((
      select json_agg(json_build_object(
        'id', x.id, 'practitioner_id', x.practitioner_id,
        'start', date_part('epoch', x.starts_at)::bigint, 'end', date_part('epoch', x.ends_at)::bigint,
        'kind', x.kind) order by x.starts_at, x.id)
      from time_off x
      where x.organization_id = organization
        and x.ends_at > span_start and x.ends_at < span_end + interval '367 days' and x.starts_at < span_end
        and (select true from practitioner_clinics pc
             where pc.organization_id = organization and pc.practitioner_id = x.practitioner_id
               and pc.clinic_id = clinic)), '[]'))::text
  from turns t
  where t.organization_id = organization
$$;

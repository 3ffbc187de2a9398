-- Places, people, services, payers and policies in force of one organization, with the directory_seq they are true
-- at: what is the same for every request until someone changes it. Wall-clock times are minutes since midnight; instants are
-- epoch seconds. Closures and time off are read from 30 days back: older ones bind no visit that can be written.
create or replace function directory(organization uuid)
returns text
language sql stable
as $$
  select json_build_object(
    'seq', t.seq, 'directory_seq', t.directory_seq, 'policy_version', t.policy_version,
    'policies', active_policies(organization), 'organization', (
      select json_build_object('id', o.organization_id, 'name', o.name, 'time_zone', o.time_zone,
                               'settings', o.settings)
      from organizations o where o.organization_id = organization),
    'clinics', coalesce((
      select json_agg(json_build_object(
        'id', c.id, 'name', c.name, 'time_zone', c.time_zone, 'allow_unassigned', c.allow_unassigned,
        'is_active', c.is_active,
        'hours', coalesce((
          select json_agg(json_build_array(h.weekday, extract(epoch from h.opens)::int / 60,
                                           extract(epoch from h.closes)::int / 60))
          from opening_hours h where h.organization_id = organization and h.clinic_id = c.id), '[]')))
      from clinics c where c.organization_id = organization), '[]'),
    'rooms', coalesce((
      select json_agg(json_build_object(
        'id', r.id, 'clinic_id', r.clinic_id, 'number', r.number, 'name', r.name, 'room_type', r.room_type,
        'capacity', r.capacity, 'seats', r.concurrent_visits_max, 'equipment', r.equipment,
        'accessibility', r.accessibility, 'cleaning_minutes', r.cleaning_minutes,
        'is_available', r.is_available and r.is_active, 'display_order', r.display_order))
      from rooms r where r.organization_id = organization), '[]'),
    'practitioners', coalesce((
      select json_agg(json_build_object(
        'id', p.id, 'name', p.name, 'buffer_minutes', p.buffer_minutes, 'seats', p.concurrent_visits_max,
        'is_active', p.is_active, 'languages', p.languages,
        'clinic_ids', coalesce((
          select json_agg(pc.clinic_id) from practitioner_clinics pc
          where pc.organization_id = organization and pc.practitioner_id = p.id), '[]'),
        'credentials', coalesce((
          select json_agg(json_build_array(k.code, k.valid_from, k.valid_to) order by k.position)
          from practitioner_credentials k
          where k.organization_id = organization and k.practitioner_id = p.id), '[]'),
        'hours', coalesce((
          select json_agg(json_build_array(h.clinic_id, h.weekday, extract(epoch from h.starts)::int / 60,
                                           extract(epoch from h.ends)::int / 60, h.valid_from, h.valid_to))
          from working_hours h where h.organization_id = organization and h.practitioner_id = p.id), '[]'),
        'exceptions', coalesce((
          select json_agg(json_build_array(x.clinic_id, x.on_date, extract(epoch from x.starts)::int / 60,
                                           extract(epoch from x.ends)::int / 60))
          from hours_exceptions x
          where x.organization_id = organization and x.practitioner_id = p.id), '[]')))
      from practitioners p where p.organization_id = organization), '[]'),
    'services', coalesce((
      select json_agg(json_build_object(
        'id', s.id, 'name', s.name, 'code', s.code, 'duration_minutes', s.duration_minutes,
        'locations', s.locations, 'attendance', s.attendance, 'room_types', s.room_types,
        'equipment', s.equipment, 'capacity', s.capacity, 'required_credentials', s.required_credentials,
        'turnover_minutes', s.turnover_minutes, 'unit_basis', s.unit_basis, 'unit_minutes', s.unit_minutes, 'is_active',
        s.is_active, 'authorization_required', s.authorization_required, 'shares_practitioner', s.shares_practitioner))
      from services s where s.organization_id = organization), '[]'),
    'payers', coalesce((
      select json_agg(json_build_object('id', y.id, 'name', y.name, 'over_units', y.over_units, 'concurrent_policy',
        y.concurrent_policy, 'concurrent_pairs', y.concurrent_pairs, 'codes_needing_authorization',
        y.codes_needing_authorization, 'rounding', y.rounding, 'rounding_scope', y.rounding_scope, 'week_start', y.week_start, 'unit_caps', y.unit_caps, 'cap_policy', y.cap_policy)) from payers y where y.organization_id = organization), '[]'),
    'closures', coalesce((
      select json_agg(json_build_array(x.id, x.clinic_id, x.room_id, date_part('epoch', x.starts_at)::bigint,
                                       date_part('epoch', x.ends_at)::bigint))
      from closures x where x.organization_id = organization and x.ends_at > now() - interval '30 days'), '[]'),
    'time_off', coalesce((
      select json_agg(json_build_array(x.id, x.practitioner_id, date_part('epoch', x.starts_at)::bigint,
                                       date_part('epoch', x.ends_at)::bigint))
      from time_off x
      where x.organization_id = organization and x.ends_at > now() - interval '30 days'), '[]'))::text
  from turns t
  where t.organization_id = organization
$$;

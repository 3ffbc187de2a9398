-- Practitioners as the API shows them.
create or replace function practitioner_documents(organization uuid)
returns table (id uuid, version integer, document json)
language sql stable
as $$
  select p.id, p.version, json_build_object(
    'id', p.id, 'name', p.name,
    'clinic_ids', coalesce((
      select json_agg(c.clinic_id order by c.clinic_id)
      from practitioner_clinics c where c.organization_id = organization and c.practitioner_id = p.id), '[]'),
    'credentials', coalesce((
      select json_agg(json_build_object(
        'code', k.code, 'valid_from', k.valid_from, 'valid_to', k.valid_to, 'state', k.state) order by k.position)
      from practitioner_credentials k
      where k.organization_id = organization and k.practitioner_id = p.id), '[]'),
    'buffer_minutes', p.buffer_minutes, 'concurrent_visits_max', p.concurrent_visits_max,
    'working_hours', coalesce((
      select json_agg(json_build_object(
        'clinic_id', h.clinic_id, 'weekday', h.weekday, 'start', left(h.starts::text, 5),
        'end', left(h.ends::text, 5), 'valid_from', h.valid_from, 'valid_to', h.valid_to) order by h.position)
      from working_hours h where h.organization_id = organization and h.practitioner_id = p.id), '[]'),
    'hours_exceptions', coalesce((
      select json_agg(json_build_object(
        'clinic_id', x.clinic_id, 'date', x.on_date, 'start', left(x.starts::text, 5),
        'end', left(x.ends::text, 5)) order by x.position)
      from hours_exceptions x where x.organization_id = organization and x.practitioner_id = p.id), '[]'),
    'languages', p.languages, 'is_active', p.is_active, 'version', p.version, 'created_at', as_instant(p.created_at),
    'updated_at', as_instant(p.updated_at))
  from practitioners p
  where p.organization_id = organization
$$;

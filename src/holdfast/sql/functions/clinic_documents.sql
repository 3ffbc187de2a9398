-- Clinics as the API shows them. One select, so that it melts into the query that asks for some of them.
create or replace function clinic_documents(organization uuid)
returns table (id uuid, version integer, document json)
language sql stable
as $$
  select c.id, c.version, json_build_object(
    'id', c.id, 'name', c.name, 'time_zone', c.time_zone,
    'opening_hours', coalesce((
      select json_agg(json_build_object(
        'weekday', h.weekday, 'start', left(h.opens::text, 5), 'end', left(h.closes::text, 5))
        order by h.weekday, h.opens)
      from opening_hours h where h.organization_id = organization and h.clinic_id = c.id), '[]'),
    'allow_unassigned', c.allow_unassigned, 'is_active', c.is_active, 'version', c.version,
    'created_at', as_instant(c.created_at), 'updated_at', as_instant(c.updated_at))
  from clinics c
  where c.organization_id = organization
$$;

-- Time off as the API shows it.
create or replace function time_off_documents(organization uuid)
returns table (id uuid, document json)
language sql stable
as $$
  select x.id, json_build_object(
    'id', x.id, 'practitioner_id', x.practitioner_id, 'start', as_instant(x.starts_at),
    'end', as_instant(x.ends_at), 'kind', x.kind, 'version', x.version,
    'created_at', as_instant(x.created_at))
  from time_off x
  where x.organization_id = organization
$$;

-- Closures as the API shows them.
create or replace function closure_documents(organization uuid)
returns table (id uuid, document json)
language sql stable
as $$
  select x.id, json_build_object(
    'id', x.id, 'clinic_id', x.clinic_id, 'room_id', x.room_id, 'start', as_instant(x.starts_at),
    'end', as_instant(x.ends_at), 'reason', x.reason, 'version', x.version,
    'created_at', as_instant(x.created_at))
  from closures x
  where x.organization_id = organization
$$;

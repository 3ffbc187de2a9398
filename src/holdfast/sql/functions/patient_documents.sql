-- Patients as the API shows them, alerts still sealed (hex).
create or replace function patient_documents(organization uuid)
returns table (id uuid, version integer, document json)
language sql stable
as $$
  select p.id, p.version, json_build_object(
    'id', p.id, 'given_name', p.given_name, 'family_name', p.family_name, 'birth_date', p.birth_date,
    'needs', p.needs, 'alerts_encrypted', encode(p.alerts_encrypted, 'hex'), 'is_active', p.is_active,
    'version', p.version, 'created_at', as_instant(p.created_at), 'updated_at', as_instant(p.updated_at))
  from patients p
  where p.organization_id = organization
$$;

-- Contacts as the API shows them, phone and e-mail still sealed (hex).
create or replace function contact_documents(organization uuid)
returns table (id uuid, version integer, document json)
language sql stable
as $$
  select c.id, c.version, json_build_object(
    'id', c.id, 'name', c.name, 'phone_encrypted', encode(c.phone_encrypted, 'hex'),
    'email_encrypted', encode(c.email_encrypted, 'hex'), 'language', c.language, 'channel', c.channel,
    'consented_on', c.consented_on, 'consent_recorded_by', c.consent_recorded_by, 'is_active', c.is_active,
    'version', c.version, 'created_at', as_instant(c.created_at), 'updated_at', as_instant(c.updated_at))
  from contacts c
  where c.organization_id = organization
$$;

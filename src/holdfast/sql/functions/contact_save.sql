-- Writes one contact as the document says, new or changed, with the terms a search finds the name by. The only seat is
-- made here, since a contact never has another.
create or replace function contact_save(organization uuid, document json, saved_at timestamptz)
returns void
language sql volatile
as $$
  insert into resources (organization_id, id, kind) values (organization, (document ->> 'id')::uuid, 'contact')
  on conflict (organization_id, id) do nothing;
  insert into resource_seats (organization_id, resource_id, seat, kind)
  values (organization, (document ->> 'id')::uuid, 0, 'contact')
  on conflict (organization_id, resource_id, seat) do nothing;

  insert into contacts (
    organization_id, id, name, search_name, phone_encrypted, email_encrypted, language, channel, consented_on,
    consent_recorded_by, is_active, version, created_at, updated_at)
  select organization, d.id, d.name, d.search_name, decode(document ->> 'phone_hex', 'hex'),
         decode(document ->> 'email_hex', 'hex'), d.language, d.channel, d.consented_on, d.consent_recorded_by,
         d.is_active, d.version, saved_at, saved_at
  from json_populate_record(null::contacts, document) d
  on conflict (organization_id, id) do update
    set name = excluded.name, search_name = excluded.search_name, phone_encrypted = excluded.phone_encrypted,
        email_encrypted = excluded.email_encrypted, language = excluded.language, channel = excluded.channel,
        consented_on = excluded.consented_on, consent_recorded_by = excluded.consent_recorded_by,
        is_active = excluded.is_active, version = excluded.version, updated_at = excluded.updated_at;

  delete from contact_search_terms t
  where t.organization_id = organization and t.contact_id = (document ->> 'id')::uuid;
  insert into contact_search_terms (organization_id, contact_id, term)
  select organization, (document ->> 'id')::uuid, t.term
  from json_array_elements_text(document -> 'search_terms') t(term);
$$;

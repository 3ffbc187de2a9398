-- Writes one patient as the document says, new or changed, with contacts, coverages, availability, practitioners
-- it is not or best with, and the terms a search finds the name by. The seat is set apart (set_seats). What a server
-- of the release before does not send stays as it is.
create or replace function patient_save(organization uuid, document json, saved_at timestamptz)
returns void
language sql volatile
as $$
  insert into resources (organization_id, id, kind) values (organization, (document ->> 'id')::uuid, 'patient')
  on conflict (organization_id, id) do nothing;

  insert into patients (
    organization_id, id, given_name, family_name, search_name, birth_date, needs, alerts_encrypted, is_active,
    version, created_at, updated_at, language, needs_interpreter)
  select organization, d.id, d.given_name, d.family_name, d.search_name, d.birth_date, d.needs,
         decode(document ->> 'alerts_hex', 'hex'), d.is_active, d.version, saved_at, saved_at,
         d.language, coalesce(d.needs_interpreter, false)
  from json_populate_record(null::patients, document) d
  on conflict (organization_id, id) do update
    set given_name = excluded.given_name, family_name = excluded.family_name,
        search_name = excluded.search_name, birth_date = excluded.birth_date, needs = excluded.needs,
        alerts_encrypted = excluded.alerts_encrypted, is_active = excluded.is_active,
        version = excluded.version, updated_at = excluded.updated_at,
        language = case when document -> 'language' is null then patients.language else excluded.language end,
        needs_interpreter = coalesce((document ->> 'needs_interpreter')::boolean, patients.needs_interpreter);

  delete from patient_search_terms t
  where t.organization_id = organization and t.patient_id = (document ->> 'id')::uuid;
  insert into patient_search_terms (organization_id, patient_id, term)
  select organization, (document ->> 'id')::uuid, t.term
  from json_array_elements_text(document -> 'search_terms') t(term);

  -- Contacts who are not active are not shown, so no list that is sent can name them: their links stay.
  delete from patient_contacts l
  using contacts c
  where l.organization_id = organization and l.patient_id = (document ->> 'id')::uuid
    and c.organization_id = organization and c.id = l.contact_id and c.is_active
    and document -> 'contacts' is not null;
  insert into patient_contacts (
    organization_id, patient_id, contact_id, position, relationship, may_cancel, receives_reminders)
  select organization, (document ->> 'id')::uuid, l.contact_id, l.position, l.relationship, l.may_cancel,
         l.receives_reminders
  from rows from (json_to_recordset(document -> 'contacts')
                  as (contact_id uuid, relationship text, may_cancel boolean, receives_reminders boolean))
       with ordinality as l(contact_id, relationship, may_cancel, receives_reminders, position);

  select patient_constraints_save(organization, document);
$$;

-- The patients of contacts, in pairs: patient, contact.
create or replace function caregivers_of(organization uuid, contact_ids uuid[])
returns json
language sql stable
as $$
  select json_agg(json_build_array(p.patient_id, p.contact_id))
  from unnest(contact_ids) w(id)
  cross join lateral (
    select p.* from patient_contacts p
    where p.organization_id = organization and p.contact_id = w.id
    limit 200) p
$$;

-- The patients whose guardian a contact is: those for whom it may see what is theirs. Whoever else is a contact, a teacher
-- or an aunt, sees nothing by it.
create or replace function wards_of(organization uuid, contact uuid)
returns uuid[]
language sql stable
as $$
  select array(
    select c.patient_id from patient_contacts c
    where c.organization_id = organization and c.contact_id = contact
      and c.relationship in ('parent', 'step_parent', 'foster_parent', 'guardian')
    order by c.patient_id)
$$;

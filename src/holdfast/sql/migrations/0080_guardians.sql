-- migrate:up
-- A guardian signs in as a contact, and sees the patients whose guardian that contact is.
alter table users add column contact_id uuid;
-- The column is new, so nothing is to be found.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table users add constraint users_contact_fkey foreign key (organization_id, contact_id)
  references contacts (organization_id, id);
-- squawk-ignore ban-drop-constraint
alter table users drop constraint users_patient_named;
-- Wider than before, so there is nothing to find; the scan is the price of saying so.
-- squawk-ignore constraint-missing-not-valid
alter table users add constraint users_patient_named
  check ((role = 'patient') = (num_nonnulls(patient_id, contact_id) > 0));

-- migrate:down
-- squawk-ignore ban-drop-constraint
alter table users drop constraint users_patient_named;
-- squawk-ignore constraint-missing-not-valid
alter table users add constraint users_patient_named check ((role = 'patient') = (patient_id is not null));
-- squawk-ignore ban-drop-constraint
alter table users drop constraint users_contact_fkey;
-- squawk-ignore ban-drop-column
alter table users drop column contact_id;

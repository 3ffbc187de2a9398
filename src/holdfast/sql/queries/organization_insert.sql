-- A new organization.
insert into organizations (organization_id, name, time_zone, patient_label, settings, data_key, is_scratch)
values ($1, $2, $3, $4, $5, $6, $7)

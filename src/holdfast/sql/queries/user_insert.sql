-- A new user.
insert into users (organization_id, id, email, name, password_hash, role, practitioner_id, patient_id, contact_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

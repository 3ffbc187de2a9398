-- Changes a user; $9 is a new password's hash or null, $10 is 1 when tokens issued before end with this.
update users
set name = $3, role = $4, practitioner_id = $5, patient_id = $6, contact_id = $7, is_active = $8,
    password_hash = coalesce($9, password_hash), session_version = session_version + $10,
    version = version + 1, updated_at = now()
where organization_id = $1 and id = $2

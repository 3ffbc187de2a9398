-- Changes a user; $8 is a new password's hash or null, $9 is 1 when tokens issued before end with this.
update users
set name = $3, role = $4, practitioner_id = $5, patient_id = $6, is_active = $7,
    password_hash = coalesce($8, password_hash), session_version = session_version + $9,
    version = version + 1, updated_at = now()
where organization_id = $1 and id = $2

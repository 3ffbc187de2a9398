-- Uses the code of a half minute, if the factor is still this one and no code of it or of a later one was used: of two
-- at once the second waits for the first's row, looks again and finds it used.
update totp_factors
set step_used = $4
where organization_id = $1 and user_id = $2 and secret_encrypted = $3 and enrolled_at is not null and step_used < $4
returning user_id

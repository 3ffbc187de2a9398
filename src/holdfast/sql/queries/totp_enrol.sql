-- A user has shown a code of the secret: from now on it is asked for, and that code is used.
update totp_factors
set enrolled_at = now(), step_used = $3
where organization_id = $1 and user_id = $2 and enrolled_at is null

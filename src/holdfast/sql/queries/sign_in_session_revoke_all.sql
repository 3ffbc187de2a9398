-- Ends every session of a user.
update sign_in_sessions
set revoked_at = now(), revoked_because = $3
where organization_id = $1 and user_id = $2 and revoked_at is null

-- Ends a session; the first reason stays.
update sign_in_sessions
set revoked_at = now(), revoked_because = $3
where organization_id = $1 and id = $2 and revoked_at is null

-- Notes that a page's session is in use; one that has been idle for too long is past that.
update sign_in_sessions
set used_at = now()
where organization_id = $1 and id = $2 and revoked_at is null and used_at > now() - make_interval(secs => $3)

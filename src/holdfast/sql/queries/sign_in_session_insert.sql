-- A new sign-in.
insert into sign_in_sessions (organization_id, id, user_id, refresh_hash, expires_at)
values ($1, $2, $3, $4, now() + make_interval(secs => $5))

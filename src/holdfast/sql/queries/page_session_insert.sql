-- A new sign-in of a page.
insert into sign_in_sessions (organization_id, id, user_id, cookie_hash, expires_at)
values ($1, $2, $3, $4, now() + make_interval(secs => $5))

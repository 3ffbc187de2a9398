-- Spends a refresh token: only the current one of a live session of an active user matches, and only once.
update sign_in_sessions s
set refresh_hash = $5, rotation = s.rotation + 1, used_at = now()
from users u
where s.organization_id = $1 and s.id = $2 and s.rotation = $3 and s.refresh_hash = $4
  and s.revoked_at is null and s.expires_at > now()
  and u.organization_id = $1 and u.id = s.user_id and u.is_active
returning s.user_id, u.session_version

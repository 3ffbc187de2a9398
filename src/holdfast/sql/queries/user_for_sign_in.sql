-- A user as signing in needs it.
select id, role, password_hash, is_active, session_version
from users
where organization_id = $1 and email = $2

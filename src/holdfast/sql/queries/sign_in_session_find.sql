-- A session as it stands, locked: what is decided from it must still be true when it is written.
select rotation, revoked_at, revoked_because
from sign_in_sessions
where organization_id = $1 and id = $2
for no key update

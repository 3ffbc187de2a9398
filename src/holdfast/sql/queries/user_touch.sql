-- A user's second factor has changed, and so how the user is shown; $3 is 1 when tokens issued before end with this.
update users
set session_version = session_version + $3, version = version + 1, updated_at = now()
where organization_id = $1 and id = $2

-- Removes a user's sessions that ended a month ago: long enough to ask what became of one.
delete from sign_in_sessions
where organization_id = $1 and user_id = $2 and expires_at < now() - interval '30 days'

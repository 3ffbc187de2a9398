-- Throws away sign-ins that ended more than 30 days ago.
delete from sign_in_sessions s
where s.organization_id = $1 and s.expires_at < now() - interval '30 days'

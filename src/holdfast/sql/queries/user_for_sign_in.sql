-- A user as signing in needs it.
select u.id, u.role, u.password_hash, u.is_active, u.session_version, f.enrolled_at is not null as has_totp
from users u
left join totp_factors f on f.organization_id = u.organization_id and f.user_id = u.id
where u.organization_id = $1 and u.email = $2

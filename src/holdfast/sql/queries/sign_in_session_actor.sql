-- Who a session is now, if it is live and its user active.
select u.email, u.role, u.practitioner_id, u.patient_id, u.session_version,
  wards_of(u.organization_id, u.contact_id) as ward_ids,
  (u.role = 'admin' and o.settings @> '{"require_totp_for_admins": true}' and f.enrolled_at is null) as must_enrol_totp
from sign_in_sessions s
join users u on u.organization_id = s.organization_id and u.id = s.user_id
join organizations o on o.organization_id = s.organization_id
left join totp_factors f on f.organization_id = s.organization_id and f.user_id = s.user_id
where s.organization_id = $1 and s.id = $2 and s.user_id = $3
  and s.revoked_at is null and s.expires_at > now() and u.is_active

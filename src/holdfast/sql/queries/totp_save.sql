-- Keeps a secret that was shown to a user, in place of one shown before; an enrolled one stays.
insert into totp_factors (organization_id, user_id, secret_encrypted)
values ($1, $2, $3)
on conflict (organization_id, user_id) do update
set secret_encrypted = excluded.secret_encrypted, created_at = now()
where totp_factors.enrolled_at is null

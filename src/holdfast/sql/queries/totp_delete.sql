-- Takes a user's enrolled second factor away; no row if there is none.
delete from totp_factors
where organization_id = $1 and user_id = $2 and enrolled_at is not null
returning user_id

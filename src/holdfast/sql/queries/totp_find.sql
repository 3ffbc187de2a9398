-- A user's second factor, shown or enrolled.
select secret_encrypted, enrolled_at is not null as is_enrolled
from totp_factors
where organization_id = $1 and user_id = $2

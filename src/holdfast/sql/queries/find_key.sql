-- The stored answer of an idempotency key that is less than 24 hours old.
select fingerprint, status, answer_encrypted from idempotency_keys
where organization_id = $1 and user_id = $2 and key = $3 and created_at > now() - interval '24 hours'

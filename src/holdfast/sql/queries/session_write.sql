-- Writes over a draft.
update sessions set draft_encrypted = $4, version = $3, updated_at = $5
where organization_id = $1 and id = $2 and version = $3 - 1 and signed_at is null

-- A session that was signed or amended: its draft is gone, it is a version later.
update sessions set draft_encrypted = null, signed_at = coalesce(signed_at, $4), version = $3, updated_at = $4
where organization_id = $1 and id = $2 and version = $3 - 1

-- Takes a block out of every view; whoever does it releases its claims.
update blocks set deleted_at = $3, updated_at = $3, version = version + 1
where organization_id = $1 and id = $2

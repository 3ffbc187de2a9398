-- Keeps when the dates of a series begin by now.
update series set dates = $3, version = $4, updated_at = $5 where organization_id = $1 and id = $2

-- A second person has agreed: from this moment on the minutes count.
update break_glass_requests
set approved_by = $3, approved_at = $4, version = version + 1
where organization_id = $1 and id = $2 and approved_at is null and ended_as is null

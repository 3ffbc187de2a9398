-- Ends a break-glass request, approved or not, at once.
update break_glass_requests
set ended_as = 'revoked', ended_at = $4, ended_by = $3, version = version + 1
where organization_id = $1 and id = $2 and ended_as is null

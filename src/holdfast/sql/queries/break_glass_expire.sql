-- Writes down that the time of break-glass requests is over: at the moment it was.
update break_glass_requests
set ended_as = 'expired', ended_at = approved_at + minutes * interval '1 minute', version = version + 1
where organization_id = $1 and ended_as is null and approved_at + minutes * interval '1 minute' <= $2
returning id

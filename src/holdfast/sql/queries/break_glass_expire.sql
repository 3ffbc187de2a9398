-- Writes down that the time of break-glass requests is over, approved or not: at the moment it was.
update break_glass_requests
set ended_as = 'expired', version = version + 1,
    ended_at = coalesce(approved_at + minutes * interval '1 minute', requested_at + interval '1 day')
where organization_id = $1 and ended_as is null
  and coalesce(approved_at + minutes * interval '1 minute', requested_at + interval '1 day') <= $2
returning id

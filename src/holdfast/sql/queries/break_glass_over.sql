-- Whether the time of a break-glass request is over and nobody has written that down yet.
select exists (
  select from break_glass_requests g
  where g.organization_id = $1 and g.ended_as is null
    and coalesce(g.approved_at + g.minutes * interval '1 minute', g.requested_at + interval '1 day') <= now())

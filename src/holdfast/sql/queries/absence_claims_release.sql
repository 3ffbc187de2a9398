-- Gives back the time that an absence holds on some resources; all of it lies inside the absence.
delete from claims c
where c.organization_id = $1 and c.resource_id = any ($2::uuid[]) and c.starts_at >= $3 and c.starts_at < $4
  and coalesce(c.closure_id, c.time_off_id) = $5

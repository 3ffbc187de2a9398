-- Gives back the time of a block on its attendees and room, whichever seats it sits on.
delete from claims c
where c.organization_id = $1 and c.resource_id = any ($2::uuid[]) and c.starts_at = $3 and c.block_id = $4

-- Marks a room plan as carried out.
update room_plans set applied_by = $3, applied_at = $4 where organization_id = $1 and id = $2 returning id

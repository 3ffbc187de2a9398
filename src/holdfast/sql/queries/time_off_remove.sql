-- Removes time off that holds no time any more; events and audit tell that it was there.
delete from time_off where organization_id = $1 and id = $2

-- Removes a closure that holds no time any more; events and audit tell that it was there.
delete from closures where organization_id = $1 and id = $2

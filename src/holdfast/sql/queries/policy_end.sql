-- Takes a document out of force, as replaced or rolled_back.
update policies set status = $3, activated_as = null, ended_at = $4
where organization_id = $1 and id = $2

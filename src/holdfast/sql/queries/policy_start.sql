-- Puts a document into force: its number, and the activation it is in force by.
update policies set status = 'active', version = $3, activated_as = $4, activated_at = $5, ended_at = null
where organization_id = $1 and id = $2

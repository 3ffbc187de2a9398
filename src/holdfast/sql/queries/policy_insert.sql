-- Saves a document that was found valid.
insert into policies (organization_id, id, version, scope, scope_id, rules, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)

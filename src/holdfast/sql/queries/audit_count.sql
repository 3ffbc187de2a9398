-- How long the audit trail is, counted up to a bound.
select count(*) from (select from audit where organization_id = $1 limit $2) counted

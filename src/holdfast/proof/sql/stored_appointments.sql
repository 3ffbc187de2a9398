-- How many visits an organization has.
select count(*) from appointments a where a.organization_id = $1

-- The documents in force.
select id::text, scope, scope_id::text, version, activated_as, rules::text
from policies
where organization_id = $1 and status = 'active'
order by id

-- Every claim of an organization between two instants, for a check that decides nothing with the product's own code.
select c.resource_id::text as resource_id, c.starts_at, c.ends_at
from claims c
where c.organization_id = $1 and c.starts_at < $3 and c.ends_at > $2

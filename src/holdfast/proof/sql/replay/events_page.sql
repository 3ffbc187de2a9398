-- The next events of an organization, in order.
select e.seq, e.kind, e.body::text as body
from events e
where e.organization_id = $1 and e.seq > $2
order by e.seq
limit $3

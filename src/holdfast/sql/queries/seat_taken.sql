-- The first time from now on at which something other than an absence sits on a seat that would go.
select c.starts_at
from claims c
where c.organization_id = $1 and c.resource_id = $2 and c.seat >= $3
  and c.starts_at > $4::timestamptz - interval '26 hours' and c.ends_at > $4
  and c.kind not in ('closure', 'time_off')
order by c.starts_at
limit 1

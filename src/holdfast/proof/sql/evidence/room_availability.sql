-- Is a room free: its claims that touch a span, as deciding and searching read them.
explain (analyze, buffers, costs off)
select c.seat, c.starts_at, c.ends_at, c.kind, c.appointment_id
from claims c
where c.organization_id = $1 and c.resource_id = $2
  and c.starts_at > $3::timestamptz - interval '26 hours' and c.starts_at < $4::timestamptz and c.ends_at > $3::timestamptz
order by c.starts_at

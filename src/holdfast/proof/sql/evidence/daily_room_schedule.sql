-- What takes place in a room on a day, in order.
explain (analyze, buffers, costs off)
select a.id, a.starts_at, a.ends_at, a.status
from appointments a
where a.organization_id = $1 and a.clinic_id = $2 and a.room_id = $3
  and a.starts_at >= $4::timestamptz and a.starts_at < $4::timestamptz + interval '1 day'
  and a.status not in ('cancelled', 'no_show')
order by a.starts_at, a.id

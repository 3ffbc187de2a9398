-- The visits of a clinic that begin in a span of time and whose room a plan may choose: not pinned, nobody there yet,
-- in no group, which has its room; all, or
-- those without a room.
select a.id
from appointments a
where a.organization_id = $1 and a.clinic_id = $2 and a.starts_at >= greatest($3::timestamptz, now()) and a.starts_at < $4
  and a.location = 'on_site' and a.status = any($5) and not a.pinned and a.group_id is null and (a.room_id is null or not $6)
order by a.starts_at, a.id
limit $7

-- The active visits on site in the way of a clinic's or a room's closure, earliest first.
select a.id, as_instant(a.starts_at) as start, as_instant(a.ends_at) as "end", a.status
from appointments a
where a.organization_id = $1 and a.clinic_id = $2 and a.location = 'on_site'
  and ($3::uuid is null or a.room_id = $3)
  and a.starts_at < $5 and a.starts_at > $4::timestamptz - interval '24 hours' and a.ends_at > $4
  and a.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress')
order by a.starts_at, a.id

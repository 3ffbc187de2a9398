-- The visits on site that begin in a clinic's span, for clinics and a span each, and that keep their time; not a group's,
-- which has its room.
select a.id::text
from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) w (clinic_id, starts_at, ends_at)
join appointments a on a.organization_id = $1 and a.clinic_id = w.clinic_id
  and a.starts_at >= w.starts_at and a.starts_at < w.ends_at
where a.location = 'on_site' and a.status not in ('cancelled', 'no_show')
  and a.group_id is null
limit $5

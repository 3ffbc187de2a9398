-- The active visits in the way of a practitioner's time off, earliest first.
select a.id, as_instant(a.starts_at) as start, as_instant(a.ends_at) as "end", a.status
from appointments a
where a.organization_id = $1
  and a.id in (
    select l.appointment_id
    from appointment_lines l
    where l.organization_id = $1 and l.practitioner_id = $2
      and l.starts_at < $4 and l.starts_at > $3::timestamptz - interval '24 hours' and l.ends_at > $3)
  and a.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress')
order by a.starts_at, a.id

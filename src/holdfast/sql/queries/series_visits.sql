-- Where the visits of a series stand, and whose they are.
select a.id::text as id, date_part('epoch', a.starts_at)::bigint as starts_at, a.status, a.version,
  array(
    select l.practitioner_id::text from appointment_lines l
    where l.organization_id = $1 and l.appointment_id = a.id) as practitioner_ids
from appointments a
where a.organization_id = $1 and a.series_id = $2

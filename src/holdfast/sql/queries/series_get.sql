-- One series with its clinic's zone, and the seq it is true at. Nothing if there is none.
select s.id::text as id, s.clinic_id::text as clinic_id, s.patient_id::text as patient_id, s.rrule, s.exdates,
  s.dates::text as dates, s.version, s.created_by::text as created_by,
  date_part('epoch', s.created_at)::bigint as created_at, date_part('epoch', s.updated_at)::bigint as updated_at,
  c.time_zone, t.seq
from series s
join clinics c on c.organization_id = $1 and c.id = s.clinic_id
join turns t on t.organization_id = $1
where s.organization_id = $1 and s.id = $2

-- Which practitioners have given some patients a visit within a year, each pair once.
select distinct a.patient_id::text, l.practitioner_id::text
from appointments a
join appointment_lines l on l.organization_id = $1 and l.appointment_id = a.id
where a.organization_id = $1 and a.patient_id = any ($2::uuid[]) and a.status = 'completed'
  and a.starts_at > $3::timestamptz - interval '1 year' and a.starts_at <= $3

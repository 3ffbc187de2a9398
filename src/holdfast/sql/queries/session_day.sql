-- The visits of the same patient and local date as each of some visits, themselves too, that have a signed line.
select a.id as appointment_id, b.id as other_id
from appointments a
join clinics c on c.organization_id = $1 and c.id = a.clinic_id
join appointments b on b.organization_id = $1 and b.patient_id = a.patient_id
  and b.starts_at > a.starts_at - interval '3 days' and b.starts_at < a.starts_at + interval '3 days'
join clinics d on d.organization_id = $1 and d.id = b.clinic_id
where a.organization_id = $1 and a.id = any($2)
  and (a.starts_at at time zone c.time_zone)::date = (b.starts_at at time zone d.time_zone)::date
  and exists (
    select from appointment_lines l
    where l.organization_id = $1 and l.appointment_id = b.id and l.line_status = 'signed')

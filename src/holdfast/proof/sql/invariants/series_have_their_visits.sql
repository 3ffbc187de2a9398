-- A series names each of its visits once, and each visit of it is the same patient's in the same clinic.
select coalesce(d.series_id, a.series_id) as series_id, coalesce(d.id, a.id) as appointment_id
from (
  select s.id as series_id, s.clinic_id, s.patient_id, (e.date ->> 'appointment_id')::uuid as id
  from series s
  cross join lateral jsonb_array_elements(s.dates) e(date)
  where s.organization_id = $1 and e.date ->> 'appointment_id' is not null) d
full join (
  select v.* from appointments v where v.organization_id = $1 and v.series_id is not null) a
  on (a.id, a.series_id, a.clinic_id, a.patient_id) = (d.id, d.series_id, d.clinic_id, d.patient_id)
group by 1, 2
having count(a.id) <> 1 or count(d.id) <> 1

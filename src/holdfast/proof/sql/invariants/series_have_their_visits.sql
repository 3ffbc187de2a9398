-- A series names each of its visits, and once; each is the same patient's in the same clinic.
with named as (
  select s.id as series_id, s.clinic_id, s.patient_id, (e.date ->> 'appointment_id')::uuid as appointment_id
  from series s
  cross join lateral jsonb_array_elements(s.dates) e(date)
  where s.organization_id = $1 and e.date ->> 'appointment_id' is not null)
select coalesce(n.series_id, a.series_id) as series_id, coalesce(n.appointment_id, a.id) as appointment_id
from named n
full join (select v.* from appointments v where v.organization_id = $1 and v.series_id is not null) a
  on (a.id, a.series_id, a.clinic_id, a.patient_id) = (n.appointment_id, n.series_id, n.clinic_id, n.patient_id)
where n.appointment_id is null or a.id is null
union all
select n.series_id, n.appointment_id from named n group by n.series_id, n.appointment_id having count(*) > 1

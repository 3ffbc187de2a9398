-- Counts anew the units of all patients who have a visit at a clinic or with a service ($2): its zone or code has changed.
with patient as (
  select distinct a.patient_id
  from appointments a
  where a.organization_id = $1 and (a.clinic_id = $2 or exists (
    select from appointment_lines l
    where l.organization_id = $1 and l.appointment_id = a.id and l.service_id = $2))
), held as (
  select a.patient_id, (a.starts_at at time zone c.time_zone)::date as on_date, z.payer_id, s.code,
         sum(l.units_reserved + coalesce(l.units_used, 0)) as units
  from patient p
  join appointments a on a.organization_id = $1 and a.patient_id = p.patient_id
  join appointment_lines l on l.organization_id = $1 and l.appointment_id = a.id
  join clinics c on c.organization_id = $1 and c.id = a.clinic_id
  join services s on s.organization_id = $1 and s.id = l.service_id
  join authorizations z on z.organization_id = $1 and z.id = l.authorization_id
  where l.units_reserved + coalesce(l.units_used, 0) > 0
  group by 1, 2, 3, 4
), counted as (
  select u.patient_id, u.on_date, u.payer_id, u.code
  from patient p
  join unit_counts u on u.organization_id = $1 and u.patient_id = p.patient_id
)
insert into unit_counts (organization_id, patient_id, on_date, payer_id, code, units)
select $1, patient_id, on_date, payer_id, code, coalesce(h.units, 0)
from held h
full join counted u using (patient_id, on_date, payer_id, code)
on conflict (organization_id, patient_id, on_date, payer_id, code) do update set units = excluded.units

-- What is counted against caps is what the visits of that patient, payer, code and local date hold and have used.
with held as (
  select a.patient_id, (a.starts_at at time zone c.time_zone)::date as on_date, z.payer_id, s.code,
         sum(l.units_reserved + coalesce(l.units_used, 0)) as units
  from appointment_lines l
  join appointments a on a.organization_id = l.organization_id and a.id = l.appointment_id
  join clinics c on c.organization_id = a.organization_id and c.id = a.clinic_id
  join services s on s.organization_id = l.organization_id and s.id = l.service_id
  join authorizations z on z.organization_id = l.organization_id and z.id = l.authorization_id
  where l.organization_id = $1 and l.units_reserved + coalesce(l.units_used, 0) > 0
  group by 1, 2, 3, 4
), counted as (
  select u.patient_id, u.on_date, u.payer_id, u.code, u.units from unit_counts u where u.organization_id = $1
)
select patient_id, on_date::text as on_date, payer_id, code, h.units as held, u.units as counted
from held h
full join counted u using (patient_id, on_date, payer_id, code)
where coalesce(h.units, 0) <> coalesce(u.units, 0)

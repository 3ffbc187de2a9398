-- The lines that were booked against an authorization wait for its approval no more; the ids of their visits.
with waited as (
  update appointment_lines l
  set funding = null
  from authorizations z
  join appointments a on a.organization_id = $1 and a.patient_id = z.patient_id
  where z.organization_id = $1 and z.id = $2
    and l.organization_id = $1 and l.appointment_id = a.id and l.authorization_id = z.id and l.funding = 'pending'
  returning l.appointment_id
)
update appointments a
set version = a.version + 1, updated_at = $3
from (select distinct w.appointment_id from waited w) w
where a.organization_id = $1 and a.id = w.appointment_id
returning a.id

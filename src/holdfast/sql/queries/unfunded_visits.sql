-- The visits of an authorization's patient that are not over and lack units, the earliest first; of one series, if it is
-- named.
select a.id
from authorizations z
join appointments a on a.organization_id = $1 and a.patient_id = z.patient_id
where z.organization_id = $1 and z.id = $2
  and a.starts_at > $3::timestamptz - interval '24 hours' and a.ends_at > $3
  and a.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress')
  and ($4::uuid is null or a.series_id = $4)
  and exists (
    select from appointment_lines l
    where l.organization_id = $1 and l.appointment_id = a.id and l.unfunded_units > 0)
order by a.starts_at, a.id
limit $5

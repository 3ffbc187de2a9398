-- Whom invented visits are for, each with an authorization that a visit of any date may use, where there is one.
select p.id, z.id as authorization_id
from patients p
left join lateral (
  select z.id
  from authorizations z
  where z.organization_id = $1 and z.patient_id = p.id and z.approval = 'approved' and $2 = any (z.service_codes)
    and z.start_date <= $3 and z.end_date >= $4 and z.total_units - z.used_units - z.scheduled_units >= $5
  order by z.end_date, z.id
  limit 1) z on true
where p.organization_id = $1 and p.is_active
order by p.id

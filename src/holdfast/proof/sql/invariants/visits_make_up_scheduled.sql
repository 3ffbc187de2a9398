-- What visits hold of an authorization and what was reserved by hand is exactly what is scheduled.
select z.id, z.scheduled_units, z.manual_units, h.held
from authorizations z
left join (
  select l.authorization_id, sum(l.units_reserved) as held
  from appointment_lines l
  where l.organization_id = $1 and l.authorization_id is not null and l.line_status <> 'signed'
  group by l.authorization_id) h on h.authorization_id = z.id
where z.organization_id = $1 and z.scheduled_units <> z.manual_units + coalesce(h.held, 0)

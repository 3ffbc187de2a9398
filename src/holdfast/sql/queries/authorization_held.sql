-- The lines of visits that hold units of an authorization, by time. The ledger names every line that ever held some.
select l.appointment_id::text, l.line_no, (a.starts_at at time zone c.time_zone)::date as local_date, s.code, l.units_reserved,
       as_instant(a.starts_at) as start, a.status
from (
  select distinct e.appointment_id, e.line_no
  from authorization_entries e
  where e.organization_id = $1 and e.authorization_id = $2 and e.appointment_id is not null) n
join appointment_lines l
  on l.organization_id = $1 and l.appointment_id = n.appointment_id and l.line_no = n.line_no and l.authorization_id = $2
join appointments a on a.organization_id = $1 and a.id = l.appointment_id
join clinics c on c.organization_id = $1 and c.id = a.clinic_id
join services s on s.organization_id = $1 and s.id = l.service_id
where l.units_reserved > 0 and l.line_status <> 'signed'
order by a.starts_at, l.appointment_id, l.line_no

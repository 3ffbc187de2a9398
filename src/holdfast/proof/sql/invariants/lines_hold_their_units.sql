-- Each line of an active visit that is not completed holds the units that its service asks for, from its own
-- patient's authorization; what has let go of its time, and what is signed, holds none. A service changed since is not asked
-- about.
select a.id, l.line_no, a.status, l.authorization_id, l.units_reserved
from appointments a
join appointment_lines l on l.organization_id = a.organization_id and l.appointment_id = a.id
left join services s on s.organization_id = l.organization_id and s.id = l.service_id
left join authorizations z on z.organization_id = l.organization_id and z.id = l.authorization_id
where a.organization_id = $1
  and not coalesce(case
    when a.status in ('cancelled', 'no_show') or l.line_status = 'signed' then l.units_reserved = 0
    when l.authorization_id is null then
      l.units_reserved = 0
      and (not s.authorization_required or not l.billable or l.unfunded_units > 0
           or s.version > 1 and s.updated_at >= a.updated_at)
    when z.patient_id <> a.patient_id then false
    when a.status = 'completed' or s.version > 1 and s.updated_at >= a.updated_at then true
    else l.units_reserved + l.unfunded_units = case s.unit_basis
      when 'time' then ceil(date_part('epoch', l.ends_at - l.starts_at) / 60 / s.unit_minutes)
      else 1 end
  end, false)

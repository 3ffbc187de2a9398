-- The visits that a practitioner's time off may have flagged, whatever has become of them since: flagged ones around it.
select a.id
from appointments a
where a.organization_id = $1 and a.needs_action is not null
  and a.id in (
    select l.appointment_id
    from appointment_lines l
    where l.organization_id = $1 and l.practitioner_id = $2
      and l.starts_at < $4 and l.starts_at > $3::timestamptz - interval '24 hours')

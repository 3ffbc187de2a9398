-- The visits that a closure may have flagged, whatever has become of them since: flagged ones on site around its time.
select a.id
from appointments a
where a.organization_id = $1 and a.clinic_id = $2 and a.needs_action is not null
  and ($3::uuid is null or a.room_id = $3)
  and a.starts_at < $5 and a.starts_at > $4::timestamptz - interval '24 hours'

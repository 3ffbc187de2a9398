-- Every hold that has not ended, as events tell of it.
select h.id::text as id, json_build_object(
    'id', h.id, 'clinic_id', h.clinic_id, 'patient_id', h.patient_id, 'room_id', h.room_id, 'location', h.location,
    'start', as_instant(h.starts_at), 'end', as_instant(h.ends_at), 'turnover_minutes', h.turnover_minutes,
    'expires_at', as_instant(h.expires_at),
    'practitioner_ids', array(
      select distinct l.line ->> 'practitioner_id' as practitioner
      from jsonb_array_elements(h.lines) l(line)
      order by practitioner))::text as document
from holds h
where h.organization_id = $1 and h.ended_as is null

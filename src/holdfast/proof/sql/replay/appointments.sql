-- Every appointment with its lines as events tell of them.
select a.id::text as id, json_build_object(
    'id', a.id, 'clinic_id', a.clinic_id, 'patient_id', a.patient_id, 'room_id', a.room_id, 'location', a.location,
    'start', as_instant(a.starts_at), 'end', as_instant(a.ends_at), 'status', a.status,
    'needs_action', a.needs_action, 'pinned', a.pinned, 'turnover_minutes', a.turnover_minutes,
    'units_reserved', coalesce(l.units_reserved, 0),
    'assignment', json_build_object(
      'method', a.assignment_method, 'policy_version', a.policy_version, 'score', a.score,
      'rules_applied', a.rules_applied),
    'series_id', a.series_id, 'group_id', a.group_id, 'version', a.version, 'lines', coalesce(l.lines, '[]'),
    'created_at', as_instant(a.created_at), 'updated_at', as_instant(a.updated_at))::text as document
from appointments a
left join (
  select l.appointment_id, sum(l.units_reserved) as units_reserved, json_agg(json_build_object(
      'line_no', l.line_no, 'practitioner_id', l.practitioner_id, 'service_id', l.service_id,
      'start', as_instant(l.starts_at), 'end', as_instant(l.ends_at), 'patient_present', l.patient_present,
      'authorization_id', l.authorization_id, 'billable', l.billable, 'units_reserved', l.units_reserved,
      'unfunded_units', l.unfunded_units, 'minutes_actual', l.minutes_actual,
      'travel_before_minutes', l.travel_before_minutes, 'buffer_minutes', l.buffer_minutes,
      'line_status', l.line_status, 'caregiver_id', l.caregiver_id, 'units_used', l.units_used,
      'funding', l.funding) order by l.line_no) as lines
  from appointment_lines l
  where l.organization_id = $1
  group by l.appointment_id) l on l.appointment_id = a.id
where a.organization_id = $1

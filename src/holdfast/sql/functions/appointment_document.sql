-- One appointment with its lines as the decision reads it; instants are epoch seconds, UTC. Null if there is none.
create or replace function appointment_document(organization uuid, appointment uuid)
returns json
language sql stable
as $$
  select json_build_object(
    'id', a.id, 'clinic_id', a.clinic_id, 'patient_id', a.patient_id, 'room_id', a.room_id,
    'location', a.location, 'start', date_part('epoch', a.starts_at)::bigint,
    'end', date_part('epoch', a.ends_at)::bigint, 'status', a.status, 'needs_action', a.needs_action,
    'pinned', a.pinned, 'turnover_minutes', a.turnover_minutes, 'method', a.assignment_method,
    'policy_version', a.policy_version, 'score', a.score, 'rules_applied', a.rules_applied,
    'cancelled_by', a.cancelled_by, 'cancel_reason_code', a.cancel_reason_code,
    'cancel_reason_encrypted', encode(a.cancel_reason_encrypted, 'hex'),
    'cancelled_at', date_part('epoch', a.cancelled_at)::bigint, 'notice_minutes', a.notice_minutes,
    'cancelled_late', a.cancelled_late, 'checked_in_at', date_part('epoch', a.checked_in_at)::bigint,
    'started_at', date_part('epoch', a.started_at)::bigint,
    'completed_at', date_part('epoch', a.completed_at)::bigint,
    'replaces_appointment_id', a.replaces_appointment_id,
    'is_replaced', case when a.status in ('cancelled', 'no_show') then exists (
      select from appointments r
      where r.organization_id = organization and r.replaces_appointment_id = a.id
        and r.cancelled_by is distinct from 'error') else false end,
    'series_id', a.series_id, 'group_id', a.group_id,
    'group', case when a.group_id is not null then (
      select json_build_object(
        'start', date_part('epoch', b.starts_at)::bigint, 'end', date_part('epoch', b.ends_at)::bigint,
        'practitioner_id', g.practitioner_id, 'room_id', b.room_id, 'members_max', g.members_max,
        'turnover_minutes', g.turnover_minutes,
        'is_cancelled', b.deleted_at is not null)
      from groups g
      join blocks b on b.organization_id = organization and b.id = g.id
      where g.organization_id = organization and g.id = a.group_id) end,
    'notes_encrypted', encode(a.notes_encrypted, 'hex'), 'created_by', a.created_by, 'version', a.version,
    'created_at', date_part('epoch', a.created_at)::bigint,
    'updated_at', date_part('epoch', a.updated_at)::bigint,
    'lines', (
      select json_agg(json_build_object(
        'line_no', l.line_no, 'practitioner_id', l.practitioner_id, 'service_id', l.service_id,
        'start', date_part('epoch', l.starts_at)::bigint, 'end', date_part('epoch', l.ends_at)::bigint,
        'patient_present', l.patient_present, 'authorization_id', l.authorization_id,
        'billable', l.billable, 'units_reserved', l.units_reserved, 'unfunded_units', l.unfunded_units,
        'minutes_actual', l.minutes_actual, 'travel_before_minutes', l.travel_before_minutes,
        'buffer_minutes', l.buffer_minutes, 'line_status', l.line_status, 'caregiver_id', l.caregiver_id,
        'units_used', l.units_used, 'funding', l.funding) order by l.line_no)
      from appointment_lines l
      where l.organization_id = organization and l.appointment_id = a.id),
    'patient_name', (
      select p.given_name || ' ' || p.family_name from patients p
      where p.organization_id = organization and p.id = a.patient_id))
  from appointments a
  where a.organization_id = organization and a.id = appointment
$$;

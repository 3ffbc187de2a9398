-- Every group, cancelled or not, as events tell of it.
select g.id::text as id, json_build_object(
    'id', g.id, 'clinic_id', g.clinic_id, 'service_id', g.service_id, 'practitioner_id', g.practitioner_id,
    'room_id', b.room_id, 'location', g.location, 'start', as_instant(b.starts_at), 'end', as_instant(b.ends_at),
    'status', case when b.deleted_at is null then 'scheduled' else 'cancelled' end,
    'members_min', g.members_min, 'members_max', g.members_max,
    'travel_before_minutes', g.travel_before_minutes, 'buffer_minutes', g.buffer_minutes,
    'turnover_minutes', g.turnover_minutes,
    'assignment', json_build_object(
      'method', g.assignment_method, 'policy_version', g.policy_version, 'score', g.score,
      'rules_applied', g.rules_applied),
    'version', b.version, 'created_at', as_instant(b.created_at), 'updated_at', as_instant(b.updated_at))::text as document
from groups g
join blocks b on b.organization_id = g.organization_id and b.id = g.id
where g.organization_id = $1

-- One hold as the decision reads it, with the claims that it has; instants are epoch seconds, UTC. Null if there is none.
create or replace function expiring_hold(organization uuid, hold uuid)
returns json
language sql stable
as $$
  select json_build_object(
    'id', h.id, 'clinic_id', h.clinic_id, 'patient_id', h.patient_id, 'room_id', h.room_id, 'location', h.location,
    'start', date_part('epoch', h.starts_at)::bigint, 'end', date_part('epoch', h.ends_at)::bigint, 'status', 'held',
    'turnover_minutes', h.turnover_minutes, 'lines', h.lines, 'created_by', h.created_by,
    'created_at', date_part('epoch', h.created_at)::bigint, 'expires_at', date_part('epoch', h.expires_at)::bigint,
    'ended_as', h.ended_as, 'claims', coalesce((
      select json_agg(json_build_array(
        c.resource_id, c.seat, date_part('epoch', c.starts_at)::bigint, date_part('epoch', c.ends_at)::bigint, c.kind,
        c.hold_id) order by c.resource_id, c.starts_at)
      from claims c
      where c.organization_id = organization and c.hold_id = h.id), '[]'))
  from holds h
  where h.organization_id = organization and h.id = hold
$$;

-- Rooms as the API shows them.
create or replace function room_documents(organization uuid)
returns table (id uuid, version integer, document json)
language sql stable
as $$
  select r.id, r.version, json_build_object(
    'id', r.id, 'clinic_id', r.clinic_id, 'number', r.number, 'name', r.name, 'room_type', r.room_type,
    'capacity', r.capacity, 'concurrent_visits_max', r.concurrent_visits_max, 'equipment', r.equipment,
    'accessibility', r.accessibility, 'cleaning_minutes', r.cleaning_minutes, 'is_available', r.is_available,
    'color', r.color, 'display_order', r.display_order, 'is_active', r.is_active, 'version', r.version,
    'created_at', as_instant(r.created_at), 'updated_at', as_instant(r.updated_at))
  from rooms r
  where r.organization_id = organization
$$;

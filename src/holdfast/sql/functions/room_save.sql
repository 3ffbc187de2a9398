-- Writes one room as its document says, new or changed. Its seats are set apart (set_seats).
create or replace function room_save(organization uuid, document json, saved_at timestamptz)
returns void
language sql volatile
as $$
  insert into resources (organization_id, id, kind) values (organization, (document ->> 'id')::uuid, 'room')
  on conflict (organization_id, id) do nothing;

  insert into rooms (
    organization_id, id, clinic_id, number, name, room_type, capacity, concurrent_visits_max, equipment,
    accessibility, cleaning_minutes, is_available, color, display_order, is_active, version, created_at, updated_at)
  select organization, d.id, d.clinic_id, d.number, d.name, d.room_type, d.capacity, d.concurrent_visits_max,
         d.equipment, d.accessibility, d.cleaning_minutes, d.is_available, d.color, d.display_order, d.is_active,
         d.version, saved_at, saved_at
  from json_populate_record(null::rooms, document) d
  on conflict (organization_id, id) do update
    set number = excluded.number, name = excluded.name, room_type = excluded.room_type,
        capacity = excluded.capacity, concurrent_visits_max = excluded.concurrent_visits_max,
        equipment = excluded.equipment, accessibility = excluded.accessibility,
        cleaning_minutes = excluded.cleaning_minutes, is_available = excluded.is_available,
        color = excluded.color, display_order = excluded.display_order, is_active = excluded.is_active,
        version = excluded.version, updated_at = excluded.updated_at;
$$;

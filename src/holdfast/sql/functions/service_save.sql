-- Writes one service as its document says, new or changed.
create or replace function service_save(organization uuid, document json, saved_at timestamptz)
returns void
language sql volatile
as $$
  insert into services (
    organization_id, id, name, code, duration_minutes, locations, attendance, room_types, equipment, capacity,
    required_credentials, turnover_minutes, unit_basis, unit_minutes, authorization_required, shares_practitioner,
    is_active, version, created_at, updated_at)
  select organization, d.id, d.name, d.code, d.duration_minutes, d.locations, d.attendance, d.room_types,
         d.equipment, d.capacity, d.required_credentials, d.turnover_minutes, d.unit_basis, d.unit_minutes,
         d.authorization_required, d.shares_practitioner, d.is_active, d.version, saved_at, saved_at
  from json_populate_record(null::services, document) d
  on conflict (organization_id, id) do update
    set name = excluded.name, code = excluded.code, duration_minutes = excluded.duration_minutes,
        locations = excluded.locations, attendance = excluded.attendance, room_types = excluded.room_types,
        equipment = excluded.equipment, capacity = excluded.capacity,
        required_credentials = excluded.required_credentials, turnover_minutes = excluded.turnover_minutes,
        unit_basis = excluded.unit_basis, unit_minutes = excluded.unit_minutes,
        authorization_required = excluded.authorization_required,
        shares_practitioner = excluded.shares_practitioner, is_active = excluded.is_active,
        version = excluded.version, updated_at = excluded.updated_at;
$$;

-- Services as the API shows them; the first of the locations is where it is given unless a booking says otherwise.
create or replace function service_documents(organization uuid)
returns table (id uuid, version integer, document json)
language sql stable
as $$
  select s.id, s.version, json_build_object(
    'id', s.id, 'name', s.name, 'code', s.code, 'duration_minutes', s.duration_minutes,
    'location', s.locations[1], 'locations', s.locations, 'attendance', s.attendance, 'room_types', s.room_types,
    'equipment', s.equipment, 'capacity', s.capacity, 'required_credentials', s.required_credentials,
    'turnover_minutes', s.turnover_minutes, 'unit_basis', s.unit_basis, 'unit_minutes', s.unit_minutes,
    'authorization_required', s.authorization_required, 'shares_practitioner', s.shares_practitioner,
    'is_active', s.is_active, 'version', s.version,
    'created_at', as_instant(s.created_at), 'updated_at', as_instant(s.updated_at))
  from services s
  where s.organization_id = organization
$$;

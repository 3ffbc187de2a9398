-- Writes one clinic as its document says, new or changed, with its hours.
create or replace function clinic_save(organization uuid, document json, saved_at timestamptz)
returns void
language sql volatile
as $$
  insert into clinics (organization_id, id, name, time_zone, allow_unassigned, is_active, version, created_at, updated_at)
  select organization, d.id, d.name, d.time_zone, d.allow_unassigned, d.is_active, d.version, saved_at, saved_at
  from json_populate_record(null::clinics, document) d
  on conflict (organization_id, id) do update
    set name = excluded.name, time_zone = excluded.time_zone, allow_unassigned = excluded.allow_unassigned,
        is_active = excluded.is_active, version = excluded.version, updated_at = excluded.updated_at;

  delete from opening_hours h where h.organization_id = organization and h.clinic_id = (document ->> 'id')::uuid;
  insert into opening_hours (organization_id, clinic_id, weekday, opens, closes)
  select organization, (document ->> 'id')::uuid, h.weekday, h.start, h."end"
  from json_to_recordset(document -> 'opening_hours') as h(weekday smallint, start time, "end" time);
$$;

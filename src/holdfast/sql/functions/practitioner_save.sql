-- Writes one practitioner as the document says, new or changed, with clinics, credentials, hours and exceptions.
-- The seats are set apart (set_seats). Languages that a server of the release before does not send stay.
create or replace function practitioner_save(organization uuid, document json, saved_at timestamptz)
returns void
language plpgsql volatile
as $$
declare
  practitioner uuid := document ->> 'id';
begin
  insert into resources (organization_id, id, kind) values (organization, practitioner, 'practitioner')
  on conflict (organization_id, id) do nothing;

  insert into practitioners (
    organization_id, id, name, buffer_minutes, concurrent_visits_max, is_active, version, created_at, updated_at,
    languages)
  select organization, practitioner, d.name, d.buffer_minutes, d.concurrent_visits_max, d.is_active, d.version,
         saved_at, saved_at, coalesce(d.languages, '{}')
  from json_populate_record(null::practitioners, document) d
  on conflict (organization_id, id) do update
    set name = excluded.name, buffer_minutes = excluded.buffer_minutes,
        concurrent_visits_max = excluded.concurrent_visits_max, is_active = excluded.is_active,
        version = excluded.version, updated_at = excluded.updated_at,
        languages = case when document -> 'languages' is null then practitioners.languages else excluded.languages end;

  delete from practitioner_clinics c where c.organization_id = organization and c.practitioner_id = practitioner;
  insert into practitioner_clinics (organization_id, practitioner_id, clinic_id)
  select organization, practitioner, c.id::uuid from json_array_elements_text(document -> 'clinic_ids') c(id);

  delete from practitioner_credentials k where k.organization_id = organization and k.practitioner_id = practitioner;
  insert into practitioner_credentials (
    organization_id, practitioner_id, position, code, valid_from, valid_to, state)
  select organization, practitioner, k.position, k.code, k.valid_from, k.valid_to, k.state
  from rows from (json_to_recordset(document -> 'credentials')
                  as (code text, valid_from date, valid_to date, state text))
       with ordinality as k(code, valid_from, valid_to, state, position);

  delete from working_hours h where h.organization_id = organization and h.practitioner_id = practitioner;
  insert into working_hours (
    organization_id, practitioner_id, position, clinic_id, weekday, starts, ends, valid_from, valid_to)
  select organization, practitioner, h.position, h.clinic_id, h.weekday, h.starts, h.ends, h.valid_from, h.valid_to
  from rows from (json_to_recordset(document -> 'working_hours')
                  as (clinic_id uuid, weekday smallint, start time, "end" time, valid_from date, valid_to date))
       with ordinality as h(clinic_id, weekday, starts, ends, valid_from, valid_to, position);

  delete from hours_exceptions x where x.organization_id = organization and x.practitioner_id = practitioner;
  insert into hours_exceptions (organization_id, practitioner_id, position, clinic_id, on_date, starts, ends)
  select organization, practitioner, x.position, x.clinic_id, x.on_date, x.starts, x.ends
  from rows from (json_to_recordset(document -> 'hours_exceptions')
                  as (clinic_id uuid, "date" date, start time, "end" time))
       with ordinality as x(clinic_id, on_date, starts, ends, position);
end
$$;

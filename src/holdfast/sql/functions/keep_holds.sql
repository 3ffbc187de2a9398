-- Writes holds: new ones, and how others have ended. Their claims come and go with the batch's.
create or replace function keep_holds(
  organization uuid, decided timestamptz, holds_new new_hold[], holds_ended ended_hold[])
returns void
language plpgsql volatile
as $$
declare
  touched bigint;
begin
  insert into holds (
    organization_id, id, clinic_id, patient_id, practitioner_id, service_id, room_id, location, starts_at, ends_at,
    turnover_minutes, lines, expires_at, created_by, created_at)
  select organization, r.id, r.clinic_id, r.patient_id, r.practitioner_id, r.service_id, r.room_id, r.location,
         to_timestamp(r.starts_at), to_timestamp(r.ends_at), r.turnover_minutes, r.lines, to_timestamp(r.expires_at),
         r.created_by, decided
  from unnest(holds_new) r;

  update holds h
  set ended_as = r.ended_as, ended_at = decided, appointment_id = r.appointment_id
  from unnest(holds_ended) r
  where h.organization_id = organization and h.id = r.id and h.ended_as is null;
  get diagnostics touched = row_count;
  perform demand(touched = cardinality(holds_ended), 'a hold to end is not open');
end
$$;

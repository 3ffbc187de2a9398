-- Gives time that has become free to the closures and time off that cover it: what a block or another absence lets go
-- of inside them is theirs.
create or replace function fill_absences(
  organization uuid, resources uuid[], from_time timestamptz, to_time timestamptz)
returns void
language plpgsql volatile
as $$
begin
  perform claim_free_time(
    organization, array[r.id], greatest(x.starts_at, from_time), least(x.ends_at, to_time), 'closure', x.id, null)
  from closures x
  join rooms r on r.organization_id = organization and r.clinic_id = x.clinic_id and r.id = any (resources)
  where x.organization_id = organization and x.ends_at > from_time and x.ends_at < to_time + interval '367 days'
    and x.starts_at < to_time and (x.room_id is null or x.room_id = r.id);
  perform claim_free_time(
    organization, array[x.practitioner_id], greatest(x.starts_at, from_time), least(x.ends_at, to_time), 'time_off', null,
    x.id)
  from time_off x
  where x.organization_id = organization and x.ends_at > from_time and x.ends_at < to_time + interval '367 days'
    and x.starts_at < to_time and x.practitioner_id = any (resources);
end
$$;

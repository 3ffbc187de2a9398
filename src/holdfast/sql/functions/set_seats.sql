-- Gives a resource its seats 0 .. seats_wanted - 1. Seats beyond go, except those that past visits sat on; the caller
-- has made sure that none of them is taken from saved_at on. New seats are absent when the others are.
create or replace function set_seats(
  organization uuid, resource uuid, resource_kind text, seats_wanted integer, saved_at timestamptz)
returns void
language plpgsql volatile
as $$
begin
  delete from claims c
  where c.organization_id = organization and c.resource_id = resource and c.seat >= seats_wanted
    and c.kind in ('closure', 'time_off') and c.starts_at >= saved_at;
  delete from resource_seats s
  where s.organization_id = organization and s.resource_id = resource and s.seat >= seats_wanted
    and not exists (
      select from claims c
      where c.organization_id = organization and c.resource_id = resource and c.seat = s.seat);

  insert into resource_seats (organization_id, resource_id, seat, kind)
  select organization, resource, n, resource_kind from generate_series(0, seats_wanted - 1) n
  on conflict (organization_id, resource_id, seat) do nothing;
  if not found then
    return;
  end if;

  perform claim_free_time(organization, array[resource], x.starts_at, x.ends_at, 'closure', x.id, null)
  from closures x
  join rooms r on r.organization_id = organization and r.id = resource
  where x.organization_id = organization and x.ends_at > saved_at and x.clinic_id = r.clinic_id
    and (x.room_id is null or x.room_id = resource);
  perform claim_free_time(organization, array[resource], x.starts_at, x.ends_at, 'time_off', null, x.id)
  from time_off x
  where x.organization_id = organization and x.ends_at > saved_at and x.practitioner_id = resource;
end
$$;

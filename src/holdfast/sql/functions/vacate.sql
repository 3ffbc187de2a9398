-- Takes claims away, and sets claims on other seats of their resource: of these, all leave their seats before the first
-- sits down again (the sort reads every deleted row first), so any exchange of seats goes through.
create or replace function vacate(organization uuid, claims_gone gone_claim[], claims_moved moved_claim[])
returns void
language plpgsql volatile
as $$
declare
  touched bigint;
begin
  -- made instants first (offset 0): a function of a row may not go to the index past the policy
  delete from claims c
  using (select r.resource_id, r.seat, to_timestamp(r.starts_at) as starts_at from unnest(claims_gone) r offset 0) g
  where c.organization_id = organization and (c.resource_id, c.starts_at, c.seat) = (g.resource_id, g.starts_at, g.seat);
  get diagnostics touched = row_count;
  perform demand(touched = cardinality(claims_gone), 'a claim to release is not there');

  with risen as (
    delete from claims c
    using (select r.resource_id, r.seat, r.seat_new, to_timestamp(r.starts_at) as starts_at
           from unnest(claims_moved) r offset 0) m
    where c.organization_id = organization
      and (c.resource_id, c.starts_at, c.seat) = (m.resource_id, m.starts_at, m.seat)
    returning c.*, m.seat_new)
  insert into claims (
    organization_id, resource_id, seat, starts_at, ends_at, kind, appointment_id, hold_id, block_id, closure_id,
    time_off_id, expires_at)
  select r.organization_id, r.resource_id, r.seat_new, r.starts_at, r.ends_at, r.kind, r.appointment_id, r.hold_id,
         r.block_id, r.closure_id, r.time_off_id, r.expires_at
  from risen r
  order by r.resource_id, r.starts_at;
  get diagnostics touched = row_count;
  perform demand(touched = cardinality(claims_moved), 'a claim to move is not there');
end
$$;

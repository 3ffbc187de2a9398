-- Takes time: the claims that a batch decided on, each for its owner, which is of its kind.
create or replace function occupy(organization uuid, claims_new new_claim[])
returns void
language plpgsql volatile
as $$
begin
  insert into claims (
    organization_id, resource_id, seat, starts_at, ends_at, kind, appointment_id, hold_id, block_id, closure_id, time_off_id,
    expires_at)
  select organization, r.resource_id, r.seat, to_timestamp(r.starts_at), to_timestamp(r.ends_at), r.kind,
         case when r.kind in ('visit', 'turnover') then r.owner_id end,
         case r.kind when 'hold' then r.owner_id end,
         case when r.kind in ('group', 'group_turnover') then r.owner_id end,
         case r.kind when 'closure' then r.owner_id end,
         case r.kind when 'time_off' then r.owner_id end,
         case r.kind when 'hold' then (
           select h.expires_at from holds h where h.organization_id = organization and h.id = r.owner_id) end
  from unnest(claims_new) r;
end
$$;

-- Where many organizations stand, in one round trip: what a server asks every few hundredths of a second for the
-- organizations whose calendars are open in it. Each is read under its own tenant setting, so row-level security
-- holds; the setting ends with the statement's transaction. An organization that is not there is left out.
create or replace function seqs(organizations uuid[])
returns table (organization_id uuid, seq bigint)
language plpgsql volatile
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  organization uuid;
begin
  foreach organization in array organizations loop
    perform set_config('holdfast.organization_id', organization::text, true);
    return query select t.organization_id, t.seq from turns t where t.organization_id = organization;
  end loop;
end
$$;

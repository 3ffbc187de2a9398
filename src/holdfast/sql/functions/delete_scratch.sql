-- Deletes a scratch organization with every row of it, and says whether it was one: any other is left as it is. The
-- tables are taken from the catalog, those first that no remaining one refers to, so that a new table is never forgotten.
-- It runs as its owner, because what is append-only is so for the service role; the flag is set at an insert or never.
create or replace function delete_scratch(organization uuid)
returns boolean
language plpgsql volatile security definer
set search_path = public, pg_temp
as $$
declare
  remaining oid[];
  free oid[];
  tenant_table oid;
begin
  -- locked, so that nobody refers to the organization or to its users any more: later rows find nothing to refer to
  perform from organizations o where o.organization_id = organization and o.is_scratch for update;
  if not found then
    return false;
  end if;
  perform from users u where u.organization_id = organization for update;

  -- a user may be a contact, and a contact's consent was recorded by a user: cut here, or neither could go first
  update contacts c set consented_on = null, consent_recorded_by = null where c.organization_id = organization;

  select array_agg(c.oid) into remaining
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition;

  while cardinality(remaining) > 0 loop
    select array_agg(r.id) into free
    from unnest(remaining) as r (id)
    where not exists (
      select from pg_constraint k
      where k.contype = 'f' and k.conname <> 'contacts_consent_recorder_fkey' and k.confrelid = r.id and k.conrelid <> r.id and k.conrelid = any (remaining));
    perform demand(free is not null, 'tables refer to each other in a circle');
    foreach tenant_table in array free loop
      execute format('delete from %s t where t.organization_id = $1', tenant_table::regclass) using organization;
    end loop;
    select coalesce(array_agg(r.id), '{}') into remaining from unnest(remaining) as r (id) where r.id <> all (free);
  end loop;
  return true;
end
$$;

-- Who may do what. Run at every migrate: the service role reads and writes rows, owns nothing, and cannot
-- change what is append-only. Every tenant table is forced under one policy: the organization of the transaction.

grant usage on schema public to holdfast_service;
revoke create on schema public from public;

grant select, insert, update, delete on all tables in schema public to holdfast_service;
revoke update, delete on events, audit, batches, authorization_entries, denials from holdfast_service;
revoke delete on organizations, turns, users, clinics, rooms, practitioners, patients, services, payers,
  resources, appointments, appointment_lines, authorizations from holdfast_service;
grant execute on all functions in schema public to holdfast_service;

-- One policy per tenant table, the same on all of them; what is there already is left alone, since these
-- statements wait for everyone who uses the table.
do $$
declare
  tenant_table text;
begin
  for tenant_table in
    select c.relname
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
      and c.relname <> 'login_directory'
      and not (c.relrowsecurity and c.relforcerowsecurity
               and exists (select from pg_policy p where p.polrelid = c.oid))
  loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format('alter table %I force row level security', tenant_table);
    execute format(
      'create policy %I on %I using (organization_id = nullif(current_setting(''holdfast.organization_id'', true), '''')::uuid)',
      tenant_table || '_organization', tenant_table);
  end loop;
end
$$;

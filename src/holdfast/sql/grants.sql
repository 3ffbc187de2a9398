-- Who may do what. Run at every migrate: the service role reads and writes rows, owns nothing, and cannot
-- change what is append-only. Every tenant table is forced under one policy: the organization of the transaction.

grant usage on schema public to holdfast_service;
revoke create on schema public from public;

grant select, insert, update, delete on all tables in schema public to holdfast_service;
revoke update, delete on events, audit, batches, authorization_entries, denials, policy_states, room_grounds,
  break_glass_uses, session_versions from holdfast_service;
-- A claim is never moved, only released and made anew; an address never changes its organization.
revoke update on claims, login_directory, organizations, policies from holdfast_service;
grant update (name, time_zone, patient_label, settings, version) on organizations to holdfast_service;
-- What a policy says stays as it was saved; whether it is in force changes.
grant update (version, status, activated_as, activated_at, ended_at) on policies to holdfast_service;
revoke delete on blocks, policies from holdfast_service;
-- What was proposed stays as it was, and is carried out or not; what nobody carried out is thrown away in the end.
revoke update on room_plans from holdfast_service;
grant update (applied_by, applied_at) on room_plans to holdfast_service;
-- Who asked to read whose records, for how long and why, stays as it was; it is approved, and ends.
revoke update, delete on break_glass_requests from holdfast_service;
grant update (version, approved_by, approved_at, ended_as, ended_at, ended_by) on break_glass_requests to holdfast_service;
-- A series is what was booked; when its dates begin may change.
revoke update, delete on series from holdfast_service;
grant update (dates, version, updated_at) on series to holdfast_service;
revoke delete on organizations, turns, users, clinics, rooms, practitioners, patients, contacts, services,
  payers, resources, appointments, authorizations, sessions from holdfast_service;
grant execute on all functions in schema public to holdfast_service;
-- It runs as its owner (decision 0012), so it is nobody else's to call.
revoke execute on function delete_scratch(uuid) from public;

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
               and (select array_agg(pg_get_expr(p.polqual, p.polrelid)) from pg_policy p where p.polrelid = c.oid)
                 = array['(organization_id = (NULLIF(current_setting(''holdfast.organization_id''::text, true), '
                         || '''''::text))::uuid)'])
  loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format('alter table %I force row level security', tenant_table);
    execute format('drop policy if exists %I on %I', tenant_table || '_organization', tenant_table);
    execute format(
      'create policy %I on %I using (organization_id = nullif(current_setting(''holdfast.organization_id'', true), '''')::uuid)',
      tenant_table || '_organization', tenant_table);
  end loop;
end
$$;

-- makes the server's login role (when a verifier is given), puts it in the group, and bounds its transactions
do $$
declare
  server_role text := current_setting('holdfast.role');
  verifier text := current_setting('holdfast.verifier');
  setting record;
begin
  if verifier <> '' then
    if not exists (select from pg_roles where rolname = server_role) then
      execute format('create role %I login nosuperuser nobypassrls nocreatedb nocreaterole', server_role);
    end if;
    execute format('alter role %I password %L', server_role, verifier);
  end if;
  if not pg_has_role(server_role, 'holdfast_service', 'usage') then
    execute format('grant holdfast_service to %I with inherit true', server_role);
  end if;
  for setting in select key, value from json_each_text(current_setting('holdfast.role_settings')::json) loop
    -- only what differs: this row is shared by every database of the server
    if not exists (
      select from pg_db_role_setting s join pg_roles r on r.oid = s.setrole
      where r.rolname = server_role and s.setdatabase = 0
        and setting.key || '=' || setting.value = any (s.setconfig)
    ) then
      execute format('alter role %I set %I = %L', server_role, setting.key, setting.value);
    end if;
  end loop;
end
$$

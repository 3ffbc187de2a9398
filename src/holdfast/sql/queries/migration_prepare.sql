-- what every migrate needs before it looks at the schema: the extension, the group role, its own books
create extension if not exists btree_gist;

do $$
begin
  if not exists (select from pg_roles where rolname = 'holdfast_service') then
    create role holdfast_service nologin;
  end if;
exception when duplicate_object or unique_violation then
  null; -- roles are shared by all databases: another migrate, in another one, was first
end
$$;

create schema if not exists holdfast_meta;
grant usage on schema holdfast_meta to holdfast_service;

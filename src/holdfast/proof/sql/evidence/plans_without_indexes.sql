-- Takes every index of the tables that the four queries read, the keys' and the law's among them.
do $$
declare
  one record;
begin
  for one in
    select c.conrelid::regclass as relation, c.conname as name
    from pg_constraint c
    where c.conrelid = any (array['claims', 'appointments', 'rooms']::regclass[]) and c.contype in ('p', 'u', 'x')
  loop
    execute format('alter table %s drop constraint %I cascade', one.relation, one.name);
  end loop;
  for one in
    select i.indexrelid::regclass as name
    from pg_index i
    where i.indrelid = any (array['claims', 'appointments', 'rooms']::regclass[])
  loop
    execute format('drop index %s', one.name);
  end loop;
end
$$;

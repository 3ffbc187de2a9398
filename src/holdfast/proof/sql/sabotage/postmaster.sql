-- The process of the database server, on the machine where it runs.
select split_part(pg_read_file('postmaster.pid'), e'\n', 1)::int

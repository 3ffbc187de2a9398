-- who answers on this port: its data directory tells our engine from a stranger on the same port
select current_setting('data_directory') as data_directory,
       current_setting('server_version') as server_version,
       exists (select from pg_database where datname = 'holdfast') as has_database

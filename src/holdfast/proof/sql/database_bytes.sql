-- How large this database is on disk, without the log.
select pg_database_size(current_database())

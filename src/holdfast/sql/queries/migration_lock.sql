-- one migrate at a time in a database; the number is holdfast's own and means nothing
select pg_advisory_lock(7231940586123)

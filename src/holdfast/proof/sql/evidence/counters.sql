-- What this database has counted since its statistics began.
select s.xact_commit as commits, s.xact_rollback as rollbacks, s.deadlocks
from pg_stat_database s
where s.datname = current_database()

-- What this database has counted since its statistics began, and how many of our own sessions wait for a lock now.
select s.xact_commit as commits, s.xact_rollback as rollbacks, s.deadlocks, s.numbackends as connections,
       (select count(*) from pg_stat_activity a
        where a.datname = s.datname and a.usename = current_user and a.wait_event_type = 'Lock') as waiting
from pg_stat_database s
where s.datname = current_database()

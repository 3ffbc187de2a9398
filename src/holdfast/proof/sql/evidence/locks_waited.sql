-- Who waits for which lock at this moment, of everybody in this database.
select l.locktype as kind, coalesce(l.relation::regclass::text, 'no table') as relation, l.mode, count(*)::integer as n
from pg_locks l
join pg_stat_activity a on a.pid = l.pid and a.datname = current_database()
where not l.granted
group by l.locktype, l.relation, l.mode

-- Every statement that the server's role has sent to a database: how often, how long it took, how many rows it gave.
select s.queryid, s.query, s.calls, s.total_exec_time as milliseconds, s.rows
from pg_stat_statements s
join pg_database d on d.oid = s.dbid
join pg_roles r on r.oid = s.userid
where d.datname = $1 and r.rolname = $2 and s.toplevel

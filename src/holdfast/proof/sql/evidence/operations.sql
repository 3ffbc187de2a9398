-- How often the engine has read from and written to its files since its statistics began, its log included.
select coalesce(sum(i.reads), 0)::bigint as reads,
       (coalesce(sum(i.writes), 0) + coalesce(sum(i.extends), 0) + coalesce(sum(i.fsyncs), 0))::bigint as writes
from pg_stat_io i

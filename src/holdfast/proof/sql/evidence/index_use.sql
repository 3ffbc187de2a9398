-- How often these indexes were used, how much they read and how large they are; scans of their tables in all, by any way.
select i.indexrelname as name, i.relname as relation, i.idx_scan as scans, i.idx_tup_read as tuples_read,
       i.idx_tup_fetch as tuples_fetched, pg_relation_size(i.indexrelid) as bytes,
       coalesce(t.seq_scan, 0) + coalesce(t.idx_scan, 0) as scans_of_table
from pg_stat_user_indexes i
join pg_stat_user_tables t on t.relid = i.relid
where i.indexrelname = any ($1::text[]) and i.schemaname = current_schema()

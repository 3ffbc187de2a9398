-- The version and the settings that a figure depends on.
select current_setting('server_version') as version, json_object_agg(s.name, s.setting order by s.name)::text as settings
from pg_settings s
where s.name = any (array[
  'fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'wal_compression', 'shared_buffers',
  'max_wal_size', 'checkpoint_timeout', 'commit_delay', 'jit', 'data_checksums', 'max_connections',
  'autovacuum', 'random_page_cost', 'effective_cache_size', 'listen_addresses'])

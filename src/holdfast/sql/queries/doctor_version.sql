-- version and extension
select current_setting('server_version_num')::integer as version_num,
       current_setting('server_version') as version,
       exists (select from pg_extension where extname = 'btree_gist') as has_btree_gist,
       exists (select from pg_available_extensions where name = 'btree_gist') as can_btree_gist

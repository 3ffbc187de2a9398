-- Uses up one segment of the write-ahead log.
select pg_switch_wal() from pg_logical_emit_message(false, 'warm', 'up')

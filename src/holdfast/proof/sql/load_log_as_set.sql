-- After a load: the log as the engine's own settings have it.
alter system reset max_wal_size;

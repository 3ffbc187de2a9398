-- What the engine needs to tell how often each statement was carried out; in a database that is nobody's.
create extension if not exists pg_stat_statements;

-- What autovacuum would have done by itself before long.
vacuum analyze;

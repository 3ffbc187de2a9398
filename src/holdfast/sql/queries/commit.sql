-- Ends a transaction and keeps it.
commit

-- Ends a transaction and keeps nothing of it.
rollback

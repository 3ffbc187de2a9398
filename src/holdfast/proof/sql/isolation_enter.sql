-- The ledger's entry for it.
insert into entries (authorization_id, units) values ($1, $2)

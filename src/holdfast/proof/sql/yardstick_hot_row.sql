-- Y1: one row updated by everybody, and one row of its ledger.
begin;
update authorizations set scheduled_units = scheduled_units + 1 where id = 1;
insert into entries (authorization_id, units) values (1, 1);
commit;

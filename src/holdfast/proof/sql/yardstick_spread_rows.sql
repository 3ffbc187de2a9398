-- Y2: the same over 100 rows.
\set row random(1, 100)
begin;
update authorizations set scheduled_units = scheduled_units + 1 where id = :row;
insert into entries (authorization_id, units) values (:row, 1);
commit;

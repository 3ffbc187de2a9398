-- An authorization of so many units for one comparison of isolations; its number.
insert into authorizations (id, total_units)
select 1 + max(a.id), $1 from authorizations a
returning id

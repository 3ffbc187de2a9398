-- What an authorization has promised, and what its ledger says.
select a.scheduled_units as promised,
       (select coalesce(sum(e.units), 0)::bigint from entries e where e.authorization_id = a.id) as entered
from authorizations a
where a.id = $1

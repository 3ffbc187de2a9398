-- Every ledger entry of an organization, in the order in which it was told.
select e.authorization_id::text as authorization_id, e.entry_no, e.kind, e.units, e.is_manual,
       e.appointment_id::text as appointment_id, e.seq
from authorization_entries e
where e.organization_id = $1
order by e.seq, e.authorization_id, e.entry_no

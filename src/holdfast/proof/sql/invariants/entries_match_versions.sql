-- Every ledger entry is numbered by the version that it made, and its event tells of that version.
select n.authorization_id, n.entry_no, n.seq, z.version
from authorization_entries n
left join authorizations z on z.organization_id = n.organization_id and z.id = n.authorization_id
left join events e on e.organization_id = n.organization_id and e.seq = n.seq
where n.organization_id = $1
  and not coalesce(
    n.entry_no between 2 and z.version and e.kind = 'authorization.changed'
    and e.body ->> 'id' = n.authorization_id::text and (e.body ->> 'version')::integer = n.entry_no, false)

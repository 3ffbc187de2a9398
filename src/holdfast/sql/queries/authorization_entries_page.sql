-- A page of an authorization's ledger, newest first.
with found as materialized (
  select e.entry_no
  from authorization_entries e
  where e.organization_id = $1 and e.authorization_id = $5
  order by e.entry_no desc
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select json_build_object(
      'entry_no', e.entry_no, 'kind', e.kind, 'units', e.units, 'is_manual', e.is_manual,
      'appointment_id', e.appointment_id, 'line_no', e.line_no, 'seq', e.seq, 'actor_id', e.actor_id,
      'note_encrypted', encode(e.note_encrypted, 'hex'), 'created_at', as_instant(e.created_at))::text
    from (select f.* from found f order by f.entry_no desc offset $2 limit $3) f
    join authorization_entries e
      on e.organization_id = $1 and e.authorization_id = $5 and e.entry_no = f.entry_no
    order by f.entry_no desc) as items

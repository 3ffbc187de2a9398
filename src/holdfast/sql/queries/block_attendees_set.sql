-- Makes exactly these the attendees of a block.
with gone as (
  delete from block_attendees a
  where a.organization_id = $1 and a.block_id = $2 and a.practitioner_id <> all ($3::uuid[])
)
insert into block_attendees (organization_id, block_id, practitioner_id)
select $1, $2, w.id from unnest($3::uuid[]) w(id)
on conflict (organization_id, block_id, practitioner_id) do nothing

-- The blocks and groups in the way of an absence of some practitioners or rooms, earliest first.
select b.id, case b.kind when 'group' then 'group' else 'block' end as kind, as_instant(b.starts_at) as start, as_instant(b.ends_at) as "end"
from blocks b
where b.organization_id = $1 and b.deleted_at is null
  and b.starts_at > $3::timestamptz - interval '24 hours' and b.starts_at < $4 and b.ends_at > $3
  and (b.room_id = any ($2::uuid[]) or exists (
    select from block_attendees a
    where a.organization_id = $1 and a.block_id = b.id and a.practitioner_id = any ($2)))
order by b.starts_at, b.id

-- Every block that stands has one claim on each of its attendees and on its room, for exactly its time.
select b.id, w.resource_id, count(c.resource_id) as claims
from blocks b
cross join lateral (
  select a.practitioner_id as resource_id from block_attendees a where a.organization_id = $1 and a.block_id = b.id
  union all
  select b.room_id where b.room_id is not null) w
left join claims c
  on c.organization_id = $1 and c.resource_id = w.resource_id and c.block_id = b.id and c.kind = 'block'
  and c.starts_at = b.starts_at and c.ends_at = b.ends_at
where b.organization_id = $1 and b.deleted_at is null and b.kind <> 'group'
group by b.id, w.resource_id
having count(c.resource_id) <> 1

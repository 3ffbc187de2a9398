-- Writes where a group is by now, when, and of which practitioner.
with block as (
  update blocks b
  set room_id = $4, starts_at = $5, ends_at = $6, version = $7, updated_at = $8
  where b.organization_id = $1 and b.id = $2
), gone as (
  delete from block_attendees a where a.organization_id = $1 and a.block_id = $2 and a.practitioner_id <> $3
), attendee as (
  insert into block_attendees (organization_id, block_id, practitioner_id) values ($1, $2, $3)
  on conflict (organization_id, block_id, practitioner_id) do nothing
)
update groups g
set practitioner_id = $3, travel_before_minutes = $9, buffer_minutes = $10, turnover_minutes = $11,
    assignment_method = $12, policy_version = $13, score = $14, rules_applied = $15,
    decision = $16, grounds_id = $17
where g.organization_id = $1 and g.id = $2

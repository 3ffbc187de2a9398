-- Keeps a new group: the resource with a seat for each member that it may have, the block of its time with who gives it, and
-- what it is. Its claims and its members' visits are written after it.
with resource as (
  insert into resources (organization_id, id, kind) values ($1, $2, 'group')
), seats as (
  insert into resource_seats (organization_id, resource_id, seat, kind)
  select $1, $2, n, 'group' from generate_series(0, $10::integer - 1) n
), block as (
  insert into blocks (organization_id, id, kind, room_id, starts_at, ends_at, version, created_at, updated_at)
  values ($1, $2, 'group', $6, $7, $8, 1, $19, $19)
), attendee as (
  insert into block_attendees (organization_id, block_id, practitioner_id) values ($1, $2, $5)
)
insert into groups (
  organization_id, id, clinic_id, service_id, practitioner_id, members_min, members_max, location,
  travel_before_minutes, buffer_minutes, turnover_minutes, assignment_method, policy_version, score, rules_applied, created_by,
  decision, grounds_id)
values ($1, $2, $3, $4, $5, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $20, $21, $22)

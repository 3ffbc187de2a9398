-- Every group that is not cancelled has exactly its claims: its practitioner with travel and buffer, its room and the room's
-- turnover; a cancelled one has none.
with standing as (
  select g.id, g.practitioner_id, b.room_id, b.starts_at, b.ends_at, g.travel_before_minutes, g.buffer_minutes,
         g.turnover_minutes
  from groups g
  join blocks b on b.organization_id = g.organization_id and b.id = g.id
  where g.organization_id = $1 and b.deleted_at is null
), wanted as (
  select s.id, s.practitioner_id as resource_id, 'group' as kind, s.starts_at - make_interval(mins => s.travel_before_minutes) as starts_at,
         s.ends_at + make_interval(mins => s.buffer_minutes) as ends_at
  from standing s
  union all
  select s.id, s.room_id, 'group', s.starts_at, s.ends_at from standing s where s.room_id is not null
  union all
  select s.id, s.room_id, 'group_turnover', s.ends_at, s.ends_at + make_interval(mins => s.turnover_minutes)
  from standing s
  where s.room_id is not null and s.turnover_minutes > 0
), held as (
  select c.block_id as id, c.resource_id, c.kind, c.starts_at, c.ends_at
  from claims c
  where c.organization_id = $1 and c.kind in ('group', 'group_turnover')
)
(select 'missing' as what, w.* from (table wanted except all table held) w)
union all
(select 'too many' as what, h.* from (table held except all table wanted) h)

-- Claims a block's time on the lowest seat that is free for all of it, of each resource; tells on which there was one.
-- The inner order keeps the planner from the exclusion's index while the table is new, as in facts().
insert into claims (organization_id, resource_id, seat, starts_at, ends_at, kind, block_id)
select $1, w.resource_id, s.seat, $4, $5, 'block', $6
from unnest($2::uuid[], $3::integer[]) w(resource_id, seats)
cross join lateral (
  select array(
    select c.seat from claims c
    where c.organization_id = $1 and c.resource_id = w.resource_id
      and c.starts_at > $4::timestamptz - interval '26 hours' and c.starts_at < $5 and c.ends_at > $4
    order by c.starts_at) as seats) taken
cross join lateral (
  select s.seat from resource_seats s
  where s.organization_id = $1 and s.resource_id = w.resource_id and s.seat < w.seats
    and s.seat <> all (taken.seats)
  order by s.seat
  limit 1) s
returning block_id::text, resource_id::text

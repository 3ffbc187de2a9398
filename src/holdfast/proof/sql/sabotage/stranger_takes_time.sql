-- Time off that a careless script writes for a practitioner who has a visit then: from five minutes into it, for ten.
with visit as (
  select c.resource_id, c.seat, c.starts_at + interval '5 minutes' as starts_at, c.starts_at + interval '15 minutes' as ends_at
  from claims c
  join practitioners p on p.organization_id = c.organization_id and p.id = c.resource_id
  where c.organization_id = $1 and c.kind = 'visit'
  order by c.starts_at
  limit 1
), absence as (
  insert into time_off (organization_id, id, practitioner_id, starts_at, ends_at)
  select $1, $2, v.resource_id, v.starts_at, v.ends_at from visit v
)
insert into claims (organization_id, resource_id, seat, starts_at, ends_at, kind, time_off_id)
select $1, v.resource_id, v.seat, v.starts_at, v.ends_at, 'time_off', $2 from visit v
returning resource_id

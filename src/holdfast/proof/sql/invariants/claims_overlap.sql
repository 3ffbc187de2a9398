-- No two claims on one seat of a resource overlap: seen by order in one sweep, without the constraint's help.
select s.resource_id, s.seat, s.kind, s.starts_at, s.ends_at, s.ends_before
from (
  select c.resource_id, c.seat, c.kind, c.starts_at, c.ends_at,
         max(c.ends_at) over (partition by c.resource_id, c.seat order by c.starts_at, c.ends_at
                              rows between unbounded preceding and 1 preceding) as ends_before
  from claims c
  where c.organization_id = $1) s
where s.starts_at < s.ends_before

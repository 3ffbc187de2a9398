-- An organization's events are numbered from one without a gap, and its turn stands at the last of them.
select e.seq, e.place
from (
  select e.seq, row_number() over (order by e.seq) as place from events e where e.organization_id = $1) e
where e.seq <> e.place
union all
select t.seq, n.events
from turns t
cross join (select count(*) as events from events e where e.organization_id = $1) n
where t.organization_id = $1 and t.seq <> n.events

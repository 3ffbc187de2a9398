-- The organization's today, and the seq of the snapshot.
select t.seq, (now() at time zone o.time_zone)::date as today
from turns t
join organizations o on o.organization_id = $1
where t.organization_id = $1

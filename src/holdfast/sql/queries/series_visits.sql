-- Where the visits of a series stand.
select a.id::text as id, date_part('epoch', a.starts_at)::bigint as starts_at, a.status, a.version
from appointments a
where a.organization_id = $1 and a.series_id = $2

-- Throws away holds that ended a day ago: until then their ids are answered with "gone".
delete from holds h
using (
  select d.id from holds d
  where d.organization_id = $1 and d.ended_as is not null and d.ended_at < now() - interval '24 hours'
  order by d.ended_at limit 5000) old
where h.organization_id = $1 and h.id = old.id

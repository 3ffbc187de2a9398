-- Throws away room plans that nobody has applied for so many days ($2): those that were are the record of what changed.
delete from room_plans p
using (
  select d.id from room_plans d
  where d.organization_id = $1 and d.applied_at is null and d.created_at < now() - make_interval(days => $2)
  order by d.created_at limit 5000) old
where p.organization_id = $1 and p.id = old.id and p.applied_at is null

-- A page of what was read by a break-glass request, newest first.
with found as materialized (
  select u.id
  from break_glass_uses u
  where u.organization_id = $1 and u.break_glass_id = $5
  order by u.id desc
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select json_build_object(
      'id', u.id, 'action', u.action, 'subject_id', u.subject_id, 'request_id', u.request_id,
      'used_at', as_instant(u.used_at))::text
    from (select f.* from found f order by f.id desc offset $2 limit $3) f
    join break_glass_uses u on u.organization_id = $1 and u.break_glass_id = $5 and u.id = f.id
    order by f.id desc) as items

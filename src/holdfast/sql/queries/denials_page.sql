-- A page of denials, newest first; filters: who, action, code, subject, from an instant, to before another.
with found as materialized (
  select d.id
  from denials d
  where d.organization_id = $1
    and ($5::uuid is null or d.actor_id = $5)
    and ($6::text is null or d.action = $6)
    and ($7::text is null or d.code = $7)
    and ($8::uuid is null or d.subject_id = $8)
    and ($9::timestamptz is null or d.created_at >= $9)
    and ($10::timestamptz is null or d.created_at < $10)
  order by d.id desc
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select json_build_object(
      'id', d.id, 'actor_id', d.actor_id, 'action', d.action, 'subject_id', d.subject_id, 'code', d.code,
      'request_id', d.request_id, 'created_at', as_instant(d.created_at))::text
    from (select f.* from found f order by f.id desc offset $2 limit $3) f
    join denials d on d.organization_id = $1 and d.id = f.id
    order by f.id desc) as items

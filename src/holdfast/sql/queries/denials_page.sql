-- A page of denials, newest first; filters: who, action, code, subject, from an instant, to before another. What is
-- filtered reaches 366 days back unless it says from when. An id tells its time, made up to an hour before the row is
-- written or by a clock that is as much ahead, so only ids of the time asked for are read.
with span as (
  select coalesce($9::timestamptz, case
      when coalesce($5::uuid::text, $6::text, $7::text, $8::uuid::text) is not null
        then coalesce($10::timestamptz, now()) - interval '366 days'
    end) as since, $10::timestamptz as until
),
found as materialized (
  select d.id
  from denials d
  where d.organization_id = $1
    and d.id >= (select coalesce(first_id(s.since - interval '1 hour'), '00000000-0000-0000-0000-000000000000'::uuid) from span s)
    and d.id < (select coalesce(first_id(s.until + interval '1 hour'), 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) from span s)
    and ($5::uuid is null or d.actor_id = $5)
    and ($6::text is null or d.action = $6)
    and ($7::text is null or d.code = $7)
    and ($8::uuid is null or d.subject_id = $8)
    and d.created_at >= (select coalesce(s.since, '-infinity') from span s)
    and d.created_at < (select coalesce(s.until, 'infinity') from span s)
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

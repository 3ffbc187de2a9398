-- A page of the audit trail, newest first; filters: who, action, noun, subject, from an instant, to before another. What
-- is filtered reaches 366 days back unless it says from when. Only batches of the time asked for are read.
with span as (
  select coalesce($9::timestamptz, case
      when coalesce($5::uuid::text, $6::text, $7::text, $8::uuid::text) is not null
        then coalesce($10::timestamptz, now()) - interval '366 days'
    end) as since, $10::timestamptz as until
),
found as materialized (
  select a.batch_no, a.position
  from audit a
  where a.organization_id = $1
    and a.batch_no > (select coalesce(batch_before($1, s.since - interval '1 hour'), 0) from span s)
    and a.batch_no <= (
      select coalesce(batch_before($1, s.until + interval '1 hour'), 9223372036854775807) from span s)
    and ($5::uuid is null or a.actor_id = $5)
    and ($6::text is null or a.action = $6)
    and ($7::text is null or a.subject = $7)
    and ($8::uuid is null or a.subject_id = $8)
    and a.created_at >= (select coalesce(s.since, '-infinity') from span s)
    and a.created_at < (select coalesce(s.until, 'infinity') from span s)
  order by a.batch_no desc, a.position desc
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select json_build_object(
      'batch_no', a.batch_no, 'position', a.position, 'actor_id', a.actor_id, 'action', a.action,
      'subject', a.subject, 'subject_id', a.subject_id, 'detail', a.detail, 'request_id', a.request_id,
      'created_at', as_instant(a.created_at))::text
    from (select f.* from found f order by f.batch_no desc, f.position desc offset $2 limit $3) f
    join audit a on a.organization_id = $1 and a.batch_no = f.batch_no and a.position = f.position
    order by f.batch_no desc, f.position desc) as items

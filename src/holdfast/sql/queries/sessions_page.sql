-- A page of sessions, newest first, without what was written.
with found as materialized (
  select f.id from sessions_found($1, $5, $6, $7, $8, $9, $10, $4) f
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select session_document($1, f.id)::text
    from (select f.id from found f order by f.id desc offset $2 limit $3) f
    order by f.id desc) as items

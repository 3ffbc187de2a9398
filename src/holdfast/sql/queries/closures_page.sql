-- A page of the closures of a whole clinic, or of one room, by start.
with found as materialized (
  select x.id, x.starts_at
  from closures x
  where x.organization_id = $1
    and ($6::uuid is null and x.clinic_id = $5 and x.room_id is null or x.room_id = $6)
    and ($7::timestamptz is null or x.ends_at > $7)
  order by x.starts_at, x.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.starts_at, f.id offset $2 limit $3) f
    join closure_documents($1) d on d.id = f.id
    order by f.starts_at, f.id) as items

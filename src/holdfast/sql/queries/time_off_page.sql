-- A page of a practitioner's time off by start.
with found as materialized (
  select x.id, x.starts_at
  from time_off x
  where x.organization_id = $1
    and x.practitioner_id = $5
    and ($6::timestamptz is null or x.ends_at > $6)
  order by x.starts_at, x.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.starts_at, f.id offset $2 limit $3) f
    join time_off_documents($1) d on d.id = f.id
    order by f.starts_at, f.id) as items

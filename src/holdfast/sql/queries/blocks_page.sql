-- A page of blocks that touch a range, by start: of a clinic, practitioner, room, kind or series, if one is given.
with found as materialized (
  select f.id, f.starts_at
  from blocks_in_span($1, $5, $6, $7, $8, $9, $10, $11) f
  order by f.starts_at, f.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.starts_at, f.id offset $2 limit $3) f
    join block_documents($1) d on d.id = f.id
    order by f.starts_at, f.id) as items

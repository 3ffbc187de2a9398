-- A page of payers by name; filters: active, part of the name.
with found as materialized (
  select y.id, y.name
  from payers y
  where y.organization_id = $1
    and ($5::boolean is null or y.is_active = $5)
    and ($6::text is null or strpos(lower(y.name), lower($6)) > 0)
  order by y.name, y.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.name, f.id offset $2 limit $3) f
    join payer_documents($1) d on d.id = f.id
    order by f.name, f.id) as items

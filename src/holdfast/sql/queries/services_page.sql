-- A page of services by name; filters: active, part of name or code, code.
with found as materialized (
  select s.id, s.name
  from services s
  where s.organization_id = $1
    and ($5::boolean is null or s.is_active = $5)
    and ($6::text is null or strpos(lower(s.code || ' ' || s.name), lower($6)) > 0)
    and ($7::text is null or s.code = $7)
  order by s.name, s.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.name, f.id offset $2 limit $3) f
    join service_documents($1) d on d.id = f.id
    order by f.name, f.id) as items

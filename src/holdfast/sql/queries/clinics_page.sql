-- A page of clinics by name; filters: active, part of the name.
with found as materialized (
  select c.id, c.name
  from clinics c
  where c.organization_id = $1
    and ($5::boolean is null or c.is_active = $5)
    and ($6::text is null or strpos(lower(c.name), lower($6)) > 0)
  order by c.name, c.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.name, f.id offset $2 limit $3) f
    join clinic_documents($1) d on d.id = f.id
    order by f.name, f.id) as items

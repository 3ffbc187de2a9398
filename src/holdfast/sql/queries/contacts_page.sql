-- A page of contacts by name; filter: active.
with found as materialized (
  select c.id, c.search_name
  from contacts c
  where c.organization_id = $1
    and ($5::boolean is null or c.is_active = $5)
  order by c.search_name collate "C", c.id
  limit $4
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select d.document::text
    from (select f.* from found f order by f.search_name collate "C", f.id offset $2 limit $3) f
    join contact_documents($1) d on d.id = f.id
    order by f.search_name collate "C", f.id) as items

-- A page of a work list of visits, as the decision reads them, earliest first.
with found as materialized (
  select f.id, f.starts_at from worklist_visits($1, $5, $6, $7, $8, $9, $10, $4) f
)
select
  (select t.seq from turns t where t.organization_id = $1) as seq,
  (select count(*) from found) as total,
  array(
    select appointment_document($1, f.id)::text
    from (select f.* from found f order by f.starts_at, f.id offset $2 limit $3) f
    order by f.starts_at, f.id) as items
